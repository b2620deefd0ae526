# Everything happens in .venv; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
BENCH ?= orchestration
# Two of them spend most of their time waiting for a stack, so four keep two cores busy.
TEST_PROCESSES ?= 4

.PHONY: install demo test test-optional test-long lint check bench lock wheel

install: .venv/installed

# Bytecode is compiled here once: workers start in half the CPU time.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip
	$(BIN)/python -m pip install --quiet --compile --constraint constraints.txt \
	  --build-constraint constraints.txt --editable '.[stack,sample,dev]'
	$(BIN)/python -m compileall -q docpipe_assets
	touch $@

demo: install
	$(BIN)/docpipe demo $(ARGS)

test: install
	$(BIN)/python -m pytest -m "not long" -n $(TEST_PROCESSES) --dist loadfile $(ARGS)

# What needs a program that is no Python package: chromium, tesseract, ...
test-optional: install
	$(BIN)/python -m pytest -m "needs and not long" -n $(TEST_PROCESSES) --dist loadfile $(ARGS)

# What takes minutes each: outages of many documents, every fault on a stack of its own, large scans;
# and ten times as many examples of each property.
test-long: install
	$(BIN)/python -m pytest -m "long or hypothesis" --hypothesis-profile=thorough $(ARGS)

lint: install
	$(BIN)/ruff format --check docpipe_assets docpipe_assets_tests
	$(BIN)/ruff check docpipe_assets docpipe_assets_tests
	$(BIN)/mypy

check: lint test

# make bench BENCH=memory ARGS="--documents scan600"; docs/performance.md lists them all.
bench: install
	$(BIN)/python -m docpipe_assets_tests.benchmarks.$(BENCH) $(ARGS)

wheel: install
	$(BIN)/python -m pip wheel --quiet --no-deps --build-constraint constraints.txt --wheel-dir dist .

# The newest releases that fit together, for every Python version and system that docpipe supports.
lock: install
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --group build \
	  --no-annotate --custom-compile-command "make lock" --output-file constraints.txt pyproject.toml
