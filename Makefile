.PHONY: help demo demo-down check test cut conformance bench

help: ## List these commands.
	@sed -n 's/^\([a-z-]*\):.*## /\1  /p' Makefile

demo: ## Generate a project into demo/ and start it; PORT=8123 takes another port.
	@scripts/demo

demo-down: ## Remove the demo's containers and volumes.
	@scripts/demo-down

check: ## Everything that needs no Docker; within three minutes.
	@tests/check

test: ## Everything that CI runs.
	@tests/run

cut: ## Cut each wire of a generated project once: its test must go red.
	@tests/run cut

conformance: ## What the core gets right, by suite: each line ends in right/total.
	@core/tests/run conformance

bench: ## The core beside its peers: the table and the plot in core/docs.
	@core/bench/run
