#!/bin/sh
# Runs the cross binaries, and netwatch's tests, under qemu-user: the same
# instructions, word size and byte order as on a router, on this kernel.
set -eu
cd "$(dirname "$0")/../.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
want=$(sed -n 's/^const version = "\(.*\)"/\1/p' ddns/version.go)

cat >"$dir/config.toml" <<'TOML'
[provider.noip]
username = "abc123"
password = "secret"

[[record]]
hostname = "home.ddns.net"
provider = "noip"
TOML
chmod 600 "$dir/config.toml"

starts() { # target qemu
	got=$("$2" "bin/$1/wanbeacon" version)
	[ "$got" = "$want" ] || { echo "$1: version $got, want $want" >&2; exit 1; }
}
check() { # target qemu
	starts "$1" "$2"
	"$2" "bin/$1/wanbeacon" check -config "$dir/config.toml" >"$dir/said" || { echo "$1: $(cat "$dir/said")" >&2; exit 1; }
	grep -q 'no errors; 1 address record, 1 provider$' "$dir/said" || { echo "$1: $(cat "$dir/said")" >&2; exit 1; }
	echo "$1: runs"
}
check mipsle qemu-mipsel-static
check mips qemu-mips-static
# Go's poller writes 64 bits where only 32 are aligned. Kernels for MIPS mend
# that, qemu-user does not.
starts mips64 qemu-mips64-static
check arm5 qemu-arm-static
check arm6 qemu-arm-static
check arm7 qemu-arm-static
check arm64 qemu-aarch64-static
check riscv64 qemu-riscv64-static
check loong64 qemu-loongarch64-static
# qemu-i386 loses the thread's own register in signal handlers, so that Go must
# not interrupt itself by signals: "bad g in signal handler".
GODEBUG=asyncpreemptoff=1 check 386 qemu-i386-static

watch() { # qemu, variables for the compiler, then flags for the tests
	q=$1 vars=$2
	shift 2
	# shellcheck disable=SC2086 # several variables
	env CGO_ENABLED=0 $vars go test -c -o "$dir/netwatch.test" ./netwatch
	(cd netwatch && "$q" "$dir/netwatch.test" "$@")
}
# qemu-user translates neither error numbers inside netlink messages, which
# MIPS counts differently, nor the start of a foreign program by itself; and it
# knows no messages about neighbours (RTM_GETNEIGH).
not='TestRouteTo|TestFailedSocketIsReplaced|TestNeighborsOfTheKernel|TestStrangersDoNotWake'
watch qemu-mipsel-static 'GOARCH=mipsle GOMIPS=softfloat' -test.skip "$not"
watch qemu-arm-static 'GOARCH=arm GOARM=5' -test.skip "$not"
watch qemu-aarch64-static 'GOARCH=arm64' -test.skip "$not"
watch qemu-riscv64-static 'GOARCH=riscv64' -test.skip "$not"
watch qemu-loongarch64-static 'GOARCH=loong64' -test.skip "$not"
# On big-endian MIPS qemu-user leaves link messages in the host's byte order,
# and tests that start programs get signals: the parser and the mirror alone.
pure='^(TestParse|TestMirror|TestSnapshot|TestFlags|FuzzParse)'
watch qemu-mips-static 'GOARCH=mips GOMIPS=softfloat' -test.run "$pure" -test.skip TestFlagsAndLifetimes
watch qemu-mips64-static 'GOARCH=mips64 GOMIPS64=softfloat' -test.run "$pure" -test.skip TestFlagsAndLifetimes
watch qemu-arm-static 'GOARCH=arm GOARM=6' -test.run "$pure" -test.skip TestFlagsAndLifetimes
watch qemu-arm-static 'GOARCH=arm GOARM=7' -test.run "$pure" -test.skip TestFlagsAndLifetimes
GODEBUG=asyncpreemptoff=1 watch qemu-i386-static 'GOARCH=386 GO386=softfloat' -test.run "$pure" -test.skip TestFlagsAndLifetimes
