# Every command of the project. `make` alone lists them. Needs Python 3.11 or newer; a broker comes from
# BILLTIDE_KAFKA_BOOTSTRAP, a Docker engine, or Java 17 and Maven, whichever is found first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
LAYERS := app agents tables codecs
# Two runs in one checkout take turns where flock exists; pip does not lock the environment itself.
TURN := $(shell command -v flock >/dev/null 2>&1 && echo flock .venv.lock)

.DEFAULT_GOAL := help
.PHONY: help setup lock peers demo up down test test-long simulate faults fuzz lint types schema bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## Create .venv with the locked packages and billtide itself

$(VENV)/.python: Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"billtide needs Python 3.11 or newer, this is {sys.version.split()[0]}; run make PYTHON=python3.12 setup")'
	@test -x $(BIN)/python || $(TURN) $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.locked: requirements.lock | $(VENV)/.python
	$(TURN) $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# No build isolation: setuptools is in the lock, so this step needs no network.
$(VENV)/.installed: pyproject.toml $(VENV)/.locked
	$(TURN) $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

lock: ## Resolve requirements.lock again from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock
	uv pip compile --group peers --universal --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --quiet --output-file requirements-peers.lock

peers: $(PEERS)/.locked ## Set up Quix Streams beside billtide, for bench/faults.py --engine quix

$(PEERS)/.locked: requirements-peers.lock
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-peers.lock
	@touch $@

demo: setup ## Bill a sample week on a broker of its own and show the result
	$(BIN)/billtide demo

up: setup ## Do what demo does and stay: broker, topics and workers keep running
	$(BIN)/billtide up

down: setup ## Stop what `make up` started
	$(BIN)/billtide down

test: setup ## Run the tests (a broker is started for them)
	$(BIN)/python -m pytest

test-long: setup ## Run the long tests too, and 5,000 histories for each law of money (an hour)
	BILLTIDE_TEST_EXAMPLES=5000 $(BIN)/python -m pytest -m "long or not long" -o timeout=3600

simulate: setup ## Play 2,000 seeded histories with crashes on a log in memory and check the money
	$(BIN)/python bench/simulate.py

faults: setup ## Kill, stop and starve real workers and a real broker, and check the money after each
	$(BIN)/python bench/faults.py --suite smoke

fuzz: setup ## Give everything that reads from outside 100,000 inputs nobody should send
	$(BIN)/python bench/fuzz.py

lint: setup ## Check style, format and which layer imports which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup ## Check types; .typing shows the folders to mypy under their import names
	@mkdir -p .typing/billtide
	@for layer in $(LAYERS); do ln -sfn ../../$$layer .typing/billtide/$$layer; done
	$(BIN)/mypy

schema: setup ## Write the schemas of every event
	$(BIN)/billtide schema

bench: setup ## Measure the worker beside Faust as shipped and the floor of the clients
	$(BIN)/python bench/throughput.py

clean: ## Remove .venv and everything built or cached
	rm -rf $(VENV) $(PEERS) .venv.lock .typing build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(LAYERS) tests bench -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true
