# Concord's commands. They need Python 3.11 or newer and make, and set up everything else in .venv.

# Empty: the first interpreter that scripts/pythons.sh finds.
PYTHON ?=
VENV   := .venv
PY     := $(VENV)/bin/python
PORT   ?= 8000
CLAIMS ?= 2000
ARGS   ?=
export PORT

# DATABASE_URL, REDIS_URL, STORAGE_URL and WATCH_URL serve `make serve` only: tests and demo have services of their own.
EMBEDDED := env -u DATABASE_URL -u REDIS_URL -u STORAGE_URL -u WATCH_URL

.PHONY: help setup serve demo test browser screenshots lint bench faults access live-load messages pins clean
.DEFAULT_GOAL := help

help:
	@echo 'make demo            upload and import a sample pair, step by step (ONCE=1: stop after the summary; CLAIMS=2000; PORT=8000)'
	@echo 'make test            the tests; then again on TEST_DATABASE_URL and TEST_REDIS_URL if these are set (ARGS="-k name")'
	@echo 'make browser         the tests in a browser (Chromium, which root installs where it is missing; ARGS="-k name")'
	@echo 'make screenshots     every page in both languages, into docs/screenshots'
	@echo 'make serve           the web server on PORT and a worker, in the foreground; live progress on LIVE_PORT if set'
	@echo 'make setup           .venv with the pinned libraries, and the database'
	@echo 'make lint            style, layers, types, migrations'
	@echo 'make bench           speed and memory, compared with the least that the machine needs (ONLY=postgresql|sqlite|tenfold|corrections|dashboard; CLAIMS=40000; RUNS=3)'
	@echo 'make live-load       500 watchers of one session: memory and delay of the ASGI process (ARGS="--watchers 500 --seconds 20")'
	@echo 'make messages        update the French catalogue from the messages in the code, and compile it'
	@echo 'make faults          kill workers, empty brokers, restart databases during a large import; also on TEST_DATABASE_URL if set (ARGS="--only F1")'
	@echo 'make access          remove each access check in turn: does a test fail? (ARGS="--only scope:")'
	@echo 'make pins            requirements*.txt from requirements*.in'

# Each of these empty files is newer than the files that its step depends on, so a second run does nothing.
$(VENV)/made:
	@python=$$(sh scripts/pythons.sh $(if $(PYTHON),"$(PYTHON)") | head -n 1); \
	if [ -z "$$python" ]; then \
		echo 'Concord needs Python 3.11 or newer with the module venv (on Debian and Ubuntu: apt install python3-venv).' >&2; \
		echo 'Not found as: $(or $(PYTHON),python3.13, python3.12, python3.11, python3). Name it: make PYTHON=/path/to/python3' >&2; \
		exit 1; \
	fi; \
	rm -rf $(VENV) && "$$python" -m venv $(VENV)
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
	@exec $(EMBEDDED) CLAIMS=$(CLAIMS) ONCE=$(ONCE) $(PY) -m scripts.demo

# First without services; then the same tests on the services that are named, which must answer. These would do the same
# there: they read files, values and workbooks, choose their services themselves, ask which role may send which request,
# or look at pages that show what the services behind the API answer, which are tested there.
NEED_NO_SERVICE := $(addprefix --ignore ,tests/reading tests/values tests/samples tests/imports/test_odd_files.py \
	tests/imports/test_correction_workbook.py \
	tests/access/test_mutations.py tests/live/test_live_load.py tests/platform/test_cloud_storage.py \
	tests/platform/test_architecture.py tests/platform/test_bench.py tests/platform/test_pythons.py \
	$(addprefix tests/pages/,test_session_pages.py test_file_pages.py test_finding_pages.py test_new_import.py \
	test_correction_pages.py test_correction_workbook_pages.py test_help.py test_policy.py test_figures_pages.py \
	test_figures_roles.py)) \
	$(addprefix --deselect ,\
	tests/api/test_access.py::test_every_account_gets_at_every_route_what_its_role_and_country_allow \
	tests/admin/test_admin_access.py::test_every_account_gets_at_every_page_what_its_role_and_country_allow \
	tests/access/test_page_access.py::test_a_page_opens_for_those_who_may_read_it \
	tests/access/test_page_access.py::test_a_form_is_read_from_those_who_may_send_it)
# These take minutes and ask the database through the same doors as others: once, on the named services where there are.
ONCE := $(addprefix --ignore ,tests/contract/test_schemathesis.py tests/access/test_canaries.py \
	tests/dashboard/test_links.py tests/live/test_live_server.py) \
	$(addprefix --deselect ,\
	tests/access/test_page_access.py::test_no_page_contains_data_of_another_country \
	tests/api/test_access.py::test_no_answer_contains_data_of_another_country \
	tests/api/test_access.py::test_no_ordering_filter_or_search_shows_data_of_another_country \
	tests/admin/test_admin_access.py::test_no_page_of_the_admin_shows_data_of_another_country \
	tests/admin/test_admin_access.py::test_no_ordering_filter_or_search_of_the_admin_shows_data_of_another_country)
# A file goes to one process, so that what its tests share is made once; conftest.py has the longest first.
SPREAD := -n 4 --dist loadfile --no-loadscope-reorder
test: $(VENV)/development
	@$(PY) scripts/services.py
	@sh scripts/azurite.sh >/dev/null || echo 'So the tests of Azure Blob Storage are left out.' >&2
	$(EMBEDDED) $(PY) -m pytest $(or $(ARGS),$(SPREAD) $(if $(TEST_DATABASE_URL),$(ONCE)))
	@if [ -n "$$TEST_DATABASE_URL$$TEST_REDIS_URL" ]; then \
		echo 'The same tests on the named services:'; \
		$(EMBEDDED) DATABASE_URL="$$TEST_DATABASE_URL" REDIS_URL="$$TEST_REDIS_URL" $(PY) -m pytest $(or $(ARGS),$(SPREAD) $(NEED_NO_SERVICE)); \
	fi

# Each process has an installation with the samples of the demo, and a browser.
browser: $(VENV)/development
	@sh scripts/chromium.sh >/dev/null
	$(EMBEDDED) $(PY) -m pytest tests/browser $(or $(ARGS),-n 2 --dist loadfile --no-loadscope-reorder)

screenshots: $(VENV)/development
	@sh scripts/chromium.sh >/dev/null
	@exec $(EMBEDDED) $(PY) -m tests.browser.screenshots

lint: $(VENV)/development
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/mypy
	$(EMBEDDED) $(PY) manage.py makemigrations --check --dry-run

faults: CLAIMS = 40000
faults: $(VENV)/development
	@exec $(EMBEDDED) $(PY) -m scripts.faults --claims $(CLAIMS) $(ARGS)

access: $(VENV)/development
	@exec $(EMBEDDED) $(PY) -m scripts.mutations $(ARGS)

live-load: $(VENV)/development
	@exec $(EMBEDDED) $(PY) -m scripts.live_load $(ARGS)

# On BENCH_DATABASE_URL and BENCH_REDIS_URL if these answer.
bench: CLAIMS = 40000
bench: $(VENV)/development
	@exec $(EMBEDDED) CLAIMS=$(CLAIMS) FIGURE_CLAIMS=$(FIGURE_CLAIMS) ONLY=$(ONLY) RUNS=$(RUNS) $(PY) -m scripts.bench

# New messages have no French text: write it into locale/fr/LC_MESSAGES/django.po, then run this again.
messages: $(VENV)/development
	@$(PY) -m scripts.messages

COMPILE = $(VENV)/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make pins'
pins: $(VENV)/development
	$(COMPILE) requirements.in --output-file requirements.txt
	$(COMPILE) requirements-dev.in --output-file requirements-dev.txt
	$(COMPILE) services/converter/requirements.in --output-file services/converter/requirements.txt

clean:
	rm -rf $(VENV) data/demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
