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
SCRIPTS := Deploy/packages Deploy/backup Deploy/database Deploy/init Deploy/rotate-keys Deploy/site-compose.sh \
  Deploy/site-stack.sh Deploy/swarm-file Dockerfiles/closure Dockerfiles/health Tests/Backup/check Tests/Compose/check \
  Tests/Upgrade/check Deploy/install-completions Deploy/stack Deploy/stack-demo.sh Deploy/lib.sh Deploy/guest-image Deploy/private-libvirt \
  Deploy/private-postgres Deploy/deb Deploy/install-services Tests/run Tests/Guest/build Tests/Guest/build-debian Tests/Guest/check Tests/Hosts/host \
  Tests/Hosts/network.sh Tests/Hosts/check Tests/Package/check Tests/Documents/check Tests/Fuzz/run Tests/Faults/run Tests/Contract/run Tests/Docs/run Tests/promtool Benchmarks/lists \
  Benchmarks/identity Benchmarks/scale .ci/run

.PHONY: help demo up down clean-state build static install deb backup restore test test-debian test-docs test-compose \
  test-upgrade faults contract fuzz lint format packages

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

# For what is installed elsewhere, where there is no toolchain.
STATIC := swift build -c release --static-swift-stdlib --disable-local-rpath --scratch-path .build/static \
  -Xlinker -z -Xlinker relro -Xlinker -z -Xlinker now

static: packages ## Build the executables so that they need no Swift where they run, into .build/static/release
	for product in gateway auth-service inventory-service compute-agent iaas; do $(STATIC) --product $$product || exit 1; done

# For people, and for packagers: DESTDIR goes before every path.
PREFIX ?= /usr/local

install: ## Install the iaas command with its manual and completions below PREFIX (/usr/local)
	@Deploy/packages build
	$(STATIC) --product iaas
	$(STATIC) --product generate-manual
	.build/static/release/generate-manual .build/static/release/iaas --output-directory .build/static
	install -D -s -m 0755 .build/static/release/iaas $(DESTDIR)$(PREFIX)/bin/iaas
	install -D -m 0644 .build/static/iaas.1 $(DESTDIR)$(PREFIX)/share/man/man1/iaas.1
	@Deploy/install-completions .build/static/release/iaas $(DESTDIR)$(PREFIX)/share

deb: packages ## Build the Debian package of the compute-agent into .build
	@Deploy/packages test
	$(STATIC) --product compute-agent
	@BIN=$(CURDIR)/.build/static/release Deploy/deb

BACKUP ?=
KEEP ?=
FROM ?=

backup: ## Add a backup of the installation to the folder BACKUP, while it runs (KEEP=n keeps the newest n)
	@Deploy/backup create $(or $(BACKUP),$(error say where: make backup BACKUP=/mnt/backup)) $(KEEP)

restore: packages ## Make an installation of a backup in the folder BACKUP (the newest, or FROM=name), where there is none
	@Deploy/backup restore $(or $(BACKUP),$(error say from where: make restore BACKUP=/mnt/backup)) $(FROM)

test: packages ## Run every test (TEST=filter for some)
	@Deploy/packages test
	swift build --build-tests --explicit-target-dependency-import-check error
	@BIN=$(CURDIR)/.build/debug Tests/run $(TEST)

test-debian: packages ## Build a Debian 12 cloud image with Debian's own tools; import, cache and boot it
	@Deploy/packages debian
	@Tests/Guest/build-debian $(CURDIR)/.build/debian-12.qcow2
	swift build --build-tests --explicit-target-dependency-import-check error
	@IAAS_TEST_DEBIAN=$(CURDIR)/.build/debian-12.qcow2 BIN=$(CURDIR)/.build/debug Tests/run aRealDebian

test-docs: packages ## Read and use the page at /docs with a real browser
	@Deploy/packages docs
	swift build --explicit-target-dependency-import-check error
	@BIN=$(CURDIR)/.build/debug Tests/Docs/run

test-compose: packages ## Build the containers; try the compose stack as it is installed (needs Docker)
	swift build --product iaas
	@BIN=$(CURDIR)/.build/debug Tests/Compose/check

test-upgrade: packages build ## Roll this version out over that of the commit FROM, while a guest runs
	@Tests/Upgrade/check $(or $(FROM),$(error say over which: make test-upgrade FROM=COMMIT))

faults: packages ## Strike an installation of several hosts: every case, then FAULTS (1000) at random
	swift build --build-tests --explicit-target-dependency-import-check error
	@BIN=$(CURDIR)/.build/debug Tests/Faults/run --faults $(FAULTS)

contract: packages ## Hold a live stack to docs/openapi.json with Schemathesis, as an administrator and as somebody else
	@Deploy/packages contract
	swift build --build-tests --explicit-target-dependency-import-check error
	@BIN=$(CURDIR)/.build/debug Tests/Contract/run

fuzz: packages ## Feed the readers of disk images with made-up files, for FUZZ_SECONDS (60)
	@Tests/Fuzz/run $(FUZZ_SECONDS)

lint: ## Check the style of the code and the scripts, and the links of the documents
	swift format lint --strict --parallel --recursive $(SOURCES)
	@for script in $(SCRIPTS); do bash -n "$$script" || exit 1; done
	@Tests/Documents/check

format: ## Format the code
	swift format --in-place --parallel --recursive $(SOURCES)
