# `make run` and `make test` install everything that they need. They need Python 3.11 or newer.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Packages of another version of Python are useless, so the files that say what is installed have the version in their names.
SHOW_VERSION := import sys; print("%d.%d" % sys.version_info[:2])
VERSION := $(shell $(PYTHON) -c '$(SHOW_VERSION)')
INSTALLED := $(VENV)/.installed-$(VERSION)
# A second pip takes seconds to install, so the pip of $(PYTHON) installs the packages, if there is one with this option.
PIP = $$($(PYTHON) -m pip --python $(BIN)/python --version >/dev/null 2>&1 \
	&& echo '$(PYTHON) -m pip --python $(BIN)/python' || echo '$(BIN)/python -m pip')
# pip compiles with one processor, which takes half of the time of an installation. `make run` imports few modules: Python
# compiles each at its first import, and keeps it. The tests import most of them in many processes at once, so these are
# compiled ahead, by all processors.
INSTALL = $(PIP) install --quiet --disable-pip-version-check --no-compile
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run mongod test test-all lint types lint-deploy requirements check docs dist translations screenshots fuzz bench bench-scale faults week
.DEFAULT_GOAL := run

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(INSTALLED)-run ## Start the server with sample data
	@$(BIN)/python -m dev.run

mongod: $(INSTALLED)-run ## Start the packaged MongoDB alone, for running the Procfile with honcho
	@$(BIN)/python -m dev.mongod

# See dev/run_tests.py. COVERAGE=1 measures the coverage of osdi/ too. One test: .venv/bin/pytest tests/people -k name
test: $(INSTALLED) ## Run the tests of every behaviour; those with more cases of one, or with long stories, are left out
	@$(BIN)/python -m dev.run_tests $(if $(COVERAGE),--coverage)

test-all: $(INSTALLED) ## Run all tests, as CI does
	@$(BIN)/python -m dev.run_tests --all $(if $(COVERAGE),--coverage)

lint: $(INSTALLED) ## Check style, formatting, prose and openapi.json
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m dev.lint_prose
	$(BIN)/python -m dev.lint_openapi

types: $(INSTALLED) ## Check types
	$(BIN)/mypy

# A program that is not installed is skipped.
lint-deploy: $(INSTALLED) ## Check the files in deploy/ with the programs that read them
	@$(BIN)/python -m dev.lint_deploy

requirements: $(INSTALLED) ## Check that requirements.txt installs on Python 3.11.2, 3.12 and 3.13
	@$(BIN)/python -m dev.check_requirements

check: lint types lint-deploy requirements ## Run what CI runs, with more random examples and coverage
	@HYPOTHESIS_PROFILE=ci $(MAKE) --no-print-directory test-all COVERAGE=1

# Tests fail while these files differ from the code.
docs: $(INSTALLED) ## Write openapi.json and the generated parts of docs/
	$(BIN)/flask --app wsgi openapi print | $(BIN)/python -m json.tool --indent 1 > openapi.json
	$(BIN)/python -m dev.conformance
	$(BIN)/python -m dev.field_pages
	$(BIN)/python -m dev.settings_page
	$(BIN)/python -m dev.architecture

# Needs a package index. Wheels for another Python: `.venv/bin/python -m dev.dist --python 3.12`.
dist: $(INSTALLED) ## Write a source distribution, and a tarball that installs without a network, into dist/
	@$(BIN)/python -m dev.dist

# Fails while a message is not translated into each language.
translations: $(INSTALLED) ## Collect the texts of pages and mails in the catalogues of osdi/languages/locale
	@$(BIN)/python -m dev.translations

screenshots: $(INSTALLED) ## Write the screenshots of docs/, with Chromium
	$(BIN)/python -m dev.screenshots

FUZZ_MINUTES ?= 10
fuzz: $(INSTALLED) ## Run randomised tests against every operation for FUZZ_MINUTES (10)
	FUZZ_MINUTES=$(FUZZ_MINUTES) HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -rP tests/conformance/test_fuzz.py tests/people/test_model.py

bench: $(INSTALLED)-bench ## Measure throughput and response times
	$(BIN)/python -m bench

# On Linux. `.venv/bin/python -m bench.scale --only sizes --sizes 1000,10000` takes two minutes.
# Ten million people too: `make bench-scale SIZES=10000,1000000,10000000`. It needs 35 GB of disk.
SIZES ?= 10000,100000,1000000
bench-scale: $(INSTALLED)-bench ## Measure with a million people for half an hour and write docs/performance.md
	$(BIN)/python -m bench.scale --sizes $(SIZES) --write

# On Linux.
faults: $(INSTALLED) ## Kill and freeze processes for half an hour and check that nothing acknowledged is lost
	$(BIN)/python -m faults --write
	$(BIN)/python -m faults.copies

# On Linux, as root.
week: $(INSTALLED) ## Play the week of an operator: install, back up, lose the disk, restore, upgrade, go back
	$(BIN)/python -m faults.week

$(INSTALLED)-run: requirements.txt requirements-run.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@test "$$($(BIN)/python -c '$(SHOW_VERSION)' 2>&1)" = $(VERSION) || $(PYTHON) -m venv --clear --without-pip $(VENV)
	@$(PYTHON) -m pip --python $(BIN)/python --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip
	@echo 'Installing the packages of requirements-run.txt'
	@$(INSTALL) -r requirements-run.txt
	@touch $@

$(INSTALLED): $(INSTALLED)-run requirements-dev.txt
	@echo 'Installing the packages of requirements-dev.txt'
	@$(INSTALL) -r requirements-dev.txt
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib
	@touch $@

$(INSTALLED)-bench: $(INSTALLED) requirements-bench.txt
	@echo 'Installing the packages of requirements-bench.txt'
	@$(INSTALL) -r requirements-bench.txt
	@touch $@
