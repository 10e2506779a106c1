# Every target makes its own set-up; a second run finds it done. Python 3.11+, git and make are all that must be there.

PYTHON ?= python3
VENV := .venv/bin
# Without byte code every process compiles the SDKs anew: 1.5 s each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup environment rehearse test lint format lock bench clean

help:
	@echo "make rehearse            deliver the example app, and its re-exports, to a local AWS"
	@echo "make rehearse EXPORTS=\"path ...\"   the same with your own exports"
	@echo "make test                everything the project tests"
	@echo "make lint | format       ruff and mypy"
	@echo "make bench               the measurements of docs/benchmarks.md"
	@echo "make setup               only what the others need: engine, local AWS, Node, Python environments"
	@echo "make lock                pin the newest versions that requirements*.txt allow"

setup:
	@$(PYTHON) -m rehearsal.setup all

environment:
	@$(PYTHON) -m rehearsal.setup environment

rehearse: setup
	@$(VENV)/python -m delivery rehearse $(EXPORTS) $(ARGS)

test: setup lint
	@$(VENV)/python -m pytest -n 2 --dist loadgroup $(ARGS)

lint: environment
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy

format: environment
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .

bench: setup
	@$(VENV)/python -m benchmarks $(ARGS)

UV_LOCK := uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate --python-version 3.11
lock:
	$(UV_LOCK) requirements-dev.txt -o requirements.lock
	$(UV_LOCK) rehearsal/local_aws/requirements.in -o rehearsal/local_aws/requirements.lock

clean:
	rm -rf .venv build .pytest_cache .mypy_cache .ruff_cache .hypothesis
