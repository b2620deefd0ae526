# Everything happens in .venv; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
BENCH ?= orchestration
# Two of them spend most of their time waiting for a stack, so three keep two cores busy.
TEST_PROCESSES ?= 3

.PHONY: install demo test test-optional test-long lint check bench lock wheel

install: .venv/installed

# fast-diff-match-patch, which eyecite needs, has no wheel for Python 3.13 and later. Where there is no C++ compiler
# either, the one of the package ziglang makes it; that takes some two minutes, once.
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

# Bytecode is compiled here once: workers start in half the CPU time.
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

# What needs a program that is no Python package: chromium, tesseract, ...
test-optional: install
	$(BIN)/python -m pytest -m "needs and not long" -n $(TEST_PROCESSES) --dist loadfile $(ARGS)

# What takes minutes each: outages of many documents, every fault on a stack of its own, large scans;
# and ten times as many examples of each property.
test-long: install
	$(BIN)/python -m pytest -m "long or hypothesis" --hypothesis-profile=thorough -n 2 --dist loadfile $(ARGS)

lint: install
	$(BIN)/ruff format --check docpipe_assets docpipe_assets_tests docpipe_assets_training
	$(BIN)/ruff check docpipe_assets docpipe_assets_tests docpipe_assets_training
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
