# `make help` lists the targets. Everything runs in the environment of tools/in, which is made when it is first needed.
IN := tools/in
BUILD := build
# Tests wait for kernels half of the time: two workers more than there are processors.
JOBS ?= $(shell expr $$(nproc) + 2)

PYTHON_315 ?= python3.15
# A minute of tests: what is built upon CPython's own functions and structures.
TESTS_315 := $(addprefix tests/,host/test_unknown_python.py host/test_modules.py conformance/test_suites.py \
	$(addprefix kernel/test_,concurrent_interpreters.py low_level_interpreters.py interpreters_module.py queues.py \
	exceptions.py lazy_imports.py visits.py import_locks.py))
SECONDS ?= 60
SEED ?=
TEST ?=

.PHONY: help demo lab lessons build labextension docs check test unit labtest browsertest screenshots kernel conformance soak wheel wheel-test lint bench build-315 kernel-315 test-315 compatibility clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: build ## set everything up, build, run notebooks/0-first-minute.ipynb through the kernel, write build/demo/
	@$(IN) python3 tools/commands/demo.py notebooks/0-first-minute.ipynb $(BUILD)/demo

lab: build ## open JupyterLab with the kernel, on my-notebooks/, a copy of notebooks/ to write in
	@$(IN) tools/commands/lab.sh notebooks my-notebooks

lessons: build ## run the notebooks/ again and store in them what they show
	@$(IN) python3 tools/commands/lessons.py notebooks/*.ipynb

build: labextension ## compile the kernel and the JupyterLab extension
	@$(IN) cmake -S . -B $(BUILD) -G Ninja --log-level=WARNING >/dev/null
	@$(IN) ninja -C $(BUILD) --quiet

labextension: ## the JupyterLab extension alone, in build/share/jupyter/labextensions/
	@$(IN) tools/commands/labextension.sh

docs: ## the manual, in build/docs/; warnings are errors
	@rm -rf $(BUILD)/docs
	@$(IN) python3 -m sphinx --quiet --fresh-env --fail-on-warning --keep-going --doctree-dir $(BUILD)/docs-cache docs $(BUILD)/docs

check: build ## before a commit: the style and the tests of what has changed; TEST=routing runs that test alone
	@$(IN) tools/commands/check.py --jobs $(JOBS) $(TEST)

test: lint unit labtest browsertest docs wheel-test kernel kernel-315 ## run every test

unit: build ## the C++ unit tests
	@$(IN) $(BUILD)/tests/unit_tests

labtest: labextension ## the extension's unit tests
	@$(IN) npm --prefix labextension run --silent test

browsertest: build ## the panel and the cells in a real browser, with JupyterLab and Notebook 7; pictures in build/screenshots/
	@$(IN) npm --prefix labextension run --silent test:browser

screenshots: browsertest ## the pictures of the README and the docs, made anew
	@$(IN) python3 tools/commands/screenshots.py $(BUILD)/screenshots docs/images

kernel: build wheel docs ## the tests that speak to a real kernel over real sockets, and those of the tools
	@$(IN) python3 -m pytest tests -n $(JOBS) --dist loadgroup

conformance: build ## CPython's own suites with the kernel's modules, beside the stock python (part of `kernel`)
	@$(IN) python3 -m pytest tests/conformance -n $(JOBS)

soak: build ## random operations on interpreters from eight threads, for SECONDS; SEED=N repeats a run
	@XINTERP_SOAK_SECONDS=$(SECONDS) XINTERP_SOAK_SEED=$(SEED) $(IN) python3 -m pytest tests/soak -n 2 -rP

lint: build ## formatting, types, clang-tidy, ruff, mypy, shellcheck
	@$(IN) tools/commands/lint.sh

wheel: build ## the wheel and the source archive, in build/dist/
	@rm -rf $(BUILD)/dist
	@$(IN) python3 -m build --quiet --no-isolation --outdir $(BUILD)/dist

wheel-test: wheel ## install the wheel and run it on a machine with Python, pip and Jupyter alone
	@if [ "$$($(IN) printenv XINTERP_ENVIRONMENT)" = sysroot ]; then \
		XINTERP_USE=sysroot XINTERP_PACKAGES=tools/packages-minimal.txt $(IN) python3 tests/installed/try_minimal.py; \
	else \
		echo "wheel: not tried on a minimal machine, which takes the private userland (docs/environment.md)"; \
	fi

build-315: # both hosts with Python 3.15 in them, without the C++ unit tests
	@$(IN) sh -c 'cmake -S . -B build-315 -G Ninja --log-level=WARNING -DPython_EXECUTABLE=$$(command -v $(PYTHON_315))' >/dev/null
	@$(IN) ninja -C build-315 --quiet xinterp xinterp_module xinterp_hosted xinterp_python_program xinterp-echo shadow shadow_module

kernel-315: ## a minute of the kernel's tests with Python 3.15 in it, if there is one
	@if $(IN) sh -c 'command -v $(PYTHON_315)' >/dev/null; then \
		$(MAKE) --no-print-directory build-315 && XINTERP_BUILD=build-315 $(IN) python3 -m pytest $(TESTS_315) -n $(JOBS) --dist loadgroup; \
	else \
		echo "kernel: not tried with Python 3.15, as there is no $(PYTHON_315)"; \
	fi

test-315: build-315 ## all of the kernel's tests with Python 3.15 in it, and CPython 3.15's own suites
	@XINTERP_BUILD=build-315 $(IN) python3 -m pytest tests/kernel tests/host tests/conformance -n $(JOBS)

bench: build ## measure this kernel beside ipykernel and xpython; writes build/bench.json
	@$(IN) python3 bench/bench.py --output $(BUILD)/bench.json

compatibility: build ## try magics, displays and packages in each kind of interpreter; writes docs/compatibility.md
	@$(IN) python3 tools/commands/compatibility.py

clean: ## remove what was built (the environment in the cache folder stays)
	@rm -rf $(BUILD) build-wheel build-315 labextension/lib labextension/node_modules
