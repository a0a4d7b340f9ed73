# wanbeacon: everything that is built, tested and shown. `make help` lists it.

# The same commit gives the same bytes: no cgo, no paths, no build id, no date.
# Nothing is inlined, and the garbage collector is the smaller one of the two
# that Go 1.26 has (9 kB): a sixth less flash. Three optimizations that trade
# size for speed are off (`go tool compile -d help`, `-d ssa/help`): small slices
# begin in the heap and not in code for both (14 kB), defers are called by the
# runtime (3 kB), loops keep their test at the top (3 kB).
GO      ?= go
SMALL    = all=-l -d=variablemakethreshold=0,noopendefer=1,ssa/loop_rotate/off
COMPILE  = CGO_ENABLED=0 GOFLAGS= GOEXPERIMENT=nogreenteagc $(GO) build -trimpath -buildvcs=false -gcflags='$(SMALL)'
BUILD    = $(COMPILE) -ldflags "-s -w -buildid="
BIN     ?= bin/wanbeacon

# Functions that keep file and line on routers; a traceback has the names of all.
LINES    = main. github.com/wanbeacon/wanbeacon/

# name=GOARCH[,VARIABLE=value]; a router's architecture names map to these.
TARGETS := mips mipsle mips64 arm5 arm6 arm7 arm64 amd64 386 riscv64 loong64
env_mips    := GOARCH=mips GOMIPS=softfloat
env_mipsle  := GOARCH=mipsle GOMIPS=softfloat
env_mips64  := GOARCH=mips64 GOMIPS64=softfloat
env_arm5    := GOARCH=arm GOARM=5
env_arm6    := GOARCH=arm GOARM=6
env_arm7    := GOARCH=arm GOARM=7
env_arm64   := GOARCH=arm64
env_amd64   := GOARCH=amd64 GOAMD64=v1
env_386     := GOARCH=386 GO386=softfloat
env_riscv64 := GOARCH=riscv64
env_loong64 := GOARCH=loong64

# S1032 wants sort.Strings, which costs flash: it is of package slices, for any type.
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0
# Inputs for each fuzz target, or a time. A count, because go test reports the end
# of a time as a failure now and then ("context deadline exceeded").
FUZZTIME    ?= 3000x

# Programs that the tests and the demo use, and their Debian packages.
TOOLS := ip:iproute2 dnsmasq:dnsmasq-base radvd:radvd kea-dhcp6:kea-dhcp6-server dhclient:isc-dhcp-client busybox:busybox strace:strace \
	qemu-mipsel-static:qemu-user-static shellcheck:shellcheck gcc:gcc sysctl:procps \
	ddclient:ddclient inadyn:inadyn miniupnpd:miniupnpd-nftables named:bind9 knotd:knot nsd:nsd unbound:unbound nft:nftables turnserver:coturn pdns_server:pdns-server sqlite3:sqlite3 node:nodejs tayga:tayga

.PHONY: help
help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.PHONY: build
build:  ## the binary for this machine, bin/wanbeacon
	$(BUILD) -o $(BIN) ./ddns

.PHONY: cross
cross: $(TARGETS:%=bin/%/wanbeacon)  ## the binaries for all routers, bin/TARGET/wanbeacon

.PHONY: force
bin/%/wanbeacon: force
	GOOS=linux $(env_$*) $(BUILD) -o $@ ./ddns
	$(GO) run ./ddns/internal/slim $@ $(LINES)

# ARCHS=mipsel_24kc,x86_64 packs for those alone.
ARCHS   ?=
KEYS    ?= keys
EPOCH   := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),0)
PACKED   = $(shell $(GO) run ./ipk targets -only '$(ARCHS)')

.PHONY: packages
packages:  ## dist/: .ipk and .apk for every OpenWrt architecture, and the LuCI page
	$(MAKE) $(PACKED:%=bin/%/wanbeacon)
	$(GO) run ./ipk packages -only '$(ARCHS)' -epoch $(EPOCH)

.PHONY: feed
feed: packages  ## dist/feed/: what routers subscribe to, signed with the keys of feed-keys
	$(GO) run ./ipk feed -keys '$(KEYS)' -epoch $(EPOCH)

.PHONY: feed-keys
feed-keys:  ## keys/: new keys for a feed (KEYS=DIR); they are never committed
	$(GO) run ./ipk keys -keys '$(KEYS)'

# What the flash of a small router has for it, 2.2 MB; docs/design.md, Sizes.
BOUND := 2200000

.PHONY: bound
bound: bin/mipsle/wanbeacon  ## that the binary for mipsle is small enough
	ddns/internal/bound.sh $< $(BOUND)

.PHONY: size
size: cross  ## bytes per target, and what each dependency costs on mipsle
	@printf '%-8s %10s %10s\n' target raw gzip-9
	@for t in $(TARGETS); do \
		printf '%-8s %10d %10d\n' $$t $$(wc -c <bin/$$t/wanbeacon) $$(gzip -9n <bin/$$t/wanbeacon | wc -c); done
	@GOOS=linux $(env_mipsle) $(COMPILE) -o bin/mipsle/symbols ./ddns
	@printf '\nmipsle, bytes of code and data by package (the tables of functions, a quarter of the file, come on top)\n'
	@$(GO) tool nm -size bin/mipsle/symbols | awk -f ddns/internal/size.awk
	@rm -f bin/mipsle/symbols

# Services among them are not started: neither now (policy-rc.d) nor at boot.
.PHONY: tools
tools:
	@missing=""; for t in $(TOOLS); do \
		PATH="$$PATH:/usr/sbin:/sbin" command -v $${t%%:*} >/dev/null || missing="$$missing $${t##*:}"; done; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" != 0 ]; then echo "please install:$$missing" >&2; exit 1; fi; \
	echo "installing:$$missing"; policy=/usr/sbin/policy-rc.d; \
	[ -e $$policy ] || { trap "rm -f $$policy" EXIT; printf '#!/bin/sh\nexit 101\n' >$$policy; chmod 755 $$policy; }; \
	apt-get update -q >/dev/null && \
	DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
		$$missing libc6-dev libio-socket-ssl-perl pdns-backend-sqlite3 >/dev/null || exit 1; \
	for s in $$missing; do systemctl disable -q $$s 2>/dev/null; done; exit 0

.PHONY: demo
demo: tools build  ## the main job, shown in a network namespace (root)
	$(GO) run ./ddns/internal/demo bin/wanbeacon

.PHONY: demo-seizure
demo-seizure: tools build  ## a provider's zone is taken away, and the user's own name moves (root)
	$(GO) run ./ddns/internal/demo/seizure bin/wanbeacon

.PHONY: test
test: tools lint bound unit fuzz emulated-user  ## all tests

.PHONY: unit
unit: tools
	$(GO) test -race ./...

.PHONY: test-luci
test-luci:  ## the LuCI page in a browser, on the router at WANBEACON_LUCI_URL (ipk/luci/test/browser.mjs says more)
	@command -v chromium >/dev/null || { echo "please install: chromium" >&2; exit 1; }
	npm install --silent --no-audit --no-fund --prefix ipk/luci/test
	node --test --test-concurrency=1 --test-reporter=spec ipk/luci/test/luci.mjs ipk/luci/test/forms.mjs

.PHONY: fuzz
fuzz: tools  ## every fuzz target for FUZZTIME (default 3000x, inputs)
	@for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz'); do \
			echo "fuzz $$p $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$p >fuzz.log 2>&1 || { cat fuzz.log; exit 1; }; \
		done; done

# The cross binaries start, print their version and read a configuration; the
# netlink parser's own tests run in both byte orders and word sizes.
.PHONY: emulated-user
emulated-user: tools $(patsubst %,bin/%/wanbeacon,$(filter-out amd64,$(TARGETS)))
	ddns/internal/emulated.sh

# What test-emulated needs beside, and Debian's kernels for its machines.
EMULATED_TOOLS   := qemu-system-mipsel:qemu-system-mips qemu-system-aarch64:qemu-system-arm qemu-system-x86_64:qemu-system-x86 qemu-system-i386:qemu-system-x86 modprobe:kmod
EMULATED_ARCHS   := mipsel_24kc,arm_cortex-a15_neon-vfpv4,aarch64_generic,x86_64,i386_pentium-mmx
EMULATED_KERNELS := mipsel:linux-image-4kc-malta armhf:linux-image-armmp arm64:linux-image-arm64 amd64:linux-image-amd64 i386:linux-image-686

.PHONY: test-emulated
test-emulated:  ## whole routers under qemu-system: lease, change, update, for five architectures (root)
	@$(MAKE) -s tools TOOLS='$(TOOLS) $(EMULATED_TOOLS)'
	@for k in $(EMULATED_KERNELS); do ddns/internal/machine/fetch.sh $${k%%:*} $${k##*:} bin/emulated/$${k%%:*} || exit 1; done
	$(MAKE) $(foreach t,$(shell $(GO) run ./ipk targets -only '$(EMULATED_ARCHS)'),bin/$t/wanbeacon)
	$(GO) run ./ipk packages -only '$(EMULATED_ARCHS)' -epoch $(EPOCH) -out bin/emulated/packages
	WANBEACON_EMULATED=1 $(GO) test -count=1 -v -run Emulated -timeout 30m ./ddns/internal/machine

# The kernel of this machine's architecture, for what its own lacks.
LINKS_ARCH  := $(or $(filter arm64,$(shell dpkg --print-architecture 2>/dev/null)),amd64)
LINKS_TOOLS := $(if $(filter arm64,$(LINKS_ARCH)),qemu-system-aarch64:qemu-system-arm,qemu-system-x86_64:qemu-system-x86) \
	modprobe:kmod pppd:ppp pppoe-server:pppoe wg:wireguard-tools

.PHONY: test-links
test-links:  ## VLAN, PPPoE, VRF, WireGuard, 6in4, DS-Lite, under an emulated kernel (root; WANBEACON_LINKS=1 go test: this one)
	@$(MAKE) -s tools TOOLS='$(TOOLS) $(LINKS_TOOLS)'
	@ddns/internal/machine/fetch.sh $(LINKS_ARCH) linux-image-$(LINKS_ARCH) bin/emulated/$(LINKS_ARCH)
	$(MAKE) -s build BIN=bin/links/wanbeacon
	CGO_ENABLED=0 $(GO) test -c -o bin/links/links.test ./ddns/internal/links
	ddns/internal/links/boot.sh bin/emulated/$(LINKS_ARCH) "cd '$(CURDIR)/ddns/internal/links' && \
		WANBEACON_LINKS=1 WANBEACON_BINARY='$(CURDIR)/bin/links/wanbeacon' ../../../bin/links/links.test -test.v -test.timeout 30m"

.PHONY: bench
bench: tools build  ## latency from kernel event to request, against a bare program (root)
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./ddns/internal/bench

.PHONY: soak
soak: tools  ## slow checks: ten idle minutes, ten thousand changes (root)
	WANBEACON_SOAK=1 $(GO) test -v -run Soak -timeout 60m ./ddns/internal/e2e

.PHONY: docs
docs:  ## docs/providers.md, from the catalogue
	$(GO) run ./ddns/internal/docs >docs/providers.md.new && mv docs/providers.md.new docs/providers.md

.PHONY: catalogue
catalogue:  ## ddns/provider/builtin.txt, what the program carries of ddns/provider/catalogue
	$(GO) run ./ddns/internal/builtin/make

.PHONY: coverage
coverage:  ## which providers other clients have and the catalogue lacks; plays and counts the examples
	$(GO) run ./ddns/internal/coverage
	@$(GO) test -tags wide -count=1 -v -run '^TestCatalogueExamples$$' ./ddns/provider >examples.log || { cat examples.log; exit 1; }
	@grep -o '[0-9]* examples .*played.*' examples.log; rm -f examples.log

.PHONY: lint
lint: tools
	@test -z "$$(gofmt -l .)" || { echo "not gofmt'd:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	GOFLAGS= $(GO) run $(STATICCHECK) -checks inherit,-S1032 ./...
	shellcheck $$(git ls-files '*.sh' .ci/run)
	shellcheck -s dash ipk/files/etc/init.d/* ipk/scripts/*/* ddns/internal/machine/init ddns/internal/machine/lease

.PHONY: clean
clean:  ## removes what was built
	rm -rf bin dist
