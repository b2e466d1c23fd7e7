# Concord's commands. Python 3.11, make and a compiler are enough: everything else is set up in .venv by itself.

PYTHON ?= python3.11
VENV   := .venv
PY     := $(VENV)/bin/python
PORT   ?= 8000
CLAIMS ?= 2000
ARGS   ?=
export PORT

# The services of the environment are for `make serve`; tests and demo choose their own.
EMBEDDED := env -u DATABASE_URL -u REDIS_URL -u STORAGE_URL

.PHONY: help setup serve demo test lint bench faults access messages pins clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo            a sample pair, uploaded and imported before your eyes (ONCE=1: and then stop; CLAIMS=2000; PORT=8000)'
	@echo 'make test            the tests; also on TEST_DATABASE_URL and TEST_REDIS_URL where named (ARGS="-k name")'
	@echo 'make serve           web on PORT and worker, in the foreground'
	@echo 'make setup           .venv with the pinned libraries, and the database'
	@echo 'make lint            style, layers, types, migrations'
	@echo 'make bench           speed and memory, beside the floor of the machine (ONLY=postgresql|sqlite|tenfold; CLAIMS=40000; RUNS=3)'
	@echo 'make messages        the French catalogue from what the code says, and its compiled form'
	@echo 'make faults          workers killed, brokers emptied, databases restarted under a large import; also on TEST_DATABASE_URL where named (ARGS="--only F1")'
	@echo 'make access          each wall between countries and roles taken down in turn: do the tests notice? (ARGS="--only scope:")'
	@echo 'make pins            requirements*.txt from requirements*.in'

# Each stamp is younger than what it was made from, so that a second run does nothing.
$(VENV)/made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Concord needs Python 3.11: make PYTHON=/path/to/python3.11")'
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/runtime: $(VENV)/made requirements.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@touch $@

$(VENV)/development: $(VENV)/runtime requirements-dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.txt
	@touch $@

setup: $(VENV)/development
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py createcachetable --verbosity 0

serve: $(VENV)/runtime
	@exec $(PY) scripts/serve.py

demo: $(VENV)/runtime
	@exec $(EMBEDDED) CLAIMS=$(CLAIMS) ONCE=$(ONCE) $(PY) scripts/demo.py

# First without any service; then the same tests on those that are named, which must answer.
test: $(VENV)/development
	@$(PY) scripts/services.py
	$(EMBEDDED) $(PY) -m pytest $(or $(ARGS),-n 2)
	@if [ -n "$$TEST_DATABASE_URL$$TEST_REDIS_URL" ]; then \
		echo 'The same tests on the services named:'; \
		$(EMBEDDED) DATABASE_URL="$$TEST_DATABASE_URL" REDIS_URL="$$TEST_REDIS_URL" $(PY) -m pytest $(or $(ARGS),-n 2); \
	fi

lint: $(VENV)/development
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy
	$(EMBEDDED) $(PY) manage.py makemigrations --check --dry-run

# On services of its own (BENCH_DATABASE_URL, BENCH_REDIS_URL), where those answer.
faults: CLAIMS = 40000
faults: $(VENV)/development
	@exec $(EMBEDDED) $(PY) scripts/faults.py --claims $(CLAIMS) $(ARGS)

access: $(VENV)/development
	@exec $(EMBEDDED) $(PY) -m scripts.access $(ARGS)

bench: CLAIMS = 40000
bench: $(VENV)/development
	@exec $(EMBEDDED) CLAIMS=$(CLAIMS) ONLY=$(ONLY) RUNS=$(RUNS) $(PY) -m scripts.bench

# New messages come without French: fill in locale/fr/LC_MESSAGES/django.po, then run it again.
messages: $(VENV)/development
	@$(PY) -m scripts.messages

COMPILE = $(VENV)/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make pins'
pins: $(VENV)/development
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) requirements-dev.in --output-file requirements-dev.txt

clean:
	rm -rf $(VENV) data/demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
