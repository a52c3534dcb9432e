# make book     install what is needed into .venv, execute the notebooks, build _build/html with no warning allowed
# make test     install what is needed and run every test, the notebooks included
# The others are for authors: see book/authors.md.

PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
# Each worker has one core: numpy's own threads would fight over them.
export OPENBLAS_NUM_THREADS ?= 1
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-deps

.PHONY: help book test notebooks stamp lint lock benchmark clean
help:
	@sed -n 's/^# //p' Makefile

# ---- environments: each is made once, and again when its list of versions changes

.venv/.installed: requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed: make PYTHON=python3.12 ...')"
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python $(PIP_INSTALL) -r requirements.txt
	$(BIN)/python $(PIP_INSTALL) --no-build-isolation -e .
	touch $@

# Colab's versions, and the oldest versions that pyproject.toml admits
.venv-%/.installed: tests/environments/%.txt pyproject.toml
	$(PYTHON) -m venv --clear .venv-$*
	.venv-$*/bin/python $(PIP_INSTALL) -r $<
	touch $@

# ---- the book

# The cache of executed notebooks does not see a change of the package: start afresh after one.
_build/.package: $(shell find ntk_helpers -name '*.py') requirements.txt
	rm -rf _build/.jupyter_cache
	mkdir -p _build && touch $@

book: .venv/.installed _build/.package
	$(BIN)/jupyter-book build -W --keep-going -n --all .

notebooks: .venv/.installed stamp
	$(BIN)/python book/tools/execute.py notebooks/*.ipynb

stamp: .venv/.installed
	$(BIN)/python book/tools/stamp.py

# ---- tests

# Two files run much of the rest once more, on other versions: they go first, one to each worker.
LONGEST := tests/test_oldest_jax.py tests/test_colab.py

test: .venv/.installed .venv-colab/.installed .venv-oldest/.installed lint
	$(BIN)/python -m pytest $(LONGEST) tests notebooks --nbval --nbval-current-env \
	    --nbval-sanitize-with tests/nbval_sanitize.cfg -n $(WORKERS) --dist loadscope --no-loadscope-reorder -q

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

benchmark: .venv/.installed
	for script in tests/benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

# ---- versions

lock:
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet uv
	.venv-lock/bin/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	    --fork-strategy fewest --no-emit-index-url --no-annotate --upgrade --quiet -o requirements.txt

clean:
	rm -rf _build .venv .venv-colab .venv-oldest .venv-lock
