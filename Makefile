# sluice: everything a checkout can do. Needs git, make, Node.js with npm, and Rust with cargo;
# Bun and Deno come from npm at the versions in package.json.

BUN  := node_modules/.bin/bun
DENO := node_modules/.bin/deno
INSTALLED := node_modules/.installed

.DEFAULT_GOAL := help
.PHONY: help build demo test cross cross-ci corpus-proof sanitize fuzz soak shared-soak bench bench-quick abi docs deny pack test-packed release-dry-run fmt clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: $(INSTALLED) ## Install pinned tools and build the native library
	cargo build --release --locked -p sluice-abi

demo: build ## Count real corpora against tiktoken, and tokenize one with a kill in the middle, under Bun and Deno
	node scripts/demo_all.mjs
	node scripts/demo_corpus.mjs

test: build ## Everything CI runs: format, lint, types, drift, tests, benches once, publish dry-run
	$(BUN) scripts/install_servers.ts
	$(BUN) scripts/install_python.ts
	$(BUN) scripts/gate.ts

TARGETS ?=
cross: $(INSTALLED) ## Build for all platforms, or TARGETS="linux-arm64-gnu ...", and run the tests by qemu, musl and Wine
	$(BUN) scripts/cross/main.ts $(TARGETS)

cross-ci: $(INSTALLED) ## The part of `make cross` that CI runs: arm64, musl and Windows
	$(BUN) scripts/cross/main.ts --ci

corpus-proof: build ## Kill `sluice tokenize` 200 times in every shape, and measure its memory on large inputs
	$(BUN) scripts/install_python.ts
	$(BUN) tests/corpus/proof.ts --kills 200

sanitize: $(INSTALLED) ## AddressSanitizer over all crates, ThreadSanitizer over a stress of the ABI
	$(BUN) scripts/sanitize.ts

MINUTES ?= 30
fuzz: $(INSTALLED) ## Fuzz under AddressSanitizer for MINUTES (30) in all
	$(BUN) scripts/fuzz.ts --asan --minutes $(MINUTES)

SOAK ?= gateway
soak: build ## Soak for 10 minutes in both runtimes: SOAK="gateway limiter pool keys"; fails if an invariant breaks
	$(BUN) tests/soak/run.ts $(SOAK) --minutes 10

shared-soak: build ## Put gateways that share limits through all failures for 10 minutes; fails if a bound is broken
	$(BUN) scripts/install_servers.ts
	$(BUN) tests/shared/soak.ts --minutes 10

bench: build ## Measure against rivals, write bench/record and all tables
	$(BUN) bench/run.ts

BASE ?= HEAD
bench-quick: $(INSTALLED) ## Compare the working tree with BASE (HEAD) in five minutes; fails if it is slower
	$(BUN) bench/quick.ts --base $(BASE)

abi: ## Regenerate sluice.h, symbols.gen.ts and the ABI hash from rust/abi
	cargo run --quiet --locked -p sluice-abigen

docs: $(INSTALLED) ## Build the documentation site to .build/docs and check its links
	$(BUN) scripts/docs.ts

deny: ## Check licences, bans, sources and advisories of the crates (needs cargo-deny)
	cargo deny --locked check

pack: build ## Pack the npm packages, with the library of this platform, under .build/npm
	$(BUN) scripts/pack_npm.ts

test-packed: build ## Install the packed packages with each package manager, and run them in each runtime
	$(BUN) tests/packed/run.ts

release-dry-run: $(INSTALLED) ## Rehearse a release: pack, check, publish to loopback, install, list the files
	$(BUN) scripts/release/dry_run.ts

fmt: $(INSTALLED) ## Format everything
	cargo fmt --all
	$(DENO) fmt --quiet

clean: ## Remove everything that was built or installed
	rm -rf target node_modules .build

$(INSTALLED): package.json package-lock.json
	npm ci --no-audit --no-fund
	@touch $@
