# Every target does its own set-up: pip fills .venv once, and again when a pin changes.

PYTHON ?= python3
# An index to look for torch in, beside pip's own. PyPI's torch for Linux brings CUDA (several GB):
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# Tests at a time; each keeps to one thread, so that they do not take turns on a core.
JOBS ?= 2

python := .venv/bin/python
install := $(python) -m pip install $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check format browser constraints clean
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

demo: .venv/installed ## train, ingest and search a small catalog of its own; see demo/
	.venv/bin/goods demo

test: .venv/installed-dev ## run the tests; at least 90 % of the lines must be covered
	OMP_NUM_THREADS=1 $(python) -m pytest --numprocesses=$(JOBS) --cov --cov-fail-under=90

check: .venv/installed-dev ## format, lint, types and tests, as CI runs them
	$(python) -m ruff format --check
	$(python) -m ruff check
	$(python) -m mypy
	$(MAKE) test

format: .venv/installed-dev ## let ruff lay out the code and repair what it can
	$(python) -m ruff format
	$(python) -m ruff check --fix

browser: ## install Chromium for the tests of the page, where apt-get can
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
	  command -v $$name > /dev/null && exit; \
	done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends chromium > /dev/null; } \
	  || echo "Chromium could not be installed: the tests of the page will be skipped"; \
	else echo "there is no Chromium: the tests of the page will be skipped"; fi

constraints: ## pin the newest versions that fit together (needs TORCH_INDEX as above)
	$(PYTHON) -m venv --clear .venv
	$(install) --upgrade pip
	$(install) --editable . --group dev
	sed -i.old '/^[^#]/d' constraints.txt
	$(python) -m pip freeze --all --exclude setuptools --exclude-editable | sed 's/+.*//' >> constraints.txt
	rm constraints.txt.old

clean: ## delete what the other targets made
	rm -rf .venv .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache build demo *.egg-info

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("goods needs Python 3.11 or newer, and $(PYTHON) is %d.%d: name another, as in make PYTHON=python3.12 $(MAKECMDGOALS)" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(install) --constraint constraints.txt --quiet pip
	$(install) --constraint constraints.txt --editable .
	touch $@

.venv/installed-dev: .venv/installed
	$(install) --constraint constraints.txt --group dev
	@$(MAKE) --no-print-directory browser
	touch $@
