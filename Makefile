# `make demo` and `make test` need nothing but Python (3.11 or later) and make.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
JOBS   ?= 2

# Tests run imgconv and its peers (dciodvfy, dcm2niix ...) as commands of this environment.
export PATH := $(abspath $(BIN)):$(PATH)

.PHONY: demo install test test-slow check lint types layers format fixtures standard rule-pages bench clean

# Installs, converts the CT and MR series that ship inside pydicom's wheel, shows the result.
demo: $(VENV)/.installed
	$(BIN)/python -m imgconv.demo demo-output

test: $(VENV)/.test-installed
	$(BIN)/python -m pytest -n $(JOBS) -m "not slow"
	$(BIN)/python -m pytest -q tests/unit/batch/test_workers.py -k forked  # with -n, threads forbid a fork

test-slow: $(VENV)/.test-installed
	$(BIN)/python -m pytest -m slow

check: lint types layers test

lint: $(VENV)/.lint-installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.lint-installed
	$(BIN)/mypy

layers: $(VENV)/.lint-installed
	$(BIN)/lint-imports

format: $(VENV)/.lint-installed
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fixtures: $(VENV)/.installed
	$(BIN)/python fixtures/make_fixtures.py

# Regenerates the tables of the DICOM standard from highdicom and pydicom.
standard: $(VENV)/.installed
	$(BIN)/python -m imgconv.standard.build

# Writes the rule catalogue and the profile reference.
rule-pages: $(VENV)/.installed
	$(BIN)/python -m imgconv.ops.rule_pages docs/validate

bench: $(VENV)/.test-installed
	$(BIN)/python -m benchmarks.run

install: $(VENV)/.installed

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	$(BIN)/python -m compileall -q src
	touch $@

$(VENV)/.test-installed: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --group test
	touch $@

$(VENV)/.lint-installed: $(VENV)/.test-installed
	$(BIN)/python -m pip install --quiet --group lint
	touch $@

clean:
	rm -rf $(VENV) build dist demo-output .mypy_cache .ruff_cache .pytest_cache
