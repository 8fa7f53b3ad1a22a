# Two commands do everything from nothing: `make run` and `make test`. They need Python 3.11 or newer.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: run test check openapi bench

run: $(INSTALLED)
	@$(BIN)/python -m dev.run

test: $(INSTALLED)
	$(BIN)/python -m pytest

# What CI runs: lint, types, tests with coverage of the domain.
check: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --cov --cov-fail-under=95

# Write openapi.json anew; a test fails while it differs from what the application serves.
openapi: $(INSTALLED)
	$(BIN)/flask --app wsgi openapi write openapi.json

bench: $(VENV)/.installed-bench
	$(BIN)/python -m bench

$(INSTALLED): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/.installed-bench: $(INSTALLED) requirements-bench.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@
