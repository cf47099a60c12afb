.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
RUNTIME := $(VENV)/.runtime
TOOLS := $(VENV)/.tools

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed (make PYTHON=python3.11 ...)."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing; on Debian: apt install python3-venv"; rm -rf $(VENV); exit 1; }

$(RUNTIME): requirements.txt | $(VENV)/bin/python
	@echo "  installing …"
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@touch $@

$(TOOLS): requirements-dev.txt $(RUNTIME)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@touch $@

demo: $(RUNTIME) ## Show everything on sample data (CHECK=1 proves that it works, RESET=1 starts over)
	@CHECK=$(CHECK) RESET=$(RESET) $(PY) -m site_project.demo

run: $(RUNTIME) ## Development: web server with reload, cluster, mail catcher
	@test -f .env || cp .env.example .env
	@$(PY) manage.py migrate -v0 && $(PY) manage.py dev

test: $(TOOLS) ## The fast suite, on SQLite
	@$(PY) -m pytest -q -n 2 $(ARGS)

test-services: $(TOOLS) ## The same suite on PostgreSQL and Redis (both must run on this machine)
	@DATABASE_URL=$(or $(DATABASE_URL),postgres://root@127.0.0.1:5432/test) CACHE_URL=$(or $(CACHE_URL),redis://127.0.0.1:6379/9) $(PY) -m pytest -q -n 2 $(ARGS)

access: $(TOOLS) ## Every URL as every role, the screens of Wagtail included
	@ACCESS=all $(PY) -m pytest -q -n 2 tests/access $(ARGS)

test-oracle: $(TOOLS) ## Dates and windows in forty zones against the oracle (two minutes)
	@ORACLE=all $(PY) -m pytest -q -n 2 tests/mailing/test_schedule_oracle.py $(ARGS)

test-pages: $(TOOLS) ## Kept pages: never old, nobody else's; 5,000 requests of eight threads, as in CI (three minutes)
	@PAGES=broad $(PY) -m pytest -q -n 2 --dist worksteal tests/pages/test_privacy.py tests/pages/test_freshness.py $(ARGS)

cache-proof: $(TOOLS) ## The privacy of kept pages with 100,000 requests (an hour)
	@PAGES=all $(PY) -m pytest -q -n 0 -s --show-capture=no tests/pages/test_privacy.py $(ARGS)

test-faults: $(TOOLS) ## Faults: a broad selection, as in CI (five minutes)
	@FAULTS=broad $(PY) -m pytest -q -n 2 tests/faults $(ARGS)

faults: $(TOOLS) ## Faults: every point and every number, on SQLite and on PostgreSQL (half an hour)
	@FAULTS=all $(PY) -m pytest -q -n 2 tests/faults $(ARGS)
	@FAULTS=all DATABASE_URL=$(or $(DATABASE_URL),postgres://root@127.0.0.1:5432/test) $(PY) -m pytest -q -n 2 tests/faults $(ARGS)

test-browser: $(TOOLS) ## The whole path in a real browser (needs chromium)
	@$(PY) -m pytest -q -n 2 --dist loadfile tests/browser $(ARGS)

check: $(TOOLS) ## Everything that can be said without running the suite
	@$(VENV)/bin/ruff format --check --quiet . && $(VENV)/bin/ruff check --quiet .
	@ENV_FILE=.env.example $(VENV)/bin/mypy --no-error-summary .
	@$(VENV)/bin/lint-imports --no-logo >$(VENV)/imports.log 2>&1 || { cat $(VENV)/imports.log; exit 1; }
	@$(VENV)/bin/djlint --quiet --lint templates
	@ENV_FILE=.env.example $(PY) manage.py makemigrations --check --dry-run -v0
	@ENV_FILE=tests/production.env VAR_DIR=$(VENV)/var $(PY) manage.py check --deploy --fail-level WARNING -v0

format: $(TOOLS) ## Format code
	@$(VENV)/bin/ruff check --quiet --fix . ; $(VENV)/bin/ruff format --quiet .

messages: $(TOOLS) ## Collect and compile translations (needs gettext)
	@ENV_FILE=.env.example $(PY) manage.py makemessages --locale ru --no-location --no-obsolete --ignore .venv --ignore .demo --ignore tests --ignore bench
	@ENV_FILE=.env.example $(PY) manage.py compilemessages --locale ru --ignore .venv --ignore bench

bench: $(TOOLS) ## How fast letters leave, beside Postfix, nodemailer and post_office (20 minutes; see bench/)
	@$(PY) -m bench.sending $(ARGS)

bench-pages: $(TOOLS) ## How fast pages answer beside millions of rows, and from the cache (25 minutes; see bench/)
	@$(PY) -m bench.pages $(ARGS); pages=$$?; $(PY) -m bench.cached_pages $(ARGS) && exit $$pages

lighthouse: $(TOOLS) ## What Lighthouse says of the public pages (needs node, npm and chromium; ten minutes)
	@$(PY) -m bench.lighthouse $(ARGS)

screenshots: $(TOOLS) ## Take the pictures of the product for the front page anew (needs chromium)
	@$(PY) -m bench.screenshots

bench-import: $(TOOLS) ## How fast clients are brought in from files (5 minutes; see bench/)
	@$(PY) -m bench.importing $(ARGS)

lock: ## Compile the requirements again (needs uv)
	uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-annotate --custom-compile-command "make lock" requirements.in -o requirements.txt
	uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-annotate --custom-compile-command "make lock" requirements-dev.in -o requirements-dev.txt

clean: ## Remove what runs have left
	rm -rf .demo artefacts .mypy_cache .ruff_cache .pytest_cache

.PHONY: help demo run test test-services access test-oracle test-pages cache-proof test-faults faults test-browser bench bench-pages lighthouse screenshots check format messages lock clean bench-import
