# Everything runs in .venv, which `make build` and `make test` fill; nothing else is needed than
# python3 (3.11 or newer, with venv and pip) and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# An installation is good for one content of these files, however often they are checked out.
PINS := $(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)
READY := $(VENV)/ready-$(PINS)
READY_FOR_TESTS := $(VENV)/ready-for-tests-$(PINS)
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt
TORCH := $(shell grep '^torch==' constraints.txt)

.PHONY: build test lint types pytest fuzz bench bench-train scale-all goldens docs clean help

build: $(READY) ## compile specs/ into build/
	$(BIN)/toolc compile specs --output build

test: lint types pytest ## lint, type-check and test everything

lint: $(READY_FOR_TESTS)
	@echo '== ruff'
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(READY_FOR_TESTS)
	@echo '== mypy --strict'
	$(BIN)/mypy

pytest: $(READY_FOR_TESTS)
	@echo '== pytest'
	$(BIN)/pytest

CASES ?= 200000
SEED ?= 0

fuzz: $(READY_FOR_TESTS) ## fuzz the compiler: make fuzz CASES=200000 SEED=0
	$(BIN)/python -m tests.fuzz --cases $(CASES) --seed $(SEED) --keep build/fuzz

bench: $(READY_FOR_TESTS) build ## measure what the README's figures come from
	$(BIN)/python -m benchmarks

bench-train: $(READY_FOR_TESTS) build ## measure what RL adds to SFT, over seeds and sizes (hours; goes on where it was)
	$(BIN)/toolc compile specs -o build/many --sample 60 --audit
	$(BIN)/python -m benchmarks.train --build build/many

scale-all: $(READY_FOR_TESTS) ## scale all of specs/ at every level, prove it, write the table of docs/scaling.md
	$(BIN)/python -m benchmarks.scaling

goldens: $(READY_FOR_TESTS) ## write the expected artifacts of tests/goldens anew
	$(BIN)/pytest tests/goldens --update-goldens

docs: $(READY) ## write the generated pages of docs/ anew
	$(BIN)/python -m toolc.reference docs

clean: ## remove what was built and cached, but not .venv
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "toolc needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." \
	       "Name another one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(READY): | $(BIN)/python
	@echo '== installing toolc'
	$(PIP) --editable .
	@rm -f $(VENV)/ready-[0-9]*
	@touch $@

# torch by its exact version first: the newest one comes with gigabytes of CUDA.
$(READY_FOR_TESTS): $(READY)
	@echo '== installing what the tests need'
	$(PIP) '$(TORCH)'
	$(PIP) --editable '.[train,ray,test]'
	@rm -f $(VENV)/ready-for-tests-*
	@touch $@
