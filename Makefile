# make demo | make test on a machine with python3.11+ (with its headers), g++ and make. Everything else comes from PyPI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

SOURCES := pyproject.toml CMakeLists.txt LICENSE LICENSES_THIRD_PARTY.txt README.md \
	$(shell find amp_lab native/abi native/cffi native/cmake native/core native/dsp native/engine native/include native/kernel \
	native/meters native/nodes native/plan \( -name __pycache__ -o -path amp_lab/widgets/js \) -prune -o -print)

.PHONY: build develop check demo test test-all bench lint format stubs docs widgets hooks mutants clean
.DELETE_ON_ERROR:

build: $(VENV)/.installed

$(VENV)/.requirements: requirements/dev.txt
	@$(PYTHON) tests/check_machine.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --requirement requirements/dev.txt
	@touch $@

$(VENV)/.installed: $(VENV)/.requirements $(SOURCES)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation .
	@rm -f $(VENV)/.editable
	@touch $@

# Notebooks and scripts import the source tree; a native change is compiled at the next import.
develop: $(VENV)/.editable

$(VENV)/.editable: $(VENV)/.requirements pyproject.toml CMakeLists.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
		-C editable.rebuild=true -C editable.verbose=false --editable .
	@rm -f $(VENV)/.installed
	@touch $@

# Of either installation only the dependencies and the entry points are used.
check: $(if $(wildcard $(VENV)/.editable),$(VENV)/.editable,$(if $(wildcard $(VENV)/.installed),$(VENV)/.requirements,build))
	$(BIN)/python tests/check.py

demo: build
	$(BIN)/amp-lab demo --out out

test: build
	$(BIN)/python tests/run_all.py

test-all: build
	$(BIN)/python tests/run_all.py --long

lint: build
	$(BIN)/python tests/run_all.py format lint types native-format drift

format: $(VENV)/.requirements
	$(BIN)/ruff check --fix --quiet --exit-zero
	$(BIN)/ruff format
	find native -name '*.[ch]pp' | xargs $(BIN)/clang-format -i

stubs: build
	$(BIN)/python -P -m amp_lab.catalog --write-stubs amp_lab/graph/builders.pyi

docs: build
	$(BIN)/python -P docs/figures.py --write
	$(BIN)/sphinx-build -W --keep-going --nitpicky --quiet docs build/site

widgets:
	npm --prefix amp_lab/widgets/js ci --silent
	node amp_lab/widgets/js/build.mjs

# Measures the page docs/perf/engine.md: ten minutes at most, on a machine that does nothing else.
bench: build
	cmake --preset dev
	cmake --build --preset dev --target engine_bench
	$(BIN)/amp-lab bench --report docs/perf

# Puts small faults into golden, analysis and measure, one at a time, and sees whether a test fails. Hours; what
# was tried is kept in build/reports. For example: make mutants MUTANTS="golden/verdict.py -j 2", or "--sample 400".
mutants: build
	$(BIN)/python -P tests/mutants.py $(MUTANTS)

hooks: $(VENV)/.requirements
	cmake --preset hooks
	cmake --build --preset hooks

clean:
	rm -rf build dist out $(VENV)/.installed $(VENV)/.editable
