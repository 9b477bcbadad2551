# `make help` lists what there is.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ENGINE := scripts/engine.sh
BROWSER := scripts/browser.sh

.DEFAULT_GOAL := help
.PHONY: help setup demo up down test check bench engine clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make the virtual environment and install everything, pinned

$(READY): requirements.txt pyproject.toml
	@scripts/venv.sh "$(PYTHON)" "$(VENV)"
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(READY)

demo: setup ## cause a real memory leak and watch it being healed (DEMO_ONCE=1: once, then stop everything)
	@$(BIN)/aegis demo

up: ## start core, dashboard and the buggy app with docker compose
	docker compose up --build --detach --wait

down: ## stop what `make up` started
	docker compose down

engine: ## provide a Docker engine for the tests where none answers (Debian, root)
	@$(ENGINE)

check: setup ## formatting, lint, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check ## everything: checks, then all tests, with a real engine and a real browser where they can be had
	@scripts/test.sh "$(BIN)"

bench: setup ## measure speed, as ratios within one run, and how good the brain is on recorded cases
	$(BIN)/python -m tests.bench

clean: ## remove the virtual environment and all caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
