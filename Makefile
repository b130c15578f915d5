# What a contributor runs. `make help` lists the targets; each makes what it needs first.

PYTHON ?= python3
DB ?= $(DATABASE_URL)
PORT ?= 4000
# Two processes suit small machines; `make test JOBS=8 ARGS="-k embed"` for others.
JOBS ?= 2
ARGS ?=

# What `make bench` measures: runs of each workload on each server, their seconds, and which (all, if none is named).
ROUNDS ?= 3
SECONDS ?= 2
WORKLOADS ?=
TARGETS ?= fastify,wherry

VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
# In a folder of its own: the policies.sql beside a database is that database's.
DEMO := database/demo/films.db
CLIENTS := server/tests/clients
PEERS := bench/peers
NPM := $(shell command -v npm 2>/dev/null)

# Studio, the client: built in client/out, and put where the server finds it.
CLIENT := client
STUDIO := server/wherry/studio/export
STUDIO_SOURCES := $(shell find $(CLIENT)/app $(CLIENT)/api $(CLIENT)/components $(CLIENT)/features $(CLIENT)/scripts -type f \
	! -name '*.test.*') $(addprefix $(CLIENT)/,next.config.ts package.json package-lock.json tsconfig.json)
CHROMIUM ?= $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser))
# The tests of the containers, and the docker that builds: Debian's, if the first one in the path lacks its buildx plugin.
STACK := tests/stack
DOCKER ?= $(shell docker buildx version >/dev/null 2>&1 && echo docker || echo /usr/bin/docker)
export NEXT_TELEMETRY_DISABLED := 1
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup studio run demo test stack images package system-deps coverage bench check format lint types layers lock clean client-check client-test client-browser

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: $(VENV)/.installed $(if $(NPM),$(CLIENTS)/node_modules/.installed) ## make .venv and everything that the tests need, from the locks

$(VENV)/.installed: server/requirements-dev.txt server/pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Wherry needs Python 3.11 or later; say which with make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r server/requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable server
	@touch $@

$(CLIENTS)/node_modules/.installed: $(CLIENTS)/package-lock.json
	cd $(CLIENTS) && npm ci --no-audit --no-fund
	@touch $@

studio: $(STUDIO)/index.html ## build Studio, the web client, and put it where the server finds it

$(STUDIO)/index.html: $(CLIENT)/node_modules/.installed $(STUDIO_SOURCES)
	cd $(CLIENT) && npm run --silent build
	@rm -rf $(STUDIO) && mkdir -p $(dir $(STUDIO)) && cp -R $(CLIENT)/out $(STUDIO)
	@touch $@

$(CLIENT)/node_modules/.installed: $(CLIENT)/package-lock.json
	cd $(CLIENT) && npm ci --no-audit --no-fund
	@touch $@

run: $(VENV)/.installed $(if $(DB),,$(DEMO)) $(if $(NPM),studio) ## serve DB=path/to/any.db, or else the demonstration, on PORT=4000
	$(if $(NPM),,@echo "Node.js is not installed: Studio, the web client, is left out." >&2)
	@$(BIN)/wherry serve "$(or $(DB),$(DEMO))" --port $(PORT)

demo: $(DEMO) ## make the demonstration's database

$(DEMO): | $(VENV)/.installed
	@mkdir -p $(dir $@)
	@$(BIN)/python -m wherry.demo $@

test: setup ## run every test that this machine allows, and name the others
ifeq ($(NPM),)
	@echo "Node.js is not installed: the tests with the JavaScript clients are skipped." >&2
endif
	cd server && $(BIN)/pytest -n $(JOBS) -rs $(ARGS)
	$(if $(ARGS),,$(MAKE) client-test client-browser stack)

ifeq ($(NPM),)
client-check client-test client-browser:
	@echo "SKIPPED $@: Node.js is not installed. Install Node.js 20.19 or later with npm, and Studio is tested as well." >&2
else
client-check: $(CLIENT)/node_modules/.installed ## check Studio's format, lint, types and layers
	cd $(CLIENT) && npm run --silent check

client-test: $(CLIENT)/node_modules/.installed ## test Studio's parts
	cd $(CLIENT) && npm run --silent test

# CHROMIUM=/path/to/chromium names another one; ARGS="find-a-table" runs a part.
ifeq ($(CHROMIUM),)
client-browser:
	@echo "SKIPPED $@: no Chromium is installed. On Debian, apt-get install chromium, and Studio is used in it as well." >&2
else
client-browser: setup studio ## use Studio in a real browser, on a real server
	cd $(CLIENT) && CHROMIUM=$(CHROMIUM) JOBS=$(JOBS) npm run --silent e2e -- $(ARGS)
endif
endif

# ARGS="-k rolling" runs a part.
stack: $(VENV)/.stack ## try the containers, where a Docker engine answers
	$(BIN)/python -m pytest -c $(STACK)/pytest.ini $(STACK) -rs $(ARGS)

$(VENV)/.stack: $(STACK)/requirements.txt $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(STACK)/requirements.txt
	@touch $@

system-deps: ## install the Docker engine, Chromium and mmdebstrap, on Debian
	@.ci/system-deps

package: setup studio ## build the wheel and the sdist, with Studio inside, in dist/
	rm -rf dist && cd server && $(BIN)/python -m hatchling build --directory ../dist

images: ## build wherry-server:dev and wherry-web:dev
	DOCKER_BUILDKIT=1 $(DOCKER) build --tag wherry-server:dev server
	DOCKER_BUILDKIT=1 $(DOCKER) build --tag wherry-web:dev client

coverage: setup ## run every test and report the branches that none of them took
	cd server && $(BIN)/pytest -n $(JOBS) -rs --cov --cov-report=term $(ARGS)

bench: $(VENV)/.installed $(PEERS)/node_modules/.installed ## measure against a peer; WORKLOADS=point,list20 ROUNDS=3 SECONDS=2
	@$(BIN)/python -m bench.run --rounds $(ROUNDS) --seconds $(SECONDS) --targets $(TARGETS) \
		$(if $(WORKLOADS),--workloads $(WORKLOADS))

$(PEERS)/node_modules/.installed: $(PEERS)/package-lock.json
	cd $(PEERS) && npm ci --no-audit --no-fund
	@touch $@

# Run in server/, whose rules the benchmark keeps as well.
LINT := $(BIN)/ruff format --check . ../bench ../$(STACK) && $(BIN)/ruff check . ../bench ../$(STACK)
TYPES := $(BIN)/mypy && MYPYPATH=.. $(BIN)/mypy --explicit-package-bases ../bench/*.py
# Run at the root: the Dockerfiles, the scripts, the workflows, and what Compose makes of its files.
SCRIPTS := .ci/run .ci/system-deps ops/roll ops/deploy ops/deploy-over-ssh ops/pin-images $(STACK)/standins/make $(wildcard client/nginx/*.sh)
LINT_STACK := $(BIN)/hadolint server/Dockerfile client/Dockerfile && $(BIN)/shellcheck $(SCRIPTS) && \
	$(BIN)/actionlint -shellcheck $(BIN)/shellcheck $(wildcard .github/workflows/*.yml) && $(BIN)/zizmor --offline --quiet .github && \
	WHERRY_ENV=development $(BIN)/docker-compose -f docker-compose.yml config --quiet && \
	WHERRY_ENV=development $(BIN)/docker-compose -f docker-compose.yml -f docker-compose.tls.yml config --quiet && \
	WHERRY_ENV=development $(BIN)/docker-compose -f docker-compose.yml -f docker-compose.override.example.yml config --quiet

check: setup $(VENV)/.stack ## format, lint, types, layers and tests: all that a change must pass
	cd server && $(LINT) && $(TYPES) && $(BIN)/lint-imports
	$(MAKE) client-check
	$(LINT_STACK)
	$(MAKE) test

format: setup $(if $(NPM),$(CLIENT)/node_modules/.installed) ## write the code in its one format, with sorted imports
	cd server && $(BIN)/ruff check --fix-only --quiet . ../bench ../$(STACK) && $(BIN)/ruff format . ../bench ../$(STACK)
	$(if $(NPM),cd $(CLIENT) && npm run --silent format)

lint: setup $(VENV)/.stack ## look for mistakes and for what is badly written
	cd server && $(LINT)
	$(LINT_STACK)

types: setup ## check the types
	cd server && $(TYPES)

layers: setup ## check that imports run down the layers only
	cd server && $(BIN)/lint-imports

# The locks carry hashes for every platform and name no registry: whoever installs uses the one they have.
COMPILE := pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml

LOCK_STACK := pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

lock: setup ## renew the locks with the newest versions
	cd server && $(BIN)/uv $(COMPILE) --group pyproject.toml:dev --output-file requirements-dev.txt
	cd server && $(BIN)/uv $(COMPILE) --constraint requirements-dev.txt --output-file requirements.txt
	$(BIN)/uv $(LOCK_STACK) --constraint server/requirements-dev.txt $(STACK)/requirements.in --output-file $(STACK)/requirements.txt
	cd $(STACK)/standins && $(BIN)/uv $(LOCK_STACK) requirements.in --output-file requirements.txt
	cd $(CLIENTS) && npm update --package-lock-only --no-audit --no-fund
	cd $(PEERS) && npm update --package-lock-only --no-audit --no-fund
	cd $(CLIENT) && npm update --package-lock-only --no-audit --no-fund

clean: ## remove what was made, but no database
	rm -rf $(VENV) $(CLIENTS)/node_modules $(PEERS)/node_modules bench/data server/.coverage* server/htmlcov
	rm -rf $(STUDIO) $(addprefix $(CLIENT)/,node_modules .next out csp-map.conf next-env.d.ts test-results tsconfig.tsbuildinfo)
	find server bench -type d \( -name __pycache__ -o -name '.*_cache' -o -name .hypothesis \) -prune -exec rm -rf {} +
