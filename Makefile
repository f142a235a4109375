# Everything people need. `make help` lists it.

SHELL := /bin/bash
.DEFAULT_GOAL := help
DATA_DIR ?= data
SCALE ?= full
DURATION ?= 900
SEED ?=

.PHONY: help run test bench bench-large chaos chaos-plants power-cut check lint oracle release-check clean-data

help: ## List what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# A debug build: it is there in three minutes, a release build in eight, and the sample month needs no speed.
run: ## Build and start everything with the sample company, until Ctrl-C
	@scripts/install nats-server
	cargo build --locked --package leadflow
	@mkdir -p $(DATA_DIR)
	RUST_LOG=$${RUST_LOG:-warn} target/debug/leadflow up --data-dir $(DATA_DIR) --sample examples/laboratory

test: ## Everything that has to pass: format, lints, the oracle's examples, all tests
	@scripts/install nats-server postgresql python3 python3-venv openssl cargo-nextest deploy-tools
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	@$(MAKE) --no-print-directory oracle
	cargo build --locked --workspace --all-targets
	target/debug/leadflow-harness cargo nextest run --locked --workspace

# Debug builds: what is torn is not the speed, and they are there in three minutes.
chaos: ## Kill, cut, pause and forget for a quarter of an hour (DURATION=900 SEED=…), then check that nothing is wrong
	@scripts/install nats-server postgresql python3
	cargo build --locked --package leadflow --package leadflow-chaos
	target/debug/leadflow-chaos --duration $(DURATION) $(if $(SEED),--seed $(SEED))
	target/debug/leadflow-chaos --full-disk $(if $(SEED),--seed $(SEED))

chaos-plants: ## Plant each bug that the checker has to find, a minute each: it must turn its counter red
	@scripts/install nats-server postgresql python3
	cargo build --locked --package leadflow --package leadflow-chaos --features leadflow/plants
	target/debug/leadflow-chaos --every-plant --duration 60 $(if $(SEED),--seed $(SEED))

check: ## The fast inner loop: format, lints, unit tests
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo nextest run --workspace --lib --bins

lint: ## Unused dependencies, licences and sources (needs cargo-machete and cargo-deny)
	cargo machete
	cargo deny --offline check bans licenses sources

oracle: ## What is written a second time in Python, on its own examples: the arithmetic, the checker of chaos runs
	cd tests/oracle && python3 -m unittest --quiet
	cd tests/chaos/oracle && python3 -m unittest --quiet

power-cut: ## Cut the power of a disk under the ledger: what was acknowledged is still there (needs root)
	@scripts/install nats-server postgresql cargo-nextest
	cargo build --locked --workspace --all-targets
	cargo nextest run --locked --workspace -E 'binary(power_cut)'

release-check: ## Build what is released and send some hundred activities through it: debug builds are what the tests run
	@$(MAKE) --no-print-directory bench SCALE=quick

bench: ## How fast it is, beside the least work possible (SCALE=small: three minutes after the release build)
	@scripts/install nats-server postgresql
	cargo build --locked --release --package leadflow --package leadflow-bench
	target/release/leadflow-bench --scale $(SCALE)

bench-large: ## The same with a ledger of ten million activities
	@$(MAKE) --no-print-directory bench SCALE=large

clean-data: ## Throw the data of `make run` away
	rm -rf $(DATA_DIR)
