# The two commands: `make run` and `make test`. Both do all the set-up themselves and are quick when nothing is to do.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: setup run test lint tour bench bundle clean

setup:
	@scripts/setup.sh
