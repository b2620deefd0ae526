# Everything happens in .venv; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: install demo test check bench

install: .venv/installed

# Bytecode is compiled here once: workers start in half the CPU time.
.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --compile --editable '.[stack,sample,dev]'
	$(BIN)/python -m compileall -q docpipe_assets
	touch $@

demo: install
	$(BIN)/docpipe demo $(ARGS)

test: install
	$(BIN)/python -m pytest $(ARGS)

check: install
	$(BIN)/ruff format --check docpipe_assets docpipe_assets_tests
	$(BIN)/ruff check docpipe_assets docpipe_assets_tests
	$(BIN)/mypy
	$(BIN)/python -m pytest $(ARGS)

bench: install
	$(BIN)/python -m docpipe_assets_tests.benchmarks.orchestration $(ARGS)
