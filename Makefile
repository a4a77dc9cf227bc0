# Needs only Python 3.11 or newer with venv, and make. Everything else is installed into $(VENV).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Compiled tests and modules are kept, also where the environment forbids it, as images for containers do: each process
# that a test starts would compile all modules again.
KEEP_COMPILED := PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(abspath $(VENV))/compiled
PYTEST := $(KEEP_COMPILED) $(BIN)/pytest -q -n 2 --durations=20
STORE_TEST ?= postgresql://root@127.0.0.1:5432/test

.DEFAULT_GOAL := help
.PHONY: help demo test coverage check test-browser test-data test-pages docs clean model limits fuzz sbom release-check

help:
	@echo "make demo       a real photograph, a simulated city, an index with intervals, charts, a clip (in demo/)"
	@echo "make test       the default test suite"
	@echo "make coverage   the same suite, and how much of the code it ran"
	@echo "make check      formatting, lint, types, layers, words"
	@echo "make test-browser  the pages of felicity serve in Chromium"
	@echo "make test-data  tests on the development data and on running services"
	@echo "make test-pages  tutorials and how-to pages, followed from their text"
	@echo "make docs       the site, in site/html/: tutorials, how-to, reference, explanation; a broken link is an error"
	@echo "make limits     what hostile files cost: memory and time, as a table"
	@echo "make fuzz       mutated files into every parser, SECONDS=60 each; crashes are kept in tests/fuzz;"
	@echo "                GUIDED=1: inputs that reach new code (needs: pip install atheris)"
	@echo "make sbom       a bill of materials (CycloneDX), and the licences of all packages"
	@echo "make release-check   builds, installs and uses a release as a user would, with each extra (ten minutes)"
	@echo "make model      train, calibrate and export the shipped bundles (hours; needs the development data)"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/use.stamp: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable .
	@touch $@

$(VENV)/dev.stamp: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable ".[dev]"
	@touch $@ $(VENV)/use.stamp

$(VENV)/serve.stamp: $(BIN)/python pyproject.toml constraints.txt
	$(INSTALL) --editable ".[serve]"
	@touch $@ $(VENV)/use.stamp

demo: $(VENV)/serve.stamp
	$(BIN)/felicity demo --output demo
	@echo "open the page: $(BIN)/felicity serve --demo --clip demo/people.mp4 --open"

test: $(VENV)/dev.stamp
	$(PYTEST) -m "not shared_data and not service and not browser and not page" $(PYTEST_ARGS)

coverage: $(VENV)/dev.stamp
	$(MAKE) test PYTEST_ARGS="--cov --cov-report="
	@echo "coverage of the default suite: $$($(BIN)/coverage report --format=total) %"

check: $(VENV)/dev.stamp
	$(BIN)/ruff format --check src tests scripts benchmarks
	$(BIN)/ruff check src tests scripts benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/test_words.py

# The runtime with which browsers classify by themselves is fetched by npm; the stamp names its folder.
$(VENV)/tryit.stamp: src/felicity/api/web_runtime.py | $(VENV)/dev.stamp
	FELICITY_HOME=$(abspath $(VENV))/felicity $(BIN)/felicity serve install tryit > $@.part
	@mv $@.part $@

test-data: $(VENV)/dev.stamp $(VENV)/tryit.stamp
	FELICITY_NO_SKIP=1 FELICITY_TRYIT="$$(cat $(VENV)/tryit.stamp)" FELICITY_TEST_POSTGRES=$(STORE_TEST) $(PYTEST) -m "shared_data or service"

test-browser: $(VENV)/dev.stamp $(VENV)/tryit.stamp
	FELICITY_NO_SKIP=1 FELICITY_TRYIT="$$(cat $(VENV)/tryit.stamp)" $(PYTEST) -m "browser and not shared_data"

test-pages: $(VENV)/dev.stamp
	FELICITY_NO_SKIP=1 $(PYTEST) -m "page and not shared_data"

docs: $(VENV)/dev.stamp
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --builder html docs site/html
	$(BIN)/python scripts/links.py site/html
	@echo "site/html/index.html"

# The shipped bundles: a teacher teaches a first network, which teaches a second, which goes on as a third; this is made
# twice as wide, and then teaches what becomes best. A small one goes the same way and becomes fast. Each training goes
# on where it was stopped. Last, best and fast get the output that tells covered faces. How much of them is chance?
# make model SEED=2 WORK=again ZOO=again/zoo trains others beside.
DATA ?= ../shared/data/fer2013
WORK ?= .cache/model
ZOO ?= src/felicity/models/zoo
PRECISION ?= bfloat16
SEED ?= 1
TRAIN = $(BIN)/felicity train $(DATA) --resume --precision $(PRECISION) --seed $(SEED)
EXPORT = $(BIN)/felicity bundle export --precision int8 --force --licence Apache-2.0

model: $(ZOO)/best $(ZOO)/fast

$(WORK)/teacher.trained: recipes/teacher.toml | $(VENV)/dev.stamp
	$(TRAIN) --config $< -o $(WORK)/teacher
	@touch $@

$(WORK)/first.trained: recipes/first.toml $(WORK)/teacher-bundle
	$(TRAIN) --config $< --teachers $(WORK)/teacher-bundle -o $(WORK)/first
	@touch $@

$(WORK)/second.trained: recipes/second.toml $(WORK)/first-bundle
	$(TRAIN) --config $< --teachers $(WORK)/first-bundle -o $(WORK)/second
	@touch $@

$(WORK)/small.trained: recipes/small.toml $(WORK)/second-bundle
	$(TRAIN) --config $< --teachers $(WORK)/second-bundle -o $(WORK)/small
	@touch $@

$(WORK)/third.trained: recipes/third.toml $(WORK)/first-bundle $(WORK)/second-bundle
	$(TRAIN) --config $< --start $(WORK)/second-bundle $(addprefix --teachers $(WORK)/,first-bundle second-bundle) \
		-o $(WORK)/third
	@touch $@

$(WORK)/wide.trained: recipes/wide.toml $(WORK)/first-bundle $(WORK)/second-bundle $(WORK)/third-bundle
	$(TRAIN) --config $< --start $(WORK)/third-bundle \
		$(addprefix --teachers $(WORK)/,first-bundle second-bundle third-bundle) -o $(WORK)/wide
	@touch $@

$(WORK)/fourth.trained: recipes/fourth.toml $(WORK)/third-bundle $(WORK)/wide-bundle
	$(TRAIN) --config $< --start $(WORK)/third-bundle --teachers $(WORK)/wide-bundle -o $(WORK)/fourth
	@touch $@

$(WORK)/fifth.trained: recipes/fifth.toml $(WORK)/fourth-bundle $(WORK)/wide-bundle
	$(TRAIN) --config $< --start $(WORK)/fourth-bundle $(addprefix --teachers $(WORK)/,fourth-bundle wide-bundle) \
		-o $(WORK)/fifth
	@touch $@

$(WORK)/small-second.trained: recipes/small-second.toml $(WORK)/small-bundle $(WORK)/third-bundle
	$(TRAIN) --config $< --start $(WORK)/small-bundle --teachers $(WORK)/third-bundle -o $(WORK)/small-second
	@touch $@

$(WORK)/small-third.trained: recipes/small-third.toml $(WORK)/small-second-bundle $(WORK)/wide-bundle
	$(TRAIN) --config $< --start $(WORK)/small-second-bundle --teachers $(WORK)/wide-bundle -o $(WORK)/small-third
	@touch $@

$(WORK)/small-fourth.trained: recipes/small-fourth.toml $(WORK)/small-third-bundle $(WORK)/fifth-bundle
	$(TRAIN) --config $< --start $(WORK)/small-third-bundle --teachers $(WORK)/fifth-bundle -o $(WORK)/small-fourth
	@touch $@

$(WORK)/small-fifth.trained: recipes/small-fifth.toml $(WORK)/small-fourth-bundle $(WORK)/fifth-bundle
	$(TRAIN) --config $< --start $(WORK)/small-fourth-bundle --teachers $(WORK)/fifth-bundle -o $(WORK)/small-fifth
	@touch $@

$(WORK)/small-sixth.trained: recipes/small-sixth.toml $(WORK)/small-fifth-bundle $(WORK)/fifth-bundle
	$(TRAIN) --config $< --start $(WORK)/small-fifth-bundle --teachers $(WORK)/fifth-bundle -o $(WORK)/small-sixth
	@touch $@

# From here on with press photographs (--more). The sixth network is the mean of runs that began alike, with other seeds
# and settings; the seventh is the mean of two that went on from it, and of it. The eighth and best see images of 64
# pixels, in two runs each. fast is half-way between its start and its run.
NEWS ?= ../shared/data/news_faces
FURTHER = $(TRAIN) --more $(NEWS)
press-others = press-2 press-3
seventh-others = seventh-2
seventh-blend = --blend 0.3333
eighth-others = eighth-2
best-others = best-2
fast-blend = --blend 0.5
MEAN = $(addprefix --average $(WORK)/,$($*-others)) $($*-blend)

$(WORK)/press.trained: recipes/press.toml $(WORK)/fifth-bundle
	for run in "press" \
		"press-2 --mix 0.75 --teacher-share 0.7 --seed $$(($(SEED)+1))" \
		"press-3 --learning-rate 0.03 --epochs 16 --views 6 --teacher-share 0.6 --seed $$(($(SEED)+2))"; do \
		$(FURTHER) --config $< --start $(WORK)/fifth-bundle --teachers $(WORK)/fifth-bundle -o $(WORK)/$$run || exit; \
	done
	@touch $@

$(WORK)/seventh.trained: recipes/seventh.toml $(WORK)/press-bundle
	for run in "seventh --seed $$(($(SEED)+9))" "seventh-2 --mix 0.75 --learning-rate 0.04 --seed $$(($(SEED)+10))"; do \
		$(FURTHER) --config $< --start $(WORK)/press-bundle --teachers $(WORK)/press-bundle -o $(WORK)/$$run || exit; \
	done
	@touch $@

$(WORK)/eighth.trained: recipes/eighth.toml $(WORK)/seventh-bundle
	for run in "eighth --seed $$(($(SEED)+100))" \
		"eighth-2 --mix 0.75 --learning-rate 0.04 --teacher-share 0.6 --seed $$(($(SEED)+101))"; do \
		$(FURTHER) --config $< --start $(WORK)/seventh-bundle --teachers $(WORK)/seventh-bundle -o $(WORK)/$$run || exit; \
	done
	@touch $@

$(WORK)/best.trained: recipes/best.toml $(WORK)/eighth-bundle $(WORK)/seventh-bundle
	for run in "best --seed $$(($(SEED)+102))" "best-2 --mix 0.75 --learning-rate 0.04 --seed $$(($(SEED)+103))"; do \
		$(FURTHER) --config $< --start $(WORK)/eighth-bundle \
			$(addprefix --teachers $(WORK)/,eighth-bundle seventh-bundle) -o $(WORK)/$$run || exit; \
	done
	@touch $@

$(WORK)/fast.trained: recipes/fast.toml $(WORK)/small-sixth-bundle $(WORK)/seventh-bundle
	$(FURTHER) --config $< --start $(WORK)/small-sixth-bundle --teachers $(WORK)/seventh-bundle -o $(WORK)/fast \
		--seed $$(($(SEED)+9))
	@touch $@

$(WORK)/%-bundle: $(WORK)/%.trained
	$(EXPORT) $(WORK)/$* $(MEAN) -o $@
	@touch $@

$(ZOO)/best $(ZOO)/fast: $(ZOO)/%: $(WORK)/%.trained recipes/card.toml recipes/covered.toml
	$(EXPORT) $(WORK)/$* $(MEAN) -o $(WORK)/$*-plain --name $* --evenness 0.5 --test-in-matrix --card recipes/card.toml
	$(BIN)/python scripts/covered_head.py $(WORK)/$*-plain $@ --data $(DATA) --more $(NEWS)
	@touch $@

clean:
	rm -rf $(VENV) demo site docs/reference .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis

limits: $(VENV)/dev.stamp
	PYTHONPATH=src $(BIN)/python scripts/limits.py

release-check: $(VENV)/dev.stamp
	$(INSTALL) --editable ".[release]"
	$(BIN)/python scripts/release_check.py

SBOM ?= sbom.json

sbom: $(VENV)/dev.stamp
	$(BIN)/python scripts/sbom.py $(SBOM)

SECONDS ?= 60

fuzz: $(VENV)/dev.stamp
	PYTHONPATH=src $(BIN)/python scripts/fuzz$(if $(GUIDED),_guided).py $(SECONDS)
