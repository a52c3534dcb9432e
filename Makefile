# make book              install what is needed into .venv, execute the notebooks, build _build/html, no warning allowed
# make test              install what is needed, run the tests and the notebooks on the versions of requirements.txt
# make test QUICK=1      the same with programs that compile in half the time, for a first look
# make test-everywhere   run what the test above leaves out: notebooks on Colab's versions, unit tests on the oldest
# make course            exercises, solutions, grading archives, quizzes and slides of the course, into _build/course
# make grade FOLDER=f    grade the submissions in folder f, into f/graded
# make pdf               print the built book: _build/html/pdf, each page and the whole (needs chromium)
# make epub              the book as an EPUB: _build/html/ntk-book.epub (needs chromium)
# make address           give the book its address: make address REPOSITORY=https://github.com/OWNER/NAME
# make drift-colab       for the monthly run: all notebooks on the versions that Colab has today
# make drift-newest      for the monthly run: everything on the newest releases
# make book-newest-sphinx   for the monthly run: build with the newest Sphinx
# make coverage          run the unit tests and say how much of the package they reach
# make benchmark         time the package beside others, write tests/benchmarks/results
# make mutants           run all assertions against the wrong theories of book/mutants.yml, write book/mutants.csv
# make notebooks         for authors: badge, set-up cell and claim boxes, then execute all notebooks
# make lock              for authors: new versions in requirements.txt
# make clean             remove what the others made

PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin
# Each worker has one core: numpy's own threads would fight over them.
export OPENBLAS_NUM_THREADS ?= 1
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-deps

.PHONY: help book course grade test test-everywhere coverage mutants notebooks stamp lint lock benchmark clean
.PHONY: pdf epub address drift-colab drift-newest book-newest-sphinx
help:
	@sed -n 's/^# make/make/p' Makefile

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

# Python for the browser, from npm; without a network the book is built without it.
book/assets/pyodide/pyodide.mjs: book/tools/fetch_pyodide.py | .venv/.installed
	$(BIN)/python book/tools/fetch_pyodide.py

book: .venv/.installed book/assets/pyodide/pyodide.mjs
	$(BIN)/jupyter-book build -W --keep-going -n --all .

pdf: .venv/.installed
	test -d _build/html || $(MAKE) book
	$(BIN)/python book/tools/paper.py _build/html

epub: .venv/.installed
	$(BIN)/python book/tools/epub.py _build/html

address: .venv/.installed
	$(BIN)/python book/tools/address.py $(REPOSITORY) $(SITE)

notebooks: .venv/.installed stamp
	$(BIN)/python book/tools/execute.py notebooks/*.ipynb

stamp: .venv/.installed
	$(BIN)/python book/tools/stamp.py
	$(BIN)/python book/tools/chapter_map.py

# ---- the course

course: .venv/.installed stamp
	$(BIN)/python course/tools/build.py
	$(BIN)/python course/tools/slides.py

grade: .venv/.installed
	$(BIN)/python course/tools/grade.py "$(FOLDER)" $(if $(ASSIGNMENT),--assignment $(ASSIGNMENT))

# ---- tests

# The driver of the browser suite; without node its tests are skipped, and say so.
tests/browser/node_modules: tests/browser/package.json
	@command -v npm > /dev/null && cd tests/browser && \
	    npm install --silent --no-audit --no-fund --no-package-lock && touch node_modules || \
	    echo "npm cannot install what tests/browser/package.json lists: the browser suite is skipped"

# What a worker has compiled, its later tests and kernels of notebooks need not compile again.
COMPILED := JAX_COMPILATION_CACHE_DIR=$(CURDIR)/.jax_cache JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 \
    JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1
PYTEST := $(COMPILED) $(BIN)/python -m pytest -n $(WORKERS) --dist loadscope -q
# make test QUICK=1: most of a first run is compiling, which takes half as long with fewer passes over a program
# (chapter 8: 87 s of CPU for 134; with no passes 104, since programs then run longer).
# The last digits may not be a reader's.
ifdef QUICK
export XLA_FLAGS := --xla_backend_optimization_level=1
endif

test: .venv/.installed lint tests/browser/node_modules
	$(PYTEST) -m "not everywhere" tests notebooks --nbval --nbval-current-env \
	    --nbval-sanitize-with tests/nbval_sanitize.cfg

test-everywhere: .venv/.installed .venv-colab/.installed .venv-oldest/.installed tests/browser/node_modules
	$(PYTEST) -m everywhere tests

mutants: .venv/.installed
	$(BIN)/python book/tools/mutants.py -j $(WORKERS)

coverage: .venv/.installed
	$(BIN)/coverage run --source ntk_helpers -m pytest -q -m "not book" tests
	$(BIN)/coverage report --skip-covered

lint: .venv/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

benchmark: .venv/.installed
	for script in tests/benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

# ---- drift: versions that nobody has locked

drift-colab:
	$(PYTHON) tests/environments/colab_now.py
	$(MAKE) test-everywhere

drift-newest: lock
	$(MAKE) test

book-newest-sphinx:
	$(PYTHON) -m venv --clear .venv-newest
	.venv-newest/bin/python -m pip install --quiet --upgrade -r tests/environments/newest_sphinx.in
	.venv-newest/bin/python $(PIP_INSTALL) jupyter-book==1.0.4.post1
	.venv-newest/bin/python tests/built_book.py _build/newest-sphinx

# ---- versions

lock:
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/python -m pip install --quiet uv
	.venv-lock/bin/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	    --fork-strategy fewest --no-emit-index-url --no-annotate --upgrade --quiet -o requirements.txt

clean:
	rm -rf _build .jax_cache .mypy_cache .venv .venv-colab .venv-oldest .venv-lock .venv-newest tests/browser/node_modules
