# Thin front door to the CMake presets; `make help` lists the targets. Variables:
#
#   JOBS=N         parallel jobs (default: all processors)
#   CMAKE_ARGS=…   more options for the configuration, such as -DKT_WERROR=ON

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
export JOBS

# $(call build,PRESET,TARGETS). cmake starts a make of its own, which must not inherit this one's
# flags.
build = @unset MAKEFLAGS MFLAGS MAKELEVEL; cmake --preset $(1) $(CMAKE_ARGS) >/dev/null && \
    cmake --build --preset $(1) -j $(JOBS) $(if $(2),--target $(2))
# Later kernels lay memory out in a way that gcc's ThreadSanitizer refuses: switch that off if
# allowed.
no_aslr = $(shell setarch -R true 2>/dev/null && echo setarch -R)

.DEFAULT_GOAL := all
.PHONY: interop all demo test medium api check asan torture tsan bench golden size format install conformance man \
    fuzz fuzz-smoke hostile crash coverage clean help

all: ## build everything (release)
	$(call build,release)

demo: ## train on real data: DATA=mnist for another set, DEMO_ARGS=--smoke for a few seconds
	@tools/apt_deps.sh build $(if $(DATA),,data)
	$(call build,release,example_demo)
	@build/release/examples/demo $(DATA) $(DEMO_ARGS)

test: ## short tests, under two minutes
	@tools/apt_deps.sh build data
	$(call build,release)
	@cmake/run_tests.sh build/release -L short

medium: ## medium tests: the examples with --smoke, and what takes longer
	$(call build,release)
	@cmake/run_tests.sh build/release -L medium

api: ## install into a temporary folder and use it from C99 to C23 and C++
	$(call build,release)
	@tests/api/run.sh build/release

check: ## style, dependencies, globals, headers, docs, format: before every commit
	$(call build,release,keratin_static keratin_shared)
	@rc=0; \
	python3 tools/check_style.py || rc=1; \
	python3 tools/check_deps.py || rc=1; \
	python3 tools/check_globals.py build/release || rc=1; \
	tests/api/headers.sh || rc=1; \
	python3 tools/check_docs.py || rc=1; \
	cmake/clang_format.sh --check || rc=1; \
	exit $$rc

asan: ## short tests under AddressSanitizer, UBSan and the leak check
	$(call build,asan)
	@cmake/run_tests.sh build/asan -L short

torture: ## each allocation failing in turn, those of libraries too, under AddressSanitizer
	$(call build,asan,test_torture test_malloc)
	@cmake/run_tests.sh build/asan -R '^test_(torture|malloc)$$'

hostile: ## thousands of hostile files: exact exit codes, limits of time and memory, sanitizers
	$(call build,asan,keratin_command)
	$(call build,release,keratin_command)
	@tests/hostile/run.py build/release/keratin --jobs $(JOBS) --strict-limits
	@tests/hostile/run.py build/asan/keratin --jobs $(JOBS)

coverage: ## lines and branches that the short tests reach
	$(call build,coverage)
	@cmake/run_tests.sh build/coverage -L short
	@tools/coverage.py build/coverage

crash: ## saves killed at random moments and at every system call; disks that are full, fail, lose power
	$(call build,release,keratin_command)
	@tests/crash/run.py build/release/keratin
	@tests/crash/boundaries.py build/release/keratin

FUZZ_SECONDS ?= 900
fuzz: ## fuzz targets, two at a time, FUZZ_SECONDS=900 each: T="json zip" for some
	$(call build,fuzz)
	@fuzz/run.sh $(FUZZ_SECONDS) 2 $(T)

fuzz-smoke: ## each fuzz target for 30 seconds, two at a time
	$(call build,fuzz)
	@fuzz/run.sh 30 2

tsan: ## short tests under ThreadSanitizer
	$(call build,tsan)
	@$(no_aslr) cmake/run_tests.sh build/tsan -L short

bench: ## [src/cli/bench.c] time the standard workloads: ARGS="--workload NAME"
	$(call build,release,keratin_command)
	@build/release/keratin bench $(ARGS)

interop: ## [tests/interop/interop.py] models of every layer type to real Keras and back
	$(call build,release,test_interop test_saving)
	@tests/interop/run.sh build/release/tests

golden: ## [tools/golden/make.sh] write the golden files again with real Keras
	@tools/golden/make.sh

conformance: ## the cases that real Keras computed, through the command: ARGS="--group layers_core"
	$(call build,release,keratin_command)
	@if [ -f ../shared/conformance/run.py ]; then \
	    python3 ../shared/conformance/run.py --keratin build/release/keratin -j 2 $(ARGS); \
	else echo "conformance: ../shared/conformance is not here, nothing was run"; fi

man: ## write docs/keratin.1 again from the tables of src/cli
	$(call build,release,keratin_command)
	@build/release/keratin --man-page >docs/keratin.1

size: ## lines per folder against tools/budget.txt
	@python3 tools/size.py

format: ## clang-format every file in place
	@cmake/clang_format.sh --fix

install: ## install below PREFIX (/usr/local), with DESTDIR before it
	$(call build,release)
	@cmake --install build/release --prefix $(PREFIX)

clean: ## remove build/
	@rm -rf build

# A description that begins with [FILE] is shown once that file is there.
help: ## this list
	@awk -F ': ## ' '/^[a-z-]+: ## / { text = $$2; \
	    if (match(text, /^\[[^]]*\] /)) { \
	        file = substr(text, 2, RLENGTH - 3); text = substr(text, RLENGTH + 1); \
	        if ((getline line < file) < 0) next } \
	    printf "  make %-12s %s\n", $$1, text }' Makefile
