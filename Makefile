# make demo    composes the sample issue, sends it over SMTP to a built-in mail server, shows what happened
# make test    the whole test suite: lint, types, tests
# Each sets up what it needs in .venv, made again only when pyproject.toml changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench bench-compose bench-audience bench-deliver bench-start bench-web clean

demo: $(VENV)/made
	$(BIN)/mailer demo

test: lint
	$(BIN)/python -m pytest -n auto

lint: $(VENV)/made
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: bench-compose bench-audience bench-deliver bench-start bench-web

bench-compose: $(VENV)/made
	$(BIN)/python benchmarks/compose.py

bench-audience: $(VENV)/made
	$(BIN)/python benchmarks/audience.py

# Needs smtp-sink and smtp-source, of Debian's package postfix.
bench-deliver: $(VENV)/made
	$(BIN)/python benchmarks/deliver.py
	$(BIN)/python benchmarks/growth.py --million --plot docs/growth.svg

bench-start: $(VENV)/made
	$(BIN)/python benchmarks/start.py

# The part during a send needs smtp-sink as well.
bench-web: $(VENV)/made
	$(BIN)/python benchmarks/web.py

$(VENV)/made: pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
