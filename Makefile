# Every target works from a fresh clone; the virtual environment is made once and used again.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

RECIPE ?= recipes/movielens-100k.yaml
RUN ?= runs/movielens-100k

.PHONY: setup demo demo-text test test-all check verify-arm64 bench bench-harness bench-table bench-seeds clean chromium

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
	  || { echo "limbeck needs Python 3.11 or 3.12; say which with: make setup PYTHON=python3.11"; exit 1; }
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	for try in 1 2 3; do \
	  $(BIN)/python -m pip install --quiet --upgrade pip \
	  && $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev,wandb,tensorrt,litert,openvino]' && exit 0; \
	  echo "installation failed (try $$try of 3)"; test $$try = 3 || sleep 10; \
	done; exit 1
	touch $@

demo: setup  ## Real data to a verified int8 model and a report, in a quarter of an hour.
	$(BIN)/limbeck run recipes/movielens-100k.yaml

demo-text: setup  ## Real product texts to a verified int8 model, other tools beside it: less than an hour.
	$(BIN)/limbeck run recipes/womens-clothing.yaml --peers

test: setup chromium  ## Unit tests, then one whole job on a small real data set.
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" tests --ignore=tests/end_to_end
	$(BIN)/python -m pytest -m "not slow" tests/end_to_end

test-all: setup chromium  ## The slow tests too.
	$(BIN)/python -m pytest tests

check: setup  ## Style, types, and the direction of imports.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

verify-arm64: setup  ## A run's ONNX files on an emulated arm64 processor: RUN=runs/womens-clothing takes four minutes.
	@if ! command -v qemu-aarch64-static >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends qemu-user-static >/dev/null; \
	fi; true
	$(BIN)/python -m export.arm64 $(RUN)

bench: setup  ## What performance claims rest on; results go to benchmarks/results.
	$(BIN)/python -m benchmarks.data_memory
	$(BIN)/python -m benchmarks.onnx_routes

bench-harness: setup  ## What the harness costs, and whether it repeats itself, with the files of RUN.
	$(BIN)/python -m benchmarks.harness_overhead $(RUN)/export/student.int8-dynamic.onnx
	$(BIN)/python -m benchmarks.repeatability $(RUN)/export/student.int8-dynamic.onnx --seconds 10
	$(BIN)/python -m benchmarks.self_comparison $(RUN)/export/student.int8-dynamic.onnx

BENCH = $(BIN)/limbeck bench --scenario all --target all --peers --seconds 5 --tries 3
bench-table: setup  ## All files and peers of both shipped recipes, run with --peers, in all scenarios: an hour.
	$(BENCH) runs/movielens-100k --rate 400 --bound-ms 10 || [ $$? = 1 ]
	$(BENCH) runs/womens-clothing --rate 50 --bound-ms 100 || [ $$? = 1 ]
	$(BIN)/python -m benchmarks.full_table runs/movielens-100k runs/womens-clothing

bench-seeds: setup  ## A job under three seeds: half an hour for the demo, more for RECIPE=recipes/womens-clothing.yaml.
	$(BIN)/python -m benchmarks.over_seeds $(RECIPE)

chromium: setup  # The report's test opens it in a browser; without one it is skipped and says so.
	@if ! command -v chromium >/dev/null && command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ]; then \
	  for try in 1 2 3; do \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && break; \
	    echo "chromium was not installed (try $$try of 3)"; test $$try = 3 || sleep 10; \
	  done; \
	fi; true
	@if command -v npm >/dev/null; then $(BIN)/limbeck targets --install browser >/dev/null \
	  || echo "onnxruntime-web was not fetched: what needs it is skipped"; fi; true

clean:  ## What was built; runs and the cache of downloads stay.
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
