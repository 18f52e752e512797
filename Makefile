# 市民之窗. The two commands: `make run` and `make test`.
# Both do all the set-up themselves and are quick when there is nothing to do.
BIN := .venv/bin
# Compiled once, whatever the caller's shell says, and not by each of the hundreds of programs that the tests start.
export PYTHONDONTWRITEBYTECODE :=
# On two cores: a third of the tests' time is waiting for devices that are slow on purpose.
WORKERS ?= 3

# No --emit-…: where the packages come from is each machine's own matter.
COMPILE = CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile --quiet $(UPGRADE) --generate-hashes --allow-unsafe \
	--strip-extras --no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.PHONY: help setup setup-dev run test lint unit crash powercut faults tour drill bench receipts soak docs bundle lock clean long

help: ## what can be made
	@sed -nE 's/^([a-z-]+):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## system packages, venv and the pinyin table; the others do it themselves
	@scripts/setup.sh

setup-dev: ## also what only the tests need
	@scripts/setup.sh --dev

run: setup ## the street: hall, sync, a terminal with all its hardware, and the dock's web page
	@$(BIN)/python -m kiosk.devdock

test: setup-dev lint unit ## exactly what CI runs

lint: setup-dev ## style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup-dev ## every test
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup

crash: setup-dev ## 10,000 kill -9s of terminal and hall at every moment: nothing lost, nothing doubled
	@$(BIN)/python -m tests.crash.kills

faults: setup-dev ## an error at every operation, bits turned by the disk, a stolen disk: nothing lost, nothing read
	@$(BIN)/python -m tests.crash.failures
	@$(BIN)/python -m tests.crash.flips
	@$(BIN)/python -m tests.crash.stolen

powercut: setup-dev ## 10,000 simulated power cuts and 200 real file-system shutdowns (as root): nothing lost
	@$(BIN)/python -m tests.crash.powercut

long: setup-dev ## the tests that need a quiet machine or a long while
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m long

tour: setup ## a scripted day: every case, every screen, receipt and page in build/tour/index.html
	@$(BIN)/kiosk case tour --out build/tour

drill: setup ## every scripted fault on a serving terminal: detected, named, got over; build/drill/drill.json
	@$(BIN)/kiosk sim drill --out build/drill

bench: setup-dev ## what the parts take, against limits and peers: build/bench.json and a table of ratios
	@$(BIN)/python -m benchmarks

soak: setup-dev ## an hour: half a year with three terminals and a hall and all that goes wrong; MINUTES=60 SEED=0
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),60) --seed $(or $(SEED),0)

receipts: setup-dev ## 10,000 answers on a line that lies, 100,000 forged receipt codes: none is believed
	RECEIPTS_ANSWERS=10000 RECEIPTS_MUTANTS=100000 RECEIPTS_PARTS=5 $(BIN)/python -m pytest -rP -n 4 --dist load \
		--maxschedchunk 1 tests/queue/test_receipts_line.py tests/queue/test_receipts_qr.py

docs: setup ## generated tables and pages anew
	$(BIN)/python scripts/generate_events.py
	$(BIN)/python scripts/generate_faults.py
	$(BIN)/python scripts/generate_devices_doc.py

bundle: setup-dev ## the terminal as a onedir program in dist/kiosk
	$(BIN)/pyinstaller --noconfirm --log-level WARN kiosk.spec

lock: setup-dev ## requirements*.lock anew from pyproject.toml; all to the newest with UPGRADE=--upgrade
	$(COMPILE) --extra build --extra hall --extra dock -o requirements.lock pyproject.toml
	$(COMPILE) --extra build --extra hall --extra dock --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

clean: ## everything that was made, but not the venv
	rm -rf build dist
