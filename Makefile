# make run       build and start the server on http://localhost:8080
# make test      all tests; RACE=1 with the race detector
# make check     everything that gates a change
# make build     ./nameplate with the web assets in it
# make generate  the generated code: ent, graph
# make migration NAME=what   a migration file with what ent/schema has changed
# make format    all Go files

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# It has gofumpt in it, pinned with it.
GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME := 5s
PICTURE_FUZZTIME := 1m

.PHONY: run build test test-go test-clients test-browser check lint fresh fuzz generate migration format

run: build
	./nameplate

build: web/dist/playground/index.html
	go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o nameplate .

# The playground: third-party files from a pinned package, never committed.
web/dist/playground/index.html: web/package.json web/package-lock.json web/build.mjs
	npm --prefix web ci --no-audit --no-fund
	npm --prefix web run build

test: test-go test-clients test-browser

test-go:
	@command -v curl >/dev/null || echo "SKIPPED: the commands of README.md and docs/graphql.md: no curl" >&2
	go test $(if $(RACE),-race) ./...

test-clients: build e2e/clients/node_modules/.package-lock.json
	npm --prefix e2e/clients test

e2e/clients/node_modules/.package-lock.json: e2e/clients/package.json e2e/clients/package-lock.json e2e/clients/genqlient/go.mod
	npm --prefix e2e/clients ci --no-audit --no-fund
	go -C e2e/clients/genqlient mod download
	@touch $@

test-browser: build e2e/node_modules/.package-lock.json
	npm --prefix e2e test

e2e/node_modules/.package-lock.json: e2e/package.json e2e/package-lock.json
	npm --prefix e2e ci --no-audit --no-fund
	@touch $@

check: lint fresh
	$(MAKE) test RACE=1
	# The race detector takes ten times as long for these, so it has fewer of them.
	go test -run Memory ./internal/avatar
	$(MAKE) fuzz

lint:
	$(GOLANGCI) run

# Generating again must change nothing.
fresh:
	@before=$$(git ls-files -co --exclude-standard ent graph | xargs sha256sum); \
	go generate ./... || exit 1; \
	go mod tidy -diff || exit 1; \
	after=$$(git ls-files -co --exclude-standard ent graph | xargs sha256sum); \
	test "$$before" = "$$after" || { echo "generated code was stale; run make generate and commit"; exit 1; }

# Every fuzz target for a short while, that of whole pictures for PICTURE_FUZZTIME. On a busy
# machine Go may fail at the end of the time (go.dev/issue/75804, mended in 1.27), so each has a second
# chance; an input that was found to fail is kept, and fails again.
fuzz:
	@git ls-files -co --exclude-standard '*_test.go' | xargs grep -Ho '^func Fuzz[A-Za-z]*' | sed 's/:func / /' | while read -r file target; do \
	  echo "$$target"; \
	  fuzz() { go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $$(test "$$target" = FuzzProcess && echo $(PICTURE_FUZZTIME) || echo $(FUZZTIME)) "./$$(dirname "$$file")"; }; \
	  fuzz || fuzz || exit 1; done

generate:
	go generate ./...

migration:
	go run ./internal/database/newmigration $(NAME)

format:
	$(GOLANGCI) fmt
