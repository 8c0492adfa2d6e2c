# Everything sets itself up: a machine needs Python 3.11 and make (git, for development).
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
UV := $(shell command -v uv || echo .tools/uv/bin/uv)
export PATH := $(CURDIR)/.tools/bin:$(CURDIR)/.tools/uv/bin:$(PATH)
export UV_PYTHON_DOWNLOADS := never
# Our environments keep their bytecode: without it every task would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

LOCKS := $(wildcard containers/*/*.lock)

.PHONY: help setup demo lint format test check test-all test-search bench images images-offline tools cluster-tools compile docs lock clean

help:  ## List what can be made.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# -- set-up ----------------------------------------------------------------------------------------------------------
setup: .venv/.stamp .environments/.stamp  ## Build every environment (the other targets do it when needed).

$(UV):
	$(PYTHON) -m venv .tools/uv
	.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.5'

.venv/.stamp: requirements.lock | $(UV)
	@echo "Building the environment of the gauntlet command (.venv)"
	@rm -rf .venv && $(UV) venv --quiet --python $(PYTHON) .venv
	@$(UV) pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
	@echo $(CURDIR)/src > $$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/gauntlet.pth
	@printf '#!/bin/sh\nexec "%s/.venv/bin/python" -m gauntlet.cli.main "$$@"\n' '$(CURDIR)' > .venv/bin/gauntlet
	@chmod +x .venv/bin/gauntlet
	@touch $@

.environments/.stamp: $(LOCKS) .venv/.stamp
	@.venv/bin/python -m gauntlet.orchestration.environments
	@touch $@

# The oracles lie in a folder below, which tests/builders/oracles.py puts behind an image's own packages.
.environments/test-tools/.stamp: requirements-test.lock requirements-oracles.lock .venv/.stamp
	@rm -rf .environments/test-tools
	@$(UV) pip install --quiet --python .venv/bin/python --require-hashes -r requirements-test.lock --target .environments/test-tools
	@$(UV) pip install --quiet --python .venv/bin/python --require-hashes --no-deps -r requirements-oracles.lock --target .environments/test-tools/oracles/site-packages
	@touch $@

# -- using it --------------------------------------------------------------------------------------------------------
demo: setup  ## From generated data to a champion that serves, and a challenger past it; FAULT=list for faults to plant.
	@.venv/bin/python -m gauntlet.demo $(if $(FAULT),--fault $(FAULT))

# -- developing it ---------------------------------------------------------------------------------------------------
lint: .venv/.stamp  ## Style, types, layers, compiled pipelines that are up to date, no known advisory.
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo 2>/dev/null || .venv/bin/lint-imports
	.venv/bin/gauntlet compile --check
	.venv/bin/python containers/advisories.py

format: .venv/.stamp  ## Rewrite the code in the house style.
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

compile: .venv/.stamp  ## Write pipelines/compiled.
	.venv/bin/gauntlet compile

docs: .venv/.stamp  ## Write docs/settings.md, the tables of docs/architecture.md and the JSON Schemas from the code.
	.venv/bin/python docs/settings.py
	.venv/bin/python docs/architecture.py
	.venv/bin/python docs/behavior_schema.py
	.venv/bin/python docs/team_schema.py

# What each tier holds: tests/groups.toml and tests/tiers.py. GROUPS="data browser" takes some of it.
run_groups = @.venv/bin/python tests/run_groups.py
export MAKE # which that script calls

test: setup .environments/test-tools/.stamp  ## The fast tests, each in the environment of the image it belongs to.
	$(run_groups) test $(GROUPS)

check: setup .environments/test-tools/.stamp  ## Style, the fast tests, and every kind of real part once: what CI runs.
	$(run_groups) check $(GROUPS)

test-all: setup .environments/test-tools/.stamp  ## Everything at full counts, hours; writes docs/quality.md.
	$(run_groups) all $(GROUPS)

test-search: setup .environments/test-tools/.stamp  ## Every property test with fifty times its examples, new ones (or SEED=…).
	@.venv/bin/python tests/property_search.py $(GROUPS)

bench: setup  ## Every benchmark beside its peers, about half an hour on an idle machine (benchmarks/RESULTS.md).
	TF_CPP_MIN_LOG_LEVEL=3 .environments/data/bin/python benchmarks/statistics_parquet.py
	.venv/bin/python benchmarks/evaluation_slices.py
	.venv/bin/python benchmarks/paired_auc.py
	.environments/data/bin/python benchmarks/detect_skew.py
	.environments/model/bin/python benchmarks/feature_replay.py
	.venv/bin/python benchmarks/startup.py
	.venv/bin/python benchmarks/load_generator.py
	.environments/serving/bin/python benchmarks/serving_throughput.py
	.environments/serving/bin/python benchmarks/large_bodies.py

# -- images ----------------------------------------------------------------------------------------------------------
images: .venv/.stamp  ## Build every image with podman, buildah or docker, whichever works.
	.venv/bin/python containers/build.py

# Both hold where CI runs inside a container: no image registry, hence our own base; no namespaces, hence chroot.
images-offline: export GAUNTLET_BASE_IMAGE := localhost/gauntlet/base:bookworm
images-offline: export CONTAINERS_CONF := $(CURDIR)/containers/restricted.conf
images-offline: export BUILDAH_ISOLATION := chroot
images-offline: setup  ## The same without an image registry (root, debootstrap), and the tests of the images.
	containers/bootstrap-base.sh $$GAUNTLET_BASE_IMAGE
	.venv/bin/python containers/build.py
	.venv/bin/python -m pytest -q tests/images -m images

tools:  ## Build the outside tools that slow tests use (a storage emulator; needs Go).
	CGO_ENABLED=0 GOBIN=$(CURDIR)/.tools/bin go install github.com/fsouza/fake-gcs-server@v1.52.3

cluster-tools: .tools/cluster/.stamp  ## Build a Kubernetes API server for slow tests, with KServe's CRDs (needs Go; minutes, once).

.tools/cluster/.stamp: $(wildcard tests/cluster/tools/*)
	@tests/cluster/tools/build.sh .tools/cluster
	@touch $@

lock: .venv/.stamp  ## Resolve every requirements file again.
	for image in data evaluation delivery serving; do $(UV) pip compile -q --python-version 3.11 --generate-hashes --no-header containers/$$image/requirements.in -o containers/$$image/requirements.lock; done
	for wheel in cpu cuda; do $(UV) pip compile -q --python-version 3.11 --generate-hashes --no-header containers/model/requirements.$$wheel.in -o containers/model/requirements.$$wheel.lock; done
	$(UV) pip compile -q --python-version 3.11 --generate-hashes --no-header pyproject.toml --extra cli --group dev --group test -o requirements.lock
	$(UV) pip compile -q --python-version 3.11 --generate-hashes --no-header --group test -o requirements-test.lock
	$(UV) pip compile -q --python-version 3.11 --generate-hashes --no-header --group oracles -c containers/evaluation/requirements.lock --no-emit-package numpy --no-emit-package scipy -o requirements-oracles.lock

clean:  ## Remove environments, runs and caches.
	rm -rf .venv .environments .tools runs .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
