# `make` lists what there is.

# Debug is built soonest; CONFIGURATION=release makes the fast executables.
CONFIGURATION ?= debug
VMS ?= keep
TEST ?=
FUZZ_SECONDS ?= 60
FAULTS ?= 1000

# Without it, dependencies are compiled anew at random.
export SWIFT_DETERMINISTIC_HASHING := 1
export BIN := $(CURDIR)/.build/$(CONFIGURATION)
export VMS

SWIFT_BUILD := swift build -c $(CONFIGURATION) --explicit-target-dependency-import-check error
SOURCES := Package.swift Services Shared CommandLine Tests
SCRIPTS := Deploy/packages Deploy/install-completions Deploy/stack Deploy/stack-demo.sh Deploy/lib.sh Deploy/guest-image Deploy/private-libvirt \
  Deploy/private-postgres Tests/run Tests/Guest/build Tests/Guest/build-debian Tests/Guest/check Tests/Hosts/host \
  Tests/Hosts/network.sh Tests/Hosts/check Tests/Fuzz/run Tests/Faults/run Tests/promtool Benchmarks/lists \
  Benchmarks/identity Benchmarks/scale .ci/run

.PHONY: help demo up down clean-state build install test test-debian faults fuzz lint format packages

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

demo: packages build ## From nothing to a command run in a virtual machine over SSH
	@Deploy/stack demo

up: packages build ## Start the stack on this machine
	@Deploy/stack up

down: ## Stop what `make up` started; VMs keep running unless VMS=stop
	@Deploy/stack down

clean-state: ## Stop, and remove everything the stack made
	@Deploy/stack clean

packages: ## Install the Debian packages that are lacking
	@Deploy/packages build
	@Deploy/packages run

build: packages ## Build the executables
	$(SWIFT_BUILD)

# For people, and for packagers: DESTDIR goes before every path.
PREFIX ?= /usr/local

install: build ## Install the iaas command with its manual and completions below PREFIX (/usr/local)
	swift package generate-manual --configuration $(CONFIGURATION)
	install -D -m 0755 $(BIN)/iaas $(DESTDIR)$(PREFIX)/bin/iaas
	install -D -m 0644 .build/plugins/GenerateManual/outputs/iaas/iaas.1 $(DESTDIR)$(PREFIX)/share/man/man1/iaas.1
	@Deploy/install-completions $(BIN)/iaas $(DESTDIR)$(PREFIX)/share

test: packages ## Run every test (TEST=filter for some)
	swift build --build-tests --explicit-target-dependency-import-check error
	@BIN=$(CURDIR)/.build/debug Tests/run $(TEST)

test-debian: packages ## Build a Debian 12 cloud image with Debian's own tools; import, cache and boot it
	@Deploy/packages debian
	@Tests/Guest/build-debian $(CURDIR)/.build/debian-12.qcow2
	swift build --build-tests --explicit-target-dependency-import-check error
	@IAAS_TEST_DEBIAN=$(CURDIR)/.build/debian-12.qcow2 BIN=$(CURDIR)/.build/debug Tests/run aRealDebian

faults: packages ## Strike an installation of several hosts: every case, then FAULTS (1000) at random
	swift build --build-tests --explicit-target-dependency-import-check error
	@BIN=$(CURDIR)/.build/debug Tests/Faults/run --faults $(FAULTS)

fuzz: packages ## Feed the readers of disk images with made-up files, for FUZZ_SECONDS (60)
	@Tests/Fuzz/run $(FUZZ_SECONDS)

lint: ## Check the style of the code and the scripts
	swift format lint --strict --parallel --recursive $(SOURCES)
	@for script in $(SCRIPTS); do bash -n "$$script" || exit 1; done

format: ## Format the code
	swift format --in-place --parallel --recursive $(SOURCES)
