# Every target sets up what it needs in .venv; nothing outside this folder is touched.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# One thread a process: the tests run side by side, and on a busy machine small matrices lose by sharing.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test parity lint format bench native fuzz wheel sanitize clean

help: ## Show what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 16

$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "edge-rec needs Python 3.11 or newer; set PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "this Python has no venv module; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

$(VENV)/host.stamp: $(VENV)/python.stamp pyproject.toml setup.py constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[host]'
	@touch $@

# Where nothing compiles this leaves the package without kernels, and numpy searches.
$(VENV)/native.stamp: $(VENV)/dev.stamp $(wildcard runtime/edge_rec_runtime/_native/*.[ch])
	$(BIN)/python setup.py --quiet build_ext --inplace --build-temp build/native
	@touch $@

$(VENV)/dev.stamp: $(VENV)/host.stamp
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[host,dev]'
	@touch $@

demo: $(VENV)/host.stamp ## The whole job on MovieLens-100K: data, training, six bundles, benchmark, report, recommendations
	$(BIN)/edge-rec demo --output demo

native: $(VENV)/native.stamp ## Build the search kernels for this machine

test: $(VENV)/native.stamp ## Run the tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup

parity: $(VENV)/native.stamp ## Hold every model, target, precision, batch and input against PyTorch; trained runs and other packages too
	EDGE_REC_PARITY=1 $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup tests/parity tests/strangers

fuzz: $(VENV)/dev.stamp ## Use the search kernels at random, right and wrong, with sanitizers built in; SECONDS=300
	$(BIN)/python tests/fuzz $(or $(SECONDS),300)

sanitize: $(VENV)/dev.stamp ## Run the kernels' own tests with the sanitizers of addresses and undefined behaviour built in
	$(BIN)/python tests/fuzz/native_tests.py

lint: $(VENV)/dev.stamp ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.stamp ## Rewrite the code in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/host.stamp ## Measure the quality table on MovieLens-100K and MovieLens-1M (hours; resumes where it stopped)
	$(BIN)/python benchmarks/quality.py --json benchmarks/results/quality.json

# A compiler of its own, which builds for other processors and for older C libraries than this machine's.
$(VENV)/cross.stamp: $(VENV)/dev.stamp
	$(BIN)/python -m pip install --quiet --constraint constraints.txt ziglang
	@touch $@

wheel: $(VENV)/cross.stamp ## Build wheels into dist/, for x86-64 and for 64-bit Arm, each for every Python from 3.11 on
	$(MAKE) --no-print-directory wheel-x86_64 wheel-aarch64

wheel-%: $(VENV)/cross.stamp
	CC="$(CURDIR)/$(BIN)/python -m ziglang cc -target $*-linux-gnu.2.17" LDSHARED="$(CURDIR)/$(BIN)/python -m ziglang cc -target $*-linux-gnu.2.17 -shared" \
	  CFLAGS=-fno-sanitize=undefined _PYTHON_HOST_PLATFORM=linux-$* EDGE_REC_REQUIRE_KERNELS=1 \
	  $(BIN)/python setup.py --quiet bdist_wheel --plat-name manylinux_2_17_$* --dist-dir dist

clean: ## Remove what was built; .venv, datasets and demo stay
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
