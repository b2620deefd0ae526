# Everything is installed into .venv; nothing else on the machine is changed.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
BENCH ?= orchestration
# Two processes mostly wait for a stack, so three keep two cores busy.
TEST_PROCESSES ?= 3

.PHONY: install demo test test-optional test-long lint check bench lock wheel

install: .venv/installed

# fast-diff-match-patch, a dependency of eyecite, has no wheel for Python 3.13 and later. If there is no C++ compiler
# either, the compiler of the package ziglang builds it, once, in about two minutes.
.venv/wheels: constraints.txt
	mkdir -p $@
	if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 13))' && ! command -v c++ >/dev/null; then \
	  $(BIN)/python -m pip install --quiet --constraint constraints.txt --target .venv/compiler ziglang && \
	  zig=$$PWD/.venv/compiler/ziglang/zig && \
	  CC="$$zig cc" CXX="$$zig c++" LDSHARED="$$zig c++ -shared" ZIG_GLOBAL_CACHE_DIR=$$PWD/.venv/compiler/cache \
	  $(BIN)/python -m pip wheel --quiet --no-deps --constraint constraints.txt \
	    --build-constraint constraints.txt --wheel-dir $@ fast-diff-match-patch && \
	  rm -r .venv/compiler; \
	fi

# Bytecode is compiled once here, which halves the CPU time to start a worker.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt pip
	$(MAKE) --no-print-directory .venv/wheels
	$(BIN)/python -m pip install --quiet --compile --constraint constraints.txt \
	  --build-constraint constraints.txt --find-links .venv/wheels --editable '.[stack,sample,dev]'
	$(BIN)/python -m compileall -q docpipe_assets
	touch $@

demo: install
	$(BIN)/docpipe demo $(ARGS)

test: install
	$(BIN)/python -m pytest -m "not long" -n $(TEST_PROCESSES) --dist loadfile $(ARGS)

# Tests that require a program that is not a Python package: chromium, tesseract, ...
test-optional: install
	$(BIN)/python -m pytest -m "needs and not long" -n $(TEST_PROCESSES) --dist loadfile $(ARGS)

# Tests that take minutes each: outages of many documents, every fault on a separate stack, large scans;
# and ten times as many examples for each property.
test-long: install
	$(BIN)/python -m pytest -m "long or hypothesis" --hypothesis-profile=thorough -n 2 --dist loadfile $(ARGS)

lint: install
	$(BIN)/ruff format --check docpipe_assets docpipe_assets_tests docpipe_assets_training
	$(BIN)/ruff check docpipe_assets docpipe_assets_tests docpipe_assets_training
	$(BIN)/mypy

check: lint test

# make bench BENCH=memory ARGS="--documents scan600"; docs/performance.md lists all benchmarks.
bench: install
	$(BIN)/python -m docpipe_assets_tests.benchmarks.$(BENCH) $(ARGS)

wheel: install
	$(BIN)/python -m pip wheel --quiet --no-deps --build-constraint constraints.txt --wheel-dir dist .

# The newest compatible releases, for every Python version and system that docpipe supports.
lock: install
	$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --group build \
	  --no-annotate --custom-compile-command "make lock" --output-file constraints.txt pyproject.toml
