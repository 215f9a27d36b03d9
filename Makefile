# make demo   train on Yin-Yang and replay the trained network on Brian2
# make test   the default test suite
# make test-simulators   install NEST, NEURON and elephant too and run what needs them
# make packages   build the wheel and the source archive into dist/ and try them in empty environments
# make docs   build the documentation into docs/_build/html, without a warning or not at all
# All set up .venv in this folder first, once.  Another interpreter: make demo PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-simulators docs packages lint clean

help:
	@sed -n 's/^# //p' Makefile | head -n 6

$(STAMP): setup.cfg setup.py constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null || { \
	  echo "error: '$(PYTHON)' is $$($(PYTHON) --version 2>&1 | head -n 1); Python 3.11 to 3.13 is needed: make PYTHON=python3.12 ..." >&2; \
	  exit 1; }
	@if [ -x $(VENV)/bin/python ]; then \
	  test "$$($(VENV)/bin/python -c 'import sys; print(sys.version_info[:2])')" = "$$($(PYTHON) -c 'import sys; print(sys.version_info[:2])')" || \
	  rm -rf $(VENV); fi
	@test -x $(VENV)/bin/pip || $(PYTHON) -m venv --clear $(VENV) || { \
	  echo "error: $(PYTHON) could not make a virtual environment in $(VENV) (on Debian and Ubuntu: apt install python3-venv)" >&2; \
	  exit 1; }
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	@touch $@

demo: $(STAMP)
	$(VENV)/bin/ttfs-pynn demo

test: $(STAMP)
	$(VENV)/bin/python -m pytest -m 'not slow'

# With the scripts of the environment on PATH: PyNN compiles NEURON's mechanisms with nrnivmodl at the first import.
test-simulators: $(STAMP)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev,nest,neuron,analysis]' -c constraints.txt
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(VENV)/bin/python -m pytest tests/test_simulators.py tests/test_script.py tests/comparison \
	  tests/protocols/test_compare_simulators.py tests/analysis

# PYTHONS: the interpreters to try them with.
PYTHONS ?= $(PYTHON)
packages: $(STAMP)
	$(VENV)/bin/python -m benchmarks.clean_install --keep dist $(PYTHONS)

docs: $(STAMP)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev,docs]' -c constraints.txt
	$(VENV)/bin/python -m sphinx -b html --fail-on-warning --keep-going docs docs/_build/html

lint: $(STAMP)
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m mypy

clean:
	rm -rf $(VENV) build dist docs/_build docs/gallery_pages *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
