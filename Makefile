# Needs only python3 (with pip and venv): a small venv brings uv, and uv brings the rest.
VENV := .uv
UV := $(VENV)/bin/uv
RUN := $(UV) run --locked

.PHONY: demo test lint slow baselines facts backfires uncertainty gallery dashboard bench guard docs
$(UV):
	python3 -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet "uv>=0.5"

demo: $(UV)  ## set up and compare three regimes: a table, then plots
	$(RUN) --no-dev reformsim run experiments/regimes.yaml -o results/regimes

test: $(UV)  ## the tests, on all cores
	$(RUN) pytest -n auto --dist loadfile

lint: $(UV)  ## style, types, import contracts
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports

slow: $(UV)  ## the long studies
	$(RUN) pytest -m slow

baselines: $(UV)  ## store the golden results of tests/baselines anew: look at their diff
	$(RUN) pytest tests/test_baselines.py --refresh-baselines

facts: $(UV)  ## the default city under block-separated governance against the facts
	$(RUN) --no-dev reformsim facts

backfires: $(UV)  ## where each measure helps and where it harms: a quarter of an hour
	$(RUN) --no-dev reformsim run experiments/backfires -o results/backfires

uncertainty: $(UV)  ## the whole reform over all uncertainties: an hour, and longer beside other work
	$(RUN) --no-dev reformsim run experiments/uncertainty_sweep.yaml -o results/uncertainty_sweep

bench: $(UV)  ## the engine next to other frameworks and libraries, into docs/performance.md
	$(RUN) --group bench python -m benchmarks

guard: $(UV)  ## one ratio beside the recorded one; warns
	$(RUN) python -m benchmarks guard

gallery: $(UV)  ## the pictures of docs/gallery.md, from small experiments; failed runs are told on them
	for file in docs/examples/gallery/*.yaml; do \
	  name=$$(basename $$file .yaml); \
	  $(RUN) --no-dev reformsim run $$file -o results/gallery/$$name || test $$? -eq 1 || exit 1; \
	  $(RUN) --no-dev reformsim plot results/gallery/$$name --format png --dpi 96 \
	    -o docs/images/gallery/$$name || exit 1; \
	done

dashboard: $(UV)  ## the live page, on this machine only
	$(RUN) --no-dev --extra dashboard reformsim dashboard --open

docs: $(UV)  ## the documents as a site that needs no network: open site/index.html
	NO_MKDOCS_2_WARNING=1 $(RUN) --group docs mkdocs build --strict
