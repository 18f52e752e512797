# 市民之窗. The two commands: `make run` and `make test`.
# Both do all the set-up themselves and are quick when there is nothing to do.
BIN := .venv/bin
export PYTHONDONTWRITEBYTECODE ?=

.PHONY: help setup setup-dev run test lint unit tour bundle clean

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## system packages, venv, keyboard tables, virtual card reader
	@scripts/setup.sh

setup-dev:
	@scripts/setup.sh --dev

run: setup ## the street: hall, sync, a terminal with all its hardware, and the dock's web page
	@$(BIN)/python -m kiosk.devdock

test: setup-dev lint unit ## exactly what CI runs

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: setup-dev
	$(BIN)/python -m pytest -n 2

tour: setup ## a scripted day: every case, every screen, receipt and page in build/tour/index.html
	@$(BIN)/kiosk case tour --out build/tour

bundle: setup-dev ## the terminal as a onedir program in dist/kiosk
	$(BIN)/pyinstaller --noconfirm --log-level WARN kiosk.spec

clean: ## everything that was made, but not the venv
	rm -rf build dist
