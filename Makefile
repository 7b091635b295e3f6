# Careline. `make` alone lists what can be done.
.DEFAULT_GOAL := help
SHELL := /bin/bash
export UV_PYTHON_DOWNLOADS := never
UV := .uv/bin/uv
UV_VERSION := 0.13.9
BIN := .venv/bin
PYTHON ?= python3
T ?= tests
JOBS ?= 2
DATA_DIR ?= .careline
RELEASED := protos/released.binpb

##@ Use
.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z_-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/.ready ## Install everything below this folder (.uv and .venv)

.uv/.ready: 
	@command -v $(PYTHON) >/dev/null || { echo "careline: no $(PYTHON) found; install Python 3.11 or newer, or run: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "careline: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) -V 2>&1); run: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv --clear .uv >/dev/null 2>&1 || { echo "careline: $(PYTHON) cannot make a virtual environment; install its venv package (Debian: python3-venv)" >&2; exit 1; }
	@.uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/.ready: .uv/.ready uv.lock pyproject.toml $(wildcard libs/*/pyproject.toml services/*/pyproject.toml)
	@$(UV) sync --frozen --quiet --python $(PYTHON)
	@touch $@

.PHONY: run
run: setup ## Start the platform, play one contact, keep serving
	@exec $(BIN)/careline --data-dir $(DATA_DIR) up --demo

.PHONY: demo-once
demo-once: setup ## Start a platform of its own, play one contact, stop it
	@rm -rf .careline-once
	@$(BIN)/careline --data-dir .careline-once up --detach
	@$(BIN)/careline --data-dir .careline-once demo; played=$$?; \
	$(BIN)/careline --data-dir .careline-once down; rm -rf .careline-once; exit $$played

##@ Work on it
.PHONY: test
test: setup ## Run the whole test suite (T=path for less, JOBS=n)
	@$(BIN)/pytest -m "not long" -n $(JOBS) --dist loadgroup $(T)

.PHONY: test-long
test-long: setup ## Run the tests that take minutes, too
	@$(BIN)/pytest -n 0 -m long $(T)

.PHONY: bench
bench: setup ## Measure the store beside its ceilings and its peer (10 minutes, on a quiet machine)
	@$(BIN)/careline bench store --json

.PHONY: drill
drill: setup ## Rehearse every disaster under 500 appends a second (10 minutes, on a quiet machine)
	@$(BIN)/careline drill --all --json --record

.PHONY: check
check: setup lint types imports proto-check ## Everything CI checks besides the tests

.PHONY: lint
lint: setup ## Formatting and lint of Python and protos
	@$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --diff .; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/buf lint

.PHONY: fmt
fmt: setup ## Format Python and protos
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/buf format -w

.PHONY: types
types: setup ## Check types strictly
	@$(BIN)/mypy libs services tests benchmarks

.PHONY: imports
imports: setup ## Check the layers
	@$(BIN)/lint-imports

.PHONY: proto
proto: setup ## Regenerate the code of the protos
	@$(BIN)/python libs/protos/generate.py

.PHONY: proto-check
proto-check: setup ## Fail when generated code is stale or breaks what is released
	@$(BIN)/python libs/protos/generate.py --check
	@$(BIN)/buf breaking --against $(RELEASED)

.PHONY: proto-release
proto-release: setup ## Take the protos as released: from then on they may only grow
	@! test -e $(RELEASED) || $(BIN)/buf breaking --against $(RELEASED)
	@$(BIN)/buf build --exclude-source-info -o $(RELEASED)
	@PYTHONPATH=tests $(BIN)/python -m contract.stored_events.record
