# Targets for people; `make help` lists them. PYTHON is only used to make the environment.
PYTHON ?= python3
BIN := .venv/bin
HOME_DIR ?= home
LANDING ?= raw/landing
STATEWIDE ?= home-statewide
export DAGSTER_DISABLE_TELEMETRY := 1
export DO_NOT_TRACK := 1

.DEFAULT_GOAL := help
.PHONY: help setup run statewide dev test lint unit bench docs lock audit clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/ready  ## make the environment from requirements.lock
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than Python 3.11; set PYTHON=" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

run: setup  ## annual run of the latest year; makes a fictional state first if nothing has landed
	@ls -d $(LANDING)/[12][0-9][0-9][0-9] >/dev/null 2>&1 || $(BIN)/accountability generate --out $(LANDING)
	@$(BIN)/accountability run --year $$(ls -d $(LANDING)/[12][0-9][0-9][0-9] | sort | tail -1 | xargs basename) --raw $(LANDING) --home $(HOME_DIR)

statewide: setup  ## the same for 950,000 students, three years, in a home of its own
	@ls -d $(STATEWIDE)/landing/[12]* >/dev/null 2>&1 || $(BIN)/accountability generate --students 950000 --out $(STATEWIDE)/landing
	@$(BIN)/accountability run --year $$(ls -d $(STATEWIDE)/landing/[12]* | sort | tail -1 | xargs basename) --raw $(STATEWIDE) --home $(STATEWIDE)/home

dev: setup  ## Dagster UI on this machine, over the same home
	@umask 077 && mkdir -p $(HOME_DIR)/dagster && cp -n orchestration/automation/dagster.yaml $(HOME_DIR)/dagster/
	umask 077 && DAGSTER_HOME=$(abspath $(HOME_DIR))/dagster ACCOUNTABILITY_HOME=$(abspath $(HOME_DIR)) $(BIN)/dagster dev --host 127.0.0.1

test: lint unit  ## lint, types and every test

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

unit: setup
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

bench: setup  ## measure intake, indicator tables and the whole annual run at statewide size against bare DuckDB scripts
	$(BIN)/python -m benchmarks.intake
	$(BIN)/python -m benchmarks.indicators
	$(BIN)/python -m benchmarks.annual

docs: setup  ## write docs/collections.md, docs/policy.md, the columns of staging models and the lineage of dbt's anew
	$(BIN)/python -m orchestration.intake.documenting docs/collections.md
	$(BIN)/python -m orchestration.policy_documenting docs/policy.md
	$(BIN)/python -m orchestration.indicators.describing
	$(BIN)/python -m orchestration.indicators.cataloguing

lock: setup  ## resolve requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-header --no-strip-extras --no-emit-index-url --no-emit-find-links --constraint constraints.txt -o requirements.lock

audit: setup  ## look the pinned dependencies up in the vulnerability database (needs the network)
	$(BIN)/pip-audit --disable-pip --require-hashes -r requirements.lock

clean:  ## remove the environment and caches; never data
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dbt_project/target dbt_project/logs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
