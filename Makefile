.DEFAULT_GOAL := help
PY := .venv/bin/python
SETUP := python3 tools/setup.py

.PHONY: help run test check bench reliability demo-reset setup setup-dev lint types

help:  ## list what make can do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup:  ## install everything `make run` needs (quick when nothing changed)
	@$(SETUP)

setup-dev:  ## install everything the tests need as well
	@$(SETUP) --dev

run: setup  ## set up, migrate, seed the demo company and serve at http://127.0.0.1:5000
	@exec .venv/bin/flask serve --demo

test: setup-dev  ## everything CI runs: lint, types, architecture, both engines, browser
	@$(PY) tools/run_tests.py

check: setup-dev  ## the quick part of the tests: lint, types, architecture, unit tests on SQLite
	@$(PY) tools/run_tests.py --quick

bench: setup-dev  ## measure the figures and print them as tables
	@$(PY) -m bench

reliability: setup-dev  ## prove the promises about payments and write docs/reliability.md
	@$(PY) -m bench.reliability

demo-reset: setup  ## throw the demo company away and make it anew
	@.venv/bin/flask seed --reset
