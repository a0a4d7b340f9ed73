#!/bin/sh
# fetch.sh ARCH KERNEL DIR: unpacks Debian's kernel and static busybox of a
# foreign architecture into DIR, unless they are there. apt gets lists of its
# own: the machine's know nothing of that architecture, and should not.
set -eu
arch=$1 kernel=$2 dir=$3
[ ! -e "$dir/done" ] || exit 0
rm -rf "$dir"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/debs"
: >"$dir/status"
apt() {
	command=$1
	shift
	"$command" -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Sandbox::User=root \
		-o Dir::State::Lists="$dir/lists" -o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" "$@"
}
# One list of several may be missing; what then cannot be had, download says.
apt apt-get -o Acquire::Languages=none update >"$dir/log" 2>&1 || tail -n 2 "$dir/log" >&2
image=$(apt apt-cache depends "$kernel" | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n 1)
(cd "$dir/debs" && apt apt-get download "${image:-$kernel}" busybox-static)
for deb in "$dir"/debs/*.deb; do dpkg-deb -x "$deb" "$dir/root"; done
version=$(basename "$dir"/root/lib/modules/*)
/sbin/depmod -b "$dir/root" "$version"
echo "$version" >"$dir/version"
rm -rf "$dir/lists" "$dir/cache" "$dir/debs"
touch "$dir/done"
