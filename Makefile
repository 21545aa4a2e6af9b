# Everything a developer runs. `make help` prints the targets from their comments.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
PEOPLE ?= 300
# What is compiled once need not be again, by each process of each test.
unexport PYTHONDONTWRITEBYTECODE
# Demo people, sandbox partners and tokens: for these targets, and for no test.
run demo: export GREENWAY_DEMO ?= 1

.DEFAULT_GOAL := help

help:  ## print the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(VENV)/run.stamp  ## the environment to run the hub
	@true

$(VENV)/run.stamp: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

run: install web  ## the hub on http://127.0.0.1:8000 with menu, demo people and sandbox partners
	@exec $(BIN)/greenway serve

demo: install  ## the demo data anew: make demo PEOPLE=273600
	$(BIN)/greenway demo --people $(PEOPLE)

web: web/dist/index.html  ## the in-browser editor, when Node is there

web/dist/index.html: docs/querying.graphql web/package-lock.json web/build.js $(wildcard web/src/*)
	@if command -v npm >/dev/null; then \
		cd web && npm ci --silent --no-fund --no-audit && npm run --silent build && touch dist/index.html; \
	else echo "Node is not there: /graphql will say how to build the editor."; fi

test: $(VENV)/dev.stamp  ## the tests, on SQLite and on PostgreSQL
	$(BIN)/pytest -q -n 2 --dist loadfile

quick: $(VENV)/dev.stamp  ## the tests of the inner loop: SQLite, few examples, nothing of others, no whole hub
	$(BIN)/pytest -q -n 2 --dist worksteal --database sqlite --examples 5 --without-hub \
		$(addprefix --ignore tests/,$(WHOLE))

# Left to `make test`: processes, browsers, waiting, software of others, a whole district or menu.
WHOLE := benchmarks conformance journeys kit servers test_server.py web \
	connectors/test_board.py connectors/test_command.py connectors/test_http.py \
	connectors/test_wiremock.py eligibility/test_compilers.py eligibility/test_turning.py \
	endpoints/test_protocol.py endpoints/test_token.py menu/test_examples.py \
	menu/test_menu_folder.py resolvers/test_audit.py resolvers/test_publication.py

conformance: $(VENV)/dev.stamp  ## the suites of others, the long ones too: half an hour
	$(BIN)/pytest -v -m "" --database sqlite --durations=0 tests/conformance \
		tests/journeys/test_drill.py tests/journeys/test_shutdown.py

fmt: $(VENV)/dev.stamp  ## format
	$(BIN)/ruff format . && $(BIN)/ruff check --fix -q .

lint: $(VENV)/dev.stamp  ## format check and lint
	$(BIN)/ruff format --check -q . && $(BIN)/ruff check -q .

imports: $(VENV)/dev.stamp  ## the import contracts
	$(BIN)/lint-imports

types: $(VENV)/dev.stamp  ## mypy, strict
	$(BIN)/mypy

spell: $(VENV)/dev.stamp  ## codespell
	$(BIN)/codespell

manifests: install  ## the partner files and the menu
	$(BIN)/greenway connectors check --strict && $(BIN)/greenway menu check

sdl: install  ## rewrite schema/schema.graphql
	$(BIN)/greenway schema --write

picture: $(VENV)/dev.stamp  ## redraw docs/imports.svg from the imports
	$(BIN)/python docs/picture.py

check: lint imports types spell manifests test  ## all that judges

lock: $(VENV)/dev.stamp  ## pin the newest versions that pyproject.toml admits
	$(BIN)/pip-compile $(LOCK) -o requirements.lock pyproject.toml
	$(BIN)/pip-compile $(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml
	cd tests/conformance && ../../$(BIN)/pip-compile $(LOCK) -o requirements.lock requirements.in

LOCK := --quiet --upgrade --strip-extras --generate-hashes --allow-unsafe --no-emit-index-url \
	--no-emit-trusted-host --no-emit-find-links --no-header

bench: $(VENV)/dev.stamp  ## the benchmarks: beside a plain Strawberry, beside peers, and how time grows
	$(BIN)/python -m benchmarks
	$(MAKE) peers
	$(BIN)/python -m benchmarks growth
	$(BIN)/python -m benchmarks small
	$(BIN)/python -m benchmarks memory

peers: $(VENV)/dev.stamp  ## the hub beside what a team would pick instead; needs wrk and Node
	benchmarks/peers/setup.sh
	$(BIN)/python -m benchmarks peers

.PHONY: help install run demo web test quick conformance fmt lint imports types spell manifests sdl picture check lock bench peers
