# Needs Go and, for all of the tests, what "make services" installs. Tools are pinned in tools/go.mod.

TOOL := go tool -modfile=tools/go.mod
OUT  := .build

PKG      ?= ./...
BENCH    ?= .
SIZE     ?= 10000
STORE    ?= sqlite,postgres
LOAD     ?= idle,read,search,crud,write,import,raw
TIME     ?= 10s
COUNT    ?= 6
FUZZTIME ?= 30s
SOAKTIME ?= 10m
ROUNDS   ?= 1000
PACKAGES ?= $(shell echo $$(( 3 * $$(nproc) / 2 )))# tested at a time: many wait for servers

.PHONY: help run test quick check format lint tidy generated order services scores bench benchmarks fuzz soak clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: ## the demo alliance on 127.0.0.1:8080, kept in ./yilian-data
	go run ./cmd/yilian serve --demo

# Test binaries without symbol tables link in a fraction of the time; stack traces stay as they are.
test quick scores: export GOFLAGS := $(strip $(GOFLAGS) -ldflags=-s)

# What tests write lies in memory where there is room, and garbage is collected more rarely than in production.
test: export GOGC := $(or $(GOGC),400)
test: $(OUT) ## all tests; one line for each that was skipped
	@scratch=$$(tools/scratch); trap 'rm -rf "$$scratch"' EXIT; \
	GOTMPDIR=$${GOTMPDIR:-$${TMPDIR:-/tmp}} TMPDIR=$$scratch \
		$(TOOL) gotestsum --format pkgname-and-test-fails --format-hide-empty-pkg --hide-summary=skipped,output \
		--jsonfile $(OUT)/test.json -- -vet=off -timeout 5m -shuffle on -p $(PACKAGES) $(PKG); \
	status=$$?; tools/skipped $(OUT)/test.json; exit $$status

quick: ## build, vet and the short tests, within a minute
	go vet $(PKG)
	go test -vet=off -short -timeout 1m $(PKG)

check: format lint tidy generated order ## everything that is wrong without running it

format: # files that gofmt would change
	@bad=$$(gofmt -l .); test -z "$$bad" || { echo "not formatted (gofmt -w .):"; echo "$$bad"; exit 1; }

lint: # vet, staticcheck and the borders between packages: .golangci.yml
	$(TOOL) golangci-lint run

tidy: # what go.mod asks for is what is used
	go mod tidy -diff
	go -C tools mod tidy -diff

generated: # generated files are what their generators write today
	@tools/generated

order: # no package imports a higher one
	go test ./internal/architecture

services: ## install PostgreSQL, Redis and Node from Debian's packages, and what runs in Node, for the tests
	@tools/services

scores: ## one line per published suite; fails when a score fell. UPDATE=1 raises the marks
	@go run ./internal/score/cmd $(if $(UPDATE),-update)

bench: ## a server under load, beside raw limits: SIZE (10000), STORE (sqlite,postgres), LOAD, TIME (10s), PROFILES (a folder)
	go test -count=1 -timeout 0 -v -run '^TestServer$$' ./internal/bench -args -size $(SIZE) -store $(STORE) -load $(LOAD) -time $(TIME) \
		$(if $(PROFILES),-profiles $(PROFILES))

benchmarks: $(OUT) ## benchmarks of single operations, compared with the run before
	@if [ -f $(OUT)/bench.txt ]; then mv $(OUT)/bench.txt $(OUT)/before.txt; fi
	go test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) $(PKG) | tee $(OUT)/bench.txt
	@$(TOOL) benchstat $$(ls $(OUT)/before.txt 2>/dev/null) $(OUT)/bench.txt

fuzz: ## every fuzz target for FUZZTIME (30s)
	@tools/fuzz $(FUZZTIME)

soak: ## the long tests, SOAKTIME (10m) each; those that count have ROUNDS (1000)
	YILIAN_SOAK=$(SOAKTIME) YILIAN_ROUNDS=$(ROUNDS) go test -count=1 -timeout 0 -run '^TestSoak' $(PKG)

clean: ## forget what the other targets wrote; data stays
	rm -rf $(OUT)

$(OUT):
	@mkdir -p $@
