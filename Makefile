# Everything happens in .venv; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
BENCH ?= orchestration

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

# First what needs no stack, two files at a time; then the stack, which has all cores to itself.
test: install
	$(BIN)/python -m pytest -m "not pipeline" -n 2 --dist loadfile $(ARGS)
	$(BIN)/python -m pytest -m pipeline $(ARGS)

check: install
	$(BIN)/ruff format --check docpipe_assets docpipe_assets_tests
	$(BIN)/ruff check docpipe_assets docpipe_assets_tests
	$(BIN)/mypy
	$(MAKE) test

# make bench BENCH=memory ARGS="--documents scan600"; docs/performance.md lists them all.
bench: install
	$(BIN)/python -m docpipe_assets_tests.benchmarks.$(BENCH) $(ARGS)
