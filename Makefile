# The commands of this project; each makes .venv by itself on first use. `make help` lists them.
PYTHON ?= python3
NEWEST ?= python3.13
VENV := .venv
BIN := $(VENV)/bin
export MPLBACKEND := agg

.DEFAULT_GOAL := help
.PHONY: help install demo report gate test test-all lint test-newest tables bench clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 22

define check-version
	@$(1) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "mcmc_bench needs Python 3.11 or newer; $(1) is $$($(1) --version 2>&1). Say which: make PYTHON=python3.12 …"; exit 1; }
endef

$(VENV)/installed: pyproject.toml hatch_build.py
	$(call check-version,$(PYTHON))
	@echo "Making $(VENV): installs the dependencies, one or two minutes, once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	@echo "Installing the tools of the tests, one or two minutes, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@touch $@

install: $(VENV)/installed-test ## make .venv, with all that the tests need

demo: $(VENV)/installed ## what the Gaussian noise does: runs the suite `noise` and writes its report
	@echo "Demo: the suite 'noise', about a minute the first time; what is finished is not run again."
	@$(BIN)/mcmc-bench run noise -o reports/noise
	@echo "Open $(CURDIR)/reports/noise/index.html"

report: $(VENV)/installed ## rebuild the report of the last demo
	@echo "Report of reports/noise, a few seconds."
	@$(BIN)/mcmc-bench report reports/noise
	@echo "Open $(CURDIR)/reports/noise/index.html"

gate: $(VENV)/installed ## are the samplers still right, and as efficient as the baseline says?
	@echo "Gate: the suite 'smoke' against reports/baseline/smoke.json, half a minute."
	@$(BIN)/mcmc-bench gate smoke --baseline reports/baseline/smoke.json -o reports/smoke --html reports/smoke/comparison.html

lint: $(VENV)/installed-test ## ruff and mypy
	@echo "Lint: ruff and mypy, some seconds."
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

# Each of two processes takes a stretch of the tests and then what is left of the other's: neighbours compile the same.
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal

test: lint ## lint and the tests, five minutes on two cores
	@echo "Tests: five minutes on two cores."
	@$(PYTEST) -m "not long"

test-all: test ## the same, and the tests that take minutes
	@echo "Long tests: some minutes more."
	@$(PYTEST) -m long

# Where another Python or another ArviZ could show: compilation, what calls ArviZ, the commands and what they store.
NEWEST_TESTS := tests/kernels/test_jit.py tests/metrics/test_accuracy.py tests/metrics/test_cell.py \
  tests/metrics/test_convergence.py tests/report/test_page.py tests/cli/test_cli.py tests/core/test_results.py tests/sampling/test_replicate.py tests/metrics/test_external_chains.py tests/samplers/test_properties.py::test_state_is_consistent

test-newest: ## the tests that a newer Python (NEWEST=python3.13) could fail, where ArviZ is 1.x
	$(call check-version,$(NEWEST))
	@echo "Tests on $$($(NEWEST) --version): two minutes the first time."
	@[ -x .venv-newest/bin/pytest ] || $(NEWEST) -m venv .venv-newest
	@.venv-newest/bin/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	@.venv-newest/bin/python -m pytest -n 2 -m "not slow and not long" $(NEWEST_TESTS)

tables: $(VENV)/installed ## write the tables of README.md and docs/ from the declarations
	@$(BIN)/python docs/tables.py

bench: $(VENV)/installed-test ## speed against the same algorithms in C, and thread scaling
	@echo "Speed: some minutes; leave the machine alone meanwhile."
	@$(BIN)/python -m pytest benchmarks/speed

clean: ## remove the environments, the caches and fresh reports (published ones stay)
	rm -rf .venv .venv-newest build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks reports/noise reports/images reports/smoke
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
