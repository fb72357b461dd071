# Two commands do all the set-up on a fresh machine: make demo, make test.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup parts cluster-parts browser-parts demo demo-topics demo-cluster test lint bench speed accuracy fuzz lock clean

help:  ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: .venv/.ready  ## .venv with diag, the pipeline and the tests' needs

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "diag needs Python 3.11 or newer: make PYTHON=python3.11 setup")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	touch $@

parts: setup  ## what needs more than Python: Java, Maven, flite, the Kafka jars
	$(BIN)/python -m pipeline parts --install

cluster-parts: setup  ## and what a cluster needs: the control plane, built by Go
	$(BIN)/python -m pipeline parts --install --cluster

browser-parts: setup  ## and what the tests of the page need: Chromium
	$(BIN)/python -m pipeline parts --install --browser

demo: parts  ## two real sessions, one sick, explained by diag
	$(BIN)/python -m pipeline demo

demo-topics: parts  ## audio-in is removed, diag topics repairs it
	$(BIN)/python -m pipeline demo topics

demo-cluster: cluster-parts  ## the services as pods; a bad rollout, seen by kubectl and diag cluster
	$(BIN)/python -m pipeline demo cluster

test: cluster-parts browser-parts lint  ## every test
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: setup  ## ruff, mypy --strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup  ## start-up and throughput, as ratios measured in one run
	$(BIN)/python -m tests.bench

speed: setup  ## every promise of speed and memory, half an hour: docs/speed.md
	$(BIN)/python -m tests.bench.speed

accuracy: setup  ## links, hops and durations against a world whose truth is known: docs/accuracy.md
	$(BIN)/python -m tests.accuracy

CASES ?= 1000000
SEED ?= 1
fuzz: setup  ## random filters, files and records against what is promised of them: CASES, SEED; results into docs
	$(BIN)/python -m tests.fuzz --cases $(CASES) --seed $(SEED) --page docs/lql.md
	$(BIN)/python -m tests.fuzz --about records --cases $(CASES) --seed $(SEED) --page docs/robustness.md
	$(BIN)/python -m tests.fuzz --about files --cases $(CASES) --seed $(SEED) --page docs/robustness.md

lock:  ## requirements.lock anew: versions and hashes, no address
	$(PYTHON) -m venv .venv/lock && .venv/lock/bin/pip install --quiet pip-tools
	CUSTOM_COMPILE_COMMAND='make lock' .venv/lock/bin/pip-compile --quiet --upgrade --strip-extras --generate-hashes \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	  --extra pipeline --extra test --output-file requirements.lock pyproject.toml
	rm -rf .venv/lock

clean:  ## what was made here (the caches in ~/.cache stay)
	rm -rf .venv .stack dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
