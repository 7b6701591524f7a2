# Each target does one thing, the same on a desk and in CI. It installs what it needs from Debian
# (scripts/install-test-deps) and builds its tools into .tools/ (scripts/install-tools); `make build` needs Go only, and
# `make run` goes on without workers where nothing can be installed.

MODULE   := sluice
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
LDFLAGS  := -X main.version=$(VERSION) -X main.commit=$(COMMIT)
CONFIG   ?= config.toml
FUZZTIME ?= 20s
COUNT    ?= 1
FANOUT   ?=
TRANSCODE ?=

# The workers are built with cgo, each behind a tag of its own.
TAGS            := gstreamer capture
WORKER_PACKAGES := gcc g++ libc6-dev pkg-config libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libx11-dev libxext-dev
WORKER_PLUGINS  := $(patsubst %,gstreamer1.0-%,plugins-base plugins-good plugins-bad plugins-ugly libav x)

# In CI no result comes from go test's cache.
FRESH := $(if $(CI),-count=1)
STAGE := scripts/stage
# All packages but the end-to-end tests. Expanded where it is used: only there need Go and the packages load.
UNITS = $$(go list ./... | grep -v '^$(MODULE)/e2e$$')

.DEFAULT_GOAL := build
.NOTPARALLEL:
.PHONY: run run-deps build workers test test-static test-race test-workers e2e lint format fuzz bench bench-fanout bench-transcode bench-turn conformance deps tools go

run: run-deps build ## build the gateway and its workers and start it with the demo stream; it prints the URL to open
	bin/gateway --config $(CONFIG)

run-deps:
	@scripts/install-test-deps --optional $(WORKER_PACKAGES) $(WORKER_PLUGINS)

build: go ## bin/gateway, one static file, and the workers where their libraries are installed
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/gateway ./cmd/gateway
	@scripts/build-workers --optional '$(LDFLAGS)'

workers: go ## bin/gateway-gst and bin/gateway-capture, with what they need from Debian
	$(STAGE) "packages for the workers" scripts/install-test-deps $(WORKER_PACKAGES)
	$(STAGE) "workers" scripts/build-workers '$(LDFLAGS)'

test: deps workers test-static test-race test-workers e2e ## every test: unit, race, workers, real peers, real browsers

test-static: go .tools/pebble ## all packages as they are released, without cgo
	$(STAGE) "build (CGO_ENABLED=0)" env CGO_ENABLED=0 go build ./...
	$(STAGE) "test (CGO_ENABLED=0)" env CGO_ENABLED=0 go test $(FRESH) -timeout 10m $(UNITS)

test-race: go .tools/pebble
	$(STAGE) "packages for test-race" scripts/install-test-deps gcc libc6-dev
	$(STAGE) "test -race" env CGO_ENABLED=1 go test $(FRESH) -race -timeout 15m $(UNITS)

test-workers: workers ## what is built with cgo
	$(STAGE) "test the workers" env CGO_ENABLED=1 go test $(FRESH) -tags '$(TAGS)' -timeout 10m ./cmd/gateway-gst/... ./cmd/gateway-capture/...

e2e: deps workers ## only the end-to-end tests: real cameras, real browsers
	$(STAGE) "e2e" env CGO_ENABLED=0 go test -count=1 -timeout 25m ./e2e
	@echo "Screenshots and logs of the end-to-end tests: e2e/artefacts/"

# The linter's cache remembers paths: one that two checkouts share names the files of the other.
lint: go tools
	$(STAGE) "gofumpt" scripts/lint-format
	$(STAGE) "packages for the workers" scripts/install-test-deps $(WORKER_PACKAGES)
	$(STAGE) "go vet" go vet ./...
	$(STAGE) "go vet, workers" env CGO_ENABLED=1 go vet -tags '$(TAGS)' ./cmd/gateway-gst/... ./cmd/gateway-capture/...
	$(STAGE) "golangci-lint" env GOLANGCI_LINT_CACHE=$(CURDIR)/.tools/lint-cache .tools/golangci-lint run ./...
	$(STAGE) "golangci-lint, workers" env CGO_ENABLED=1 GOLANGCI_LINT_CACHE=$(CURDIR)/.tools/lint-cache .tools/golangci-lint run --build-tags '$(TAGS)' ./cmd/gateway-gst/... ./cmd/gateway-capture/...
	$(STAGE) "shellcheck" scripts/lint-shell

format: go tools ## writes all Go files as gofumpt would
	scripts/lint-format -w

fuzz: go ## every fuzz target for FUZZTIME
	FUZZTIME=$(FUZZTIME) scripts/fuzz

bench: go ## Go benchmarks, then the whole process; COUNT=10 for benchstat
	go test -run '^$$' -bench . -benchmem -count=$(COUNT) $(UNITS)
	$(if $(wildcard bench),go run ./bench)

bench-fanout: go ## what a viewer costs, beside a floor and a reference; FANOUT="-peers FILE" adds other servers
	$(STAGE) "ffmpeg for the source" scripts/install-test-deps ffmpeg
	go run ./bench/fanout $(FANOUT)

bench-transcode: workers ## what it costs to make a stream anew, beside ffmpeg; TRANSCODE=-quick tries everything for a moment
	$(STAGE) "ffmpeg and plugins" scripts/install-test-deps ffmpeg $(WORKER_PLUGINS)
	go run ./bench/transcode $(TRANSCODE)

bench-turn: go ## the embedded TURN server beside coturn; TURN=-quick tries everything for a moment
	$(STAGE) coturn scripts/install-test-deps coturn
	go run ./bench/turn $(TURN)

# A test that fails stands in the table as such, so the target goes on.
conformance: deps workers .tools/pebble ## every test once; writes into docs/conformance.md which test proves what, and how it went
	@mkdir -p bin
	-go test -json -count=1 -timeout 10m $(UNITS) >bin/results.json
	-CGO_ENABLED=1 go test -json -count=1 -timeout 10m -tags '$(TAGS)' ./cmd/gateway-gst/... ./cmd/gateway-capture/... >>bin/results.json
	-CGO_ENABLED=0 go test -json -count=1 -timeout 25m ./e2e >>bin/results.json
	go test -count=1 -run '^TestTableIsFresh$$' ./internal/conformance -update -results=$(CURDIR)/bin/results.json

deps: go
	$(STAGE) "packages for the tests" scripts/install-test-deps

tools: go
	$(STAGE) "shellcheck from Debian" scripts/install-test-deps shellcheck
	$(STAGE) "linters" scripts/install-tools

# The certificate authority that the tests of package certificate ask.
.tools/pebble: go
	$(STAGE) "pebble" scripts/install-tools pebble

go:
	@command -v go >/dev/null || { echo "Go 1.26 or newer is needed, see https://go.dev/doc/install" >&2; exit 1; }

.PHONY: package

package: go build workers ## release files for all machines into dist/, and a test of them; needs root, and minutes
	$(STAGE) "packages for package" scripts/install-test-deps debootstrap qemu-user-static file git python3
	$(STAGE) "nfpm" scripts/install-tools package
	$(STAGE) "package" scripts/package '$(VERSION)' '$(COMMIT)'
	$(STAGE) "test on arm" scripts/test-arm
	$(STAGE) "test the packages" scripts/test-package
	$(STAGE) "test the service" scripts/test-service
