# Each target sets up what it needs. There is no staleness logic here: bindery's cache knows what changed.
PYTHON ?= python3
PROFILE ?= quick
DATA ?= standin
export PROFILE DATA

# The environment is named by what it is made from, so that a changed pin makes a new one.
PINS := $(shell cat requirements.txt tools/requirements-alone.txt tools/pyproject.toml | cksum | cut -d' ' -f1)
READY := .venv/ready-$(PINS)
READY_TO_TEST := .venv/ready-to-test-$(PINS)
BINDERY := .venv/bin/bindery

.PHONY: help html serve archive pdf epub notebooks lib wheel all data plan run drift doctor test test-all release bench lint check clean latex browser java

# In a terminal pip shows how far it is.
PIP = .venv/bin/python -m pip install $$([ -t 2 ] || echo --quiet) --disable-pip-version-check

# In a workflow of GitHub, what lint finds becomes annotations of the pull request.
LINT := $(BINDERY) lint $(if $(GITHUB_ACTIONS),--format github)

help:  ## Show the targets (this is what `make` alone does)
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{printf "  make %-10s %s\n", $$1, $$2}'

html: $(READY)  ## Run what changed and build the website into build/html (PROFILE=full for the published values)
	@$(BINDERY) html

serve: $(READY)  ## Show the website in a browser and follow what you save (PORT=8000)
	@$(BINDERY) serve --port $(or $(PORT),8000) || [ $$? = 130 ]

archive: $(READY)  ## Build the website and pack it into build/website.zip
	@$(BINDERY) archive

pdf: $(READY)  ## Run what changed and make build/pdf/book.pdf (installs LaTeX with apt-get if that may be done)
	@test -f build/pdf/book.pdf || $(BINDERY) latex
	@$(BINDERY) pdf

epub: $(READY)  ## Run what changed and make build/epub/book.epub for e-readers
	@$(BINDERY) epub

notebooks: $(READY)  ## Run what changed and write the notebooks that readers download
	@$(BINDERY) notebooks

lib: $(READY)  ## Tangle the saved blocks into build/library
	@$(BINDERY) lib

wheel: $(READY)  ## Pack the library into build/wheel
	@$(BINDERY) wheel

# Without LaTeX all but the PDF is made, and the message is that of the PDF.
all: $(READY)  ## Make every product
	@$(BINDERY) latex 2>/dev/null; $(BINDERY) all

data: $(READY)  ## Draw the stand-ins for the data sets (builds do it themselves; DATA=real uses the published sets)
	@$(BINDERY) data

plan: $(READY)  ## Say what a build would run, why, and for how long
	@$(BINDERY) plan

run: $(READY)  ## Run the sections that changed (ONLY=gan for one chapter)
	@$(BINDERY) run --only "$(ONLY)"

drift: $(READY)  ## Say which outputs have moved from the accepted baseline (`bindery drift --help` tells more)
	@$(BINDERY) drift

doctor: $(READY)  ## Say what this machine lacks for website, PDF, tests and more, and how to install it
	@$(BINDERY) doctor

test: $(READY_TO_TEST) latex browser java  ## Run the tests, the fast ones first (test-all runs the longest, too)
	@cd tools && ../.venv/bin/python -m pytest

test-all: $(READY_TO_TEST) latex browser java  ## Run all tests and those that leave nothing out, such as each notebook for itself
	@cd tools && ../.venv/bin/python -m pytest -m "slow or not slow"

release: $(READY)  ## Date the changes, tag a version and build all that is published of it (VERSION=1.2.0)
	@$(BINDERY) latex && $(BINDERY) release "$(VERSION)"

bench: $(READY)  ## Measure bindery beside nbconvert and MyST-NB on a book of light sections (some minutes)
	@.venv/bin/python tools/bench/bench.py

lint: $(READY)  ## Hold prose, labels and code to the style that chapters/book.yml sets
	@$(LINT)

check: $(READY_TO_TEST) latex  ## Form and types of bindery, style and spelling, and that all products hold the same
	@cd tools && ../.venv/bin/ruff format --check . ../conf.py && ../.venv/bin/ruff check . ../conf.py && ../.venv/bin/mypy
	@.venv/bin/actionlint -shellcheck= .github/workflows/*.yml
	@$(LINT)
	@.venv/bin/codespell --toml tools/pyproject.toml README.md CONTRIBUTING.md CHANGELOG.md chapters tools/bindery
	@$(BINDERY) parity

clean:  ## Delete everything generated; it costs only time
	rm -rf build

latex: $(READY)
	@$(BINDERY) latex

# What pip cannot install, apt-get does where nobody has to be asked; elsewhere the command is named.
define apt
	@command -v $(1) >/dev/null || { \
	  { command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; } || \
	    { echo "The tests need $(2); on Debian or Ubuntu: sudo apt-get install $(3)" >&2; exit 1; }; \
	  echo "$(2): apt-get is installing it, once"; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(3) >/dev/null; }
endef

# The tests of the website drive Debian's Chromium.
browser:
	$(call apt,chromium,Chromium,chromium)

# EPUBCheck, which says whether an EPUB is one, is a program for Java.
java:
	$(call apt,java,Java,default-jre-headless)

$(READY):
	@echo "Setting up .venv (once; PyTorch is large, so this takes some minutes)"
	@$(PYTHON) -m venv .venv
	@$(PIP) --requirement requirements.txt --editable tools
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --requirement tools/requirements-alone.txt
	@rm -f .venv/ready-* && touch $@

$(READY_TO_TEST): $(READY)
	@echo "Adding the test tools to .venv (pip names two packages that syne-tune asks for and is installed without)"
	@$(PIP) --editable 'tools[test]'
	@touch $@
