# make test   installs missing tools and runs every test
# make demo   runs the main job on real digits
# make build  builds .build/corinfo

.PHONY: test build tools

tools:
	@.ci/install-tools

build:
	@go build -o .build/ ./...

test: tools
	@test -z "$$(gofmt -l .)" || { echo "not gofmt-ed: $$(gofmt -l .)"; exit 1; }
	@go vet ./...
	@go test ./...
