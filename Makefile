SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The first Python that runs and fits `requires-python`; a name may be on the path and still not run.
FITS := import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))
PYTHON ?= $(firstword $(foreach name,python3.12 python3.11 python3,$(if $(shell $(name) -c '$(FITS)' 2>/dev/null && echo yes),$(name))))
BIN := .venv/bin
MODELS := $(foreach name,isnet selfie,model_repository/$(name)/1/model.onnx)
DIFFUSION := .triton/clearcanvas-extra-diffusion-cpu.sha256
UV ?= uv
NPM_CI := npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier
NPM_LOCK := npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --no-update-notifier
COMPILE := $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet
PROTOC := $(BIN)/python -m grpc_tools.protoc -I proto \
	--plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc

.PHONY: help
help: ## Show what can be made
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

.PHONY: demo
demo: ready ## Set everything up, cut out one photo through the whole stack, pay for another, show the times
	$(BIN)/python -m cli demo

.PHONY: diffusion
diffusion: $(DIFFUSION) ## Add to .triton what the diffusion model `inpaint` needs on a CPU

.PHONY: up
up: ready ## Start the stack on 127.0.0.1 and keep it until Ctrl-C; ARGS="--devnet --http HOST:PORT …"
	exec $(BIN)/python -m cli up $(ARGS)

.PHONY: test
test: ready tests/clients/node_modules/.done .s3/.done ## Run all tests; REQUIRE_ALL=1 makes leaving one out a failure, ARGS are pytest's
	$(MAKE) --no-print-directory diffusion || { echo 'The tests of the diffusion model are left out.'; [ "$${REQUIRE_ALL:-0}" != 1 ]; }
	$(if $(ARGS),$(BIN)/python -m pytest $(ARGS),$(BIN)/python -m pytest -n 2 tests/unit && $(BIN)/python -m pytest -n 2 --dist loadfile tests/integration && $(BIN)/python -m pytest -n 2 --dist loadfile -m 'not alone' tests/e2e && $(BIN)/python -m pytest -m alone tests/e2e)

.PHONY: soak
soak: .venv/.done ## Try 10,000 histories of payments with faults between any two steps
	HISTORIES=10000 $(BIN)/python -m pytest tests/unit/adapter/payments/test_gate_histories.py $(ARGS)

.PHONY: gallery
gallery: ready ## Render every background with every shadow on the photos, on one sheet: docs/gallery.jpg
	$(BIN)/python -m tools.gallery $(ARGS)

.PHONY: screens
screens: ready tests/clients/node_modules/.done ## Take pictures of every page and of the playground's states: docs/screens (needs Chromium)
	$(BIN)/python -m tools.screens $(ARGS)

.PHONY: bench
bench: ready ## Measure speed and memory beside bare inference and rembg, and what payment costs
	$(BIN)/python -m benchmarks $(ARGS)
	$(BIN)/python -m benchmarks.operations
	$(BIN)/python -m benchmarks.video
	$(BIN)/python -m benchmarks.replicas
	$(BIN)/python -m benchmarks.payments

.PHONY: cases
cases: .venv/.done ## Show which faults and attacks the tests cover
	$(BIN)/python -m tools.cases

.PHONY: check check-style check-types check-imports check-proto check-tree
check: check-style check-types check-imports check-proto check-tree ## Check style, types, imports, contract and tree

check-style: .venv/.done
	$(BIN)/ruff check
	$(BIN)/ruff format --check

check-types: .venv/.done
	$(BIN)/mypy

check-imports: .venv/.done
	$(BIN)/lint-imports --no-logo

check-proto: .venv/.done
	$(BIN)/buf lint
	$(BIN)/buf breaking --against proto/released.binpb
	scratch=$$(mktemp -d); trap 'rm -r "$$scratch"' EXIT; \
	$(PROTOC) --python_out="$$scratch" --mypy_out=quiet:"$$scratch" --grpc_python_out="$$scratch" --mypy_grpc_out=quiet:"$$scratch" \
		proto/clearcanvas/v1/*.proto; \
	diff -r --exclude=__init__.py --exclude=__pycache__ "$$scratch" proto/gen || { echo 'proto/gen is stale; run: make proto'; exit 1; }

check-tree: .venv/.done
	$(BIN)/python -m tools.tree

.PHONY: proto
proto: .venv/.done ## Generate proto/gen from the contract
	$(PROTOC) --python_out=proto/gen --mypy_out=quiet:proto/gen --grpc_python_out=proto/gen --mypy_grpc_out=quiet:proto/gen \
		proto/clearcanvas/v1/*.proto

.PHONY: proto-release
proto-release: .venv/.done ## Make the contract as it stands the one that must not break
	$(BIN)/buf build --exclude-source-info --output proto/released.binpb

.PHONY: lock
lock: ## Resolve the dependencies again (needs uv); takes the newest versions that fit
	$(COMPILE) --upgrade pyproject.toml --output-file requirements/app.lock
	$(COMPILE) --upgrade pyproject.toml --group dev --constraint requirements/app.lock --output-file requirements/dev.lock
	for name in server adapter build; do $(COMPILE) --upgrade --constraint requirements/app.lock --constraint requirements/dev.lock \
		deploy/images/$$name.in --output-file deploy/images/$$name.lock; done
	$(COMPILE) --upgrade engine/requirements.in >engine/requirements.lock
	$(COMPILE) --no-deps engine/tritonserver.in >>engine/requirements.lock
	$(COMPILE) --upgrade --constraint engine/requirements.lock engine/torch-cuda.in >engine/torch-cuda.lock
	$(COMPILE) --upgrade --constraint engine/requirements.lock --constraint engine/torch-cuda.lock \
		$$(sed -nE 's/^((torch|triton|nvidia-[a-z0-9-]+|cuda-[a-z]+)==).*/--no-emit-package \1/p' engine/torch-cuda.lock | tr -d =) \
		engine/diffusion.in engine/torch-cuda.in >engine/diffusion.lock
	$(COMPILE) --upgrade tests/s3/requirements.in >tests/s3/requirements.lock
	rm -f devnet/package-lock.json tests/clients/package-lock.json
	cd devnet && $(NPM_LOCK)
	cd tests/clients && $(NPM_LOCK)

.PHONY: token
token: ## Compile the token of the local chains again
	scratch=$$(mktemp -d); trap 'rm -r "$$scratch"' EXIT; \
	cp devnet/package.json devnet/package-lock.json devnet/token/compile.mjs "$$scratch"; \
	(cd "$$scratch" && $(NPM_CI)); \
	node "$$scratch/compile.mjs" devnet/token/DevUSDC.sol devnet/token/DevUSDC.json

.PHONY: clean
clean: ## Remove everything that was made here
	rm -rf .venv .triton .devnet .s3 .bench data demo tests/clients/node_modules .*_cache .hypothesis .schemathesis model_repository/*/[0-9]*/*.onnx
	find . -name __pycache__ -prune -exec rm -rf {} +

.PHONY: ready
ready: .venv/.done .triton/.done .devnet/.done $(MODELS)

.venv/.done: requirements/dev.lock pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo 'Python 3.11 or 3.12 (with venv) is needed; none of python3.12, python3.11, python3 is one. Name it with: make PYTHON=...'; exit 1; }
	@echo 'Setting up .venv, the application and its tools'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --require-hashes --no-deps -r requirements/dev.lock
	$(BIN)/pip install --no-deps --no-build-isolation --editable .
	@touch $@

.triton/.done: engine/requirements.lock | .venv/.done
	@echo 'Setting up .triton, the inference server'
	$(BIN)/python -m engine install
	@touch $@

$(DIFFUSION): engine/diffusion.lock engine/torch-cpu.lock .triton/.done
	@echo 'Adding to .triton what the diffusion model needs'
	$(BIN)/python -m engine install --with diffusion-cpu
	@touch $@

.devnet/.done: devnet/package-lock.json | .venv/.done
	@echo 'Setting up .devnet, the local chains'
	$(BIN)/python -m devnet install
	@touch $@

tests/clients/node_modules/.done: tests/clients/package-lock.json
	@echo 'Setting up the public JavaScript clients that the tests call with'
	cd tests/clients && $(NPM_CI)
	@touch $@

.s3/.done: tests/s3/requirements.lock | .venv/.done
	@echo 'Setting up .s3, the object store that tests write to'
	$(PYTHON) -m venv .s3
	.s3/bin/pip install --require-hashes --no-deps -r $<
	@touch $@

model_repository/%/1/model.onnx: model_repository/%/config.pbtxt | .venv/.done
	@echo 'Fetching the model $*'
	$(BIN)/python -m cli models pull $*
	@touch $@
