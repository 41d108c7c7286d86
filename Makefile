# What to type. Everything a target needs it sets up first; running it twice does no harm.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup setup-run setup-test debian-test run test test-unit lint bench voices lock clean

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup-run ## set up, start everything on embedded defaults, say what to try next
	@exec $(BIN)/python app.py serve

test: setup-test debian-test ## set up what the tests need and pass them all
	$(BIN)/pytest

test-unit: setup-test ## only the ring without I/O, in seconds
	$(BIN)/pytest tests/unit

lint: setup-test ## style, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@for flow in callflows/*.yaml; do $(BIN)/python app.py flow check $$flow || exit 1; done
	$(BIN)/python app.py prompts check

bench: setup-test debian-test ## measure; prints tables, writes bench/results/
	$(BIN)/python -m bench

voices: ## render what changed with the neural voice, and listen again (its packages in .venv-voices)
	@deploy/setup/venv $(PYTHON) .venv-voices requirements-voices.txt
	.venv-voices/bin/python app.py prompts render
	.venv-voices/bin/python app.py prompts check --listen

setup: setup-run setup-test ## make .venv with the run and test packages
setup-run:
	@deploy/setup/venv $(PYTHON) .venv requirements.txt
setup-test: setup-run
	@deploy/setup/venv $(PYTHON) .venv requirements-test.txt
debian-test:
	@deploy/setup/debian sipp:sip-tester baresip:baresip-core pg_ctl:postgresql ffmpeg:ffmpeg espeak-ng:espeak-ng

lock: setup-test ## compile the hashed lock files from pyproject.toml
	deploy/setup/lock

clean: ## remove what setup and tests made; never the data in var/
	rm -rf .venv .venv-voices build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
