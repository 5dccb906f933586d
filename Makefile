# Everything a person does with this repository. `make help` lists it.
# Needs Python 3.11+, git and make; the rest is installed into .venv.

SHELL := /bin/bash
.DEFAULT_GOAL := help
export UV_PYTHON_DOWNLOADS := never
unexport PYTHONDONTWRITEBYTECODE # every process of the server would compile everything anew
PYTHON ?= python3
BIN := .venv/bin
DICOM ?=

.PHONY: help setup demo demo-reset test check format viewer fuzz-deid soak docs trace wheels gateway-build locale clean

help: ## List these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{printf "  %-12s %s\n", $$1, $$2}'

setup: .venv/ready ## Install everything into .venv

.venv/ready: uv.lock pyproject.toml $(wildcard packages/*/pyproject.toml)
	@echo "Setting up (the first time takes a minute)"
	@test -x .tools/bin/uv || { $(PYTHON) -m venv .tools && .tools/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'; }
	@.tools/bin/uv sync --frozen --quiet --python $(PYTHON)
	@touch $@

viewer: setup ## Build the browser side into the server's package
	@$(BIN)/python tools/build_viewer.py

demo: viewer ## Start the whole of it with sample exams; DICOM=folder also sends that folder
	@exec $(BIN)/python -m collegium_testkit.demo $(if $(DICOM),--dicom "$(DICOM)")

demo-reset: viewer ## The same, from an empty state
	@exec $(BIN)/python -m collegium_testkit.demo --reset $(if $(DICOM),--dicom "$(DICOM)")

test: viewer ## Check and test everything
	@$(BIN)/python tools/run_tests.py

check: setup ## Lint, types, import order, traceability
	@$(BIN)/python tools/run_tests.py --only-checks

format: setup ## Lay the code out
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench-%: viewer ## Run the benchmark benchmarks/NAME.py beside its peers
	@$(BIN)/python benchmarks/$*.py

fuzz-deid: setup ## Search for bytes that break the de-identifier until stopped; FUZZ_SECONDS=600 for ten minutes
	@mkdir -p packages/deid/fuzz/found
	@$(BIN)/python packages/deid/fuzz/fuzz_deid.py packages/deid/fuzz/found -artifact_prefix=packages/deid/fuzz/found/ -max_total_time=$(or $(FUZZ_SECONDS),0)

soak: viewer ## Long runs under load and faults
	@$(BIN)/pytest -q -m soak tests packages/connect

trace: setup ## Write the pages made from code: requirements with their tests, states of a task
	@$(BIN)/python tools/trace.py --write && $(BIN)/python tools/draw_states.py

wheels: viewer ## Build every wheel that ships into dist/
	@for name in wire deid connect platform; do .tools/bin/uv build --quiet --wheel --out-dir dist packages/$$name || exit 1; done
	@ls dist

gateway-build: setup ## Put the gateway and its Python into one folder, and into an archive, below dist/gateway
	@$(BIN)/python tools/gateway_build.py

clean: ## Remove what was built, keep the demo's data
	@rm -rf .venv .tools dist viewer/node_modules packages/platform/collegium/web/static/built
