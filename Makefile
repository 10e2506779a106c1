# Every target does its own set-up: the first run fetches or builds what is missing, later ones find it.
PYTHON ?= python3
VENV := .venv/bin
BARE := PYTHONPATH=packages/aws-rehearsal/src $(PYTHON)
SETUP := $(BARE) -m aws_rehearsal.setup --project .
# Byte code matters: without it every process of a rehearsal compiles its imports again (1.5 s for pulumi_aws alone).
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help python setup tools environment rehearse rehearse-ci test all-tests test-fast lint style types format lock wheels bench conformance languages clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1|/' | column -t -s '|' 2>/dev/null \
	  || grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST)

python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; this is " \
	  + sys.version.split()[0] + ": make PYTHON=python3.12 ...")'

setup: python  ## engine, local AWS, Node, Python packages and what tests need, as far as they are missing
	@$(SETUP) --tests

tools: python
	@$(SETUP)

environment: python
	@$(SETUP) --environment

rehearse: tools  ## the story of the pipeline on this machine, or EXPORTS="DIR ..." delivered; more options in ARGS
	@$(VENV)/python -m amplify_delivery rehearse $(EXPORTS) $(ARGS)

rehearse-ci: setup  ## a CI's whole delivery on this machine, GitHub's and GitLab's, to a page that shows Prod's data
	@AMPLIFY_DELIVERY_REHEARSE_CI=1 $(VENV)/python -m pytest -n 2 \
	  packages/amplify-delivery-rehearsal/tests/amplify_delivery_rehearsal_tests/test_ci_delivery.py $(ARGS)

# mypy has one thread: beside the tests it costs the second core nothing that waits for it.
test: setup style  ## lint, types and all tests; pytest's options in ARGS
	@$(MAKE) --no-print-directory -j 2 types all-tests

all-tests: setup
	@env -u MAKEFLAGS -u MFLAGS $(VENV)/python -m pytest -n 4 --dist loadgroup $(ARGS)

test-fast: environment  ## the tests that start no process: 59 s on two cores
	@$(VENV)/python -m pytest -n 2 --dist loadfile -m "not processes" $(ARGS)

lint: style types  ## ruff and mypy

style: environment
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .

types: environment
	@$(VENV)/mypy

format: environment  ## format the code and fix what ruff can
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .

lock: python  ## pin the newest versions that the requirements allow, with hashes; needs the network
	@$(BARE) -m aws_rehearsal.setup.lock

wheels: environment  ## the three distributions in dist/, byte for byte the same wherever they are built
	@rm -rf build/wheels && $(VENV)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-index \
	  --no-build-isolation --wheel-dir build/wheels $(patsubst %/pyproject.toml,./%,$(wildcard packages/*/pyproject.toml))
	@$(VENV)/python -m amplify_delivery.delivery.scaffold.wheels dist build/wheels/*.whl

bench: tools  ## measure, and print the table
	@$(VENV)/python -m benchmarks $(ARGS)

conformance: tools  ## the real provider beside the stand-in: PLUGIN=.../pulumi-resource-aws; more options in ARGS
	@$(VENV)/python -m amplify_delivery_rehearsal.conformance "$(PLUGIN)" $(ARGS)

languages: setup  ## the components from programs in TypeScript and Go, with Pulumi's own language hosts
	@AMPLIFY_DELIVERY_LANGUAGES=1 $(VENV)/python -m pytest -k 'typescript or packaged_go' packages/amplify-delivery/tests/functional/stacks $(ARGS)

clean:  ## remove the environment and caches of this work tree; what is kept per machine stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
