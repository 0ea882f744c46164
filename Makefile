# Each target builds what it needs from the hash-pinned requirements.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

# Tests start many processes; without bytecode each of them would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

PROPERTIES := tests/generative tests/datasets/test_totals.py tests/datasets/test_predicate.py \
	tests/disclosure/test_additive.py tests/disclosure/test_suppression.py tests/disclosure/test_release.py

.PHONY: demo test test-slow test-thorough oracle spark check bench bench-ingest bench-accuracy bench-serving bench-synthetic lock clean

demo: $(STAMP)
	@$(BIN)/privacy-api demo

test: $(STAMP)
	$(BIN)/python -m pytest -n 2

# Real files, sockets and processes; repeated noisy answers.
test-slow: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "slow and not statistical"
	$(BIN)/python -m pytest -m statistical -n 2

# Properties on eight times as many examples: minutes, and more than a change should wait for.
test-thorough: $(STAMP)
	PRIVACY_API_TESTS=thorough $(BIN)/python -m pytest -n 2 $(PROPERTIES)

# The comparison with OpenDP Polars alone; it builds an environment of its own in .venv-oracle.
oracle: $(STAMP)
	$(BIN)/python -m pytest -m "slow or not slow" tests/oracle

# The Spark engine against DuckDB and plain Python; it builds an environment of its own in .venv-spark (1.2 GB).
spark: $(STAMP)
	$(BIN)/python -m pytest -m "spark or not spark" tests/spark

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)
	$(BIN)/python -m benchmarks

bench-ingest: $(STAMP)
	$(BIN)/python -m benchmarks.ingest 100000000

bench-accuracy: $(STAMP)
	$(BIN)/python -m benchmarks.accuracy

# A real server under eight clients, then the same counts by peers (in environments of their own in .bench; Tumult needs Java).
bench-serving: $(STAMP)
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python -m benchmarks.peers

# Our model of pupils and those of peers, in environments of their own in .bench; what peers gave is kept there.
bench-synthetic: $(STAMP)
	$(BIN)/python -m benchmarks.synthetic

$(STAMP): requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

# After a change of dependencies in pyproject.toml; needs uv.
lock:
	$(COMPILE) --extra postgres pyproject.toml -o requirements/server.txt
	$(COMPILE) --extra postgres --extra spark pyproject.toml -o requirements/spark.txt
	$(COMPILE) --group build -o requirements/build.txt
	$(COMPILE) --extra postgres --group dev pyproject.toml -o requirements/dev.txt
	$(COMPILE) --group oracle -o requirements/oracle.txt
	echo 'smartnoise-sql==1.0.10 duckdb>=2.0,<3' | tr ' ' '\n' | $(COMPILE) - -o requirements/peers-smartnoise.txt
	echo 'opendp[polars]>=0.16,<0.17 duckdb>=2.0,<3' | tr ' ' '\n' | $(COMPILE) - -o requirements/peers-opendp.txt
	echo 'tmlt.analytics==0.21.0' | $(COMPILE) - -o requirements/peers-tumult.txt
	echo 'opendp[mbi]==0.16.0 pandas' | tr ' ' '\n' | $(COMPILE) - -o requirements/peers-mbi.txt
	echo 'dpmm==0.1.9' | $(COMPILE) - -o requirements/peers-dpmm.txt
	echo 'scikit-learn==1.9.1' | $(COMPILE) - -o requirements/peers-tstr.txt

clean:
	rm -rf $(VENV) .venv-oracle .venv-spark
