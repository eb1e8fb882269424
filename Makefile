# Everything starts from here; `make help` lists the targets.

PYTHON ?= python3
CORES ?= all
CONFIG ?=
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTABLE := $(VENV)/.testable
DOCUMENTED := $(VENV)/docs/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SNAKEMAKE := $(BIN)/snakemake --cores $(CORES) $(if $(CONFIG),--configfile $(CONFIG))

.DEFAULT_GOAL := study
.PHONY: study verify setup test test-slow test-slurm test-wheel test-callbacks docs bench bench-gpu lint format schema lock clean help

study: $(READY) ## set up if needed, and run the study (CONFIG=config/other.yaml for another)
	@$(if $(CONFIG),test -f '$(CONFIG)' || { echo "CONFIG = $(CONFIG): no such file" >&2; exit 1; },:)
	@$(if $(CONFIG),:,test -f results/mnist5k/report.html || echo 'The default study takes five to eight minutes on two cores; its first picture, half of that')
	@$(SNAKEMAKE) $(ARGS)

verify: $(READY) ## check every stored result against its checksums
	$(SNAKEMAKE) $(ARGS) -- verify

setup: $(READY) ## create .venv with the pinned requirements and the package

# The mark is written last, so that an interrupted set-up starts again.
$(READY): envs/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hyperribbon needs Python 3.11 or newer; this is %s. Say make PYTHON=python3.12, for one." % sys.version.split()[0])'
	@echo 'Installing the pinned requirements into $(VENV), once: a minute or two'
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --requirement envs/requirements.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

# What only tests need; a study does not wait for it.
$(TESTABLE): $(READY) envs/test_oracles.txt
	@$(PIP) --no-deps --requirement envs/test_oracles.txt
	@touch $@

# Else each of some hundred processes of the tests would compile the library anew.
test test-slow: export PYTHONDONTWRITEBYTECODE :=

test: $(TESTABLE) ## run the tests, with one file per core at a time
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(ARGS)

test-slow: $(TESTABLE) ## run the other tests: small studies of every part, more kills, more variants
	$(BIN)/python -m pytest -m slow --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(ARGS)

test-slurm: $(TESTABLE) ## run the workflow on a private Slurm (needs root; Debian: slurm-wlm, munge)
	$(BIN)/python -m pytest tests/cluster $(ARGS)

test-wheel: $(READY) ## build the wheel and the sdist, and try the wheel in an empty environment (a minute)
	$(BIN)/python tests/packaging/try_wheel.py

# An environment of their own, which sees the packages of the other: together they take 1 GB.
test-callbacks: $(TESTABLE) ## test recordings from Lightning, transformers, Keras, XGBoost and JAX, which it installs (a minute, 1 GB)
	@$(BIN)/python -m venv $(VENV)/callbacks
	@$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' > $$(echo $(VENV)/callbacks/lib/python3*/site-packages)/other.pth
	@grep -v xgboost envs/test_callbacks.txt > $(VENV)/callbacks/requirements.txt
	@$(VENV)/callbacks/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(VENV)/callbacks/requirements.txt
	@$(VENV)/callbacks/bin/python -m pip install --quiet --disable-pip-version-check --no-deps $$(grep xgboost envs/test_callbacks.txt) # without NCCL
	$(VENV)/callbacks/bin/python -m pytest tests/callbacks tests/recording/test_own_networks.py $(ARGS)

# Another environment of its own, so that what pages are made with decides nothing in a study. The
# first line of its .pth makes it see the other's packages, and the library that is installed there.
$(DOCUMENTED): $(READY) envs/docs.txt
	@$(BIN)/python -m venv $(VENV)/docs
	@$(BIN)/python -c 'import sysconfig; print("import site; site.addsitedir(%r)" % sysconfig.get_path("purelib"))' > $$(echo $(VENV)/docs/lib/python3*/site-packages)/other.pth
	@$(VENV)/docs/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement envs/docs.txt
	@touch $@

docs: $(DOCUMENTED) ## build the documentation with its notebooks in build/docs; a warning is an error (two minutes)
	@rm -rf build/docs
	$(VENV)/docs/bin/python -m sphinx --quiet --fail-on-warning --keep-going --fresh-env --jobs 2 -d build/doctrees docs build/docs
	@echo 'build/docs/index.html is the first page'

bench: $(READY) ## measure speed and memory of the geometry core, training, planning, curvature, linear models, representations, imprinting, certificates, studies of recordings, watching and large vocabularies on the CPU (30 min)
	$(BIN)/python tests/bench/bench_cpu.py
	$(BIN)/python tests/bench/bench_training.py
	$(BIN)/python tests/bench/bench_plan.py
	$(BIN)/python tests/bench/bench_curvature.py
	$(BIN)/python tests/bench/bench_linear.py
	$(BIN)/python tests/bench/bench_representations.py
	$(BIN)/python tests/bench/bench_inversion.py
	$(BIN)/python tests/bench/bench_methods.py
	$(BIN)/python tests/bench/bench_imprinting.py
	$(BIN)/python tests/bench/bench_certificates.py
	$(BIN)/python tests/bench/bench_study.py
	$(BIN)/python tests/bench/bench_watch.py
	$(BIN)/python tests/bench/bench_explorer.py
	$(BIN)/python tests/bench/bench_bases.py
	$(BIN)/python tests/bench/bench_sample_basis.py
	$(BIN)/python tests/bench/bench_sequence.py

bench-gpu: $(READY) ## measure the distance engine and training on a GPU
	$(BIN)/python tests/bench/bench_gpu.py
	$(BIN)/python tests/bench/bench_training.py --device cuda

lint: $(READY) ## check style and types: ruff, mypy, snakefmt, snakemake --lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: $(READY) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

schema: $(READY) ## regenerate the JSON schema, config/README.md and results/README.md
	$(BIN)/python -m hyperribbon.studies.schema

lock: ## pin the newest requirements that pyproject.toml allows
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install torch==2.13.0 hatchling --editable '.[workflow,cluster,dev]'
	( sed -n '/^#/p' envs/requirements.txt; \
	  $(BIN)/python -m pip freeze --all --exclude-editable --exclude pip | sed 's/+cpu//' ) > envs/requirements.new
	mv envs/requirements.new envs/requirements.txt

clean: ## remove .venv (results stay)
	rm -rf $(VENV)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
