# `make run` and `make test` install everything that they need. They need Python 3.11 or newer.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: run mongod test lint types lint-deploy check openapi fuzz bench bench-scale faults

run: $(INSTALLED)
	@$(BIN)/python -m dev.run

# The database alone, for whoever runs the Procfile by honcho.
mongod: $(INSTALLED)
	@$(BIN)/python -m dev.mongod

# The domain has to stay covered; a single test runs by `.venv/bin/pytest tests/http -k name`. Side by side, each with a
# database of its own, and the tests of a file together, in the order of the files: those with few tests take longest.
test: $(INSTALLED)
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --cov --cov-fail-under=95

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED)
	$(BIN)/mypy

# What deployments are made from, held against the programs that will read it; one that is not here is skipped.
lint-deploy: $(INSTALLED)
	@$(BIN)/python -m dev.lint_deploy

# What CI runs.
check: lint types lint-deploy test

# Write openapi.json, docs/conformance.md and docs/settings.md; tests fail while they differ from the code.
openapi: $(INSTALLED)
	$(BIN)/flask --app wsgi openapi print | $(BIN)/python -m json.tool --indent 1 > openapi.json
	$(BIN)/python -m dev.conformance
	$(BIN)/python -m dev.settings_page

# Minutes of chance, where CI takes seconds: every operation of the document, and long histories of the model.
FUZZ_MINUTES ?= 10
fuzz: $(INSTALLED)
	FUZZ_MINUTES=$(FUZZ_MINUTES) HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -rP tests/processes/test_fuzz.py tests/contract/test_model.py

bench: $(VENV)/.installed-bench
	$(BIN)/python -m bench

# Half an hour with a million people in the database, on Linux; `--only sizes --sizes 1000,10000` takes two minutes.
bench-scale: $(VENV)/.installed-bench
	$(BIN)/python -m bench.scale --write

# What is acknowledged has to stay, whatever is killed, frozen or full meanwhile: ten minutes, on Linux.
faults: $(INSTALLED)
	$(BIN)/python -m faults --write

$(INSTALLED): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(VENV)/.installed-bench: $(INSTALLED) requirements-bench.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@
