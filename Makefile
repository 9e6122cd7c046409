# Needs only python3 (with pip and venv): a small venv brings uv, and uv brings the rest.
VENV := .uv
UV := $(VENV)/bin/uv
RUN := $(UV) run --locked

.PHONY: demo test lint slow facts backfires uncertainty dashboard
$(UV):
	python3 -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet "uv>=0.5"

demo: $(UV)  ## set up and compare three regimes: a table, then plots
	$(RUN) --no-dev reformsim run experiments/regimes.yaml -o results/regimes

test: $(UV)  ## the tests
	$(RUN) pytest

lint: $(UV)  ## style, types, import contracts
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports

slow: $(UV)  ## the long studies
	$(RUN) pytest -m slow

facts: $(UV)  ## the default city under block-separated governance against the facts
	$(RUN) --no-dev reformsim facts

backfires: $(UV)  ## where each measure helps and where it harms: a quarter of an hour
	$(RUN) --no-dev reformsim run experiments/backfires -o results/backfires

uncertainty: $(UV)  ## the whole reform over all uncertainties: about half an hour
	$(RUN) --no-dev reformsim run experiments/uncertainty_sweep.yaml -o results/uncertainty_sweep

dashboard: $(UV)  ## the live page, on this machine only
	$(RUN) --no-dev --extra dashboard reformsim dashboard --open
