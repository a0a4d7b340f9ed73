#!/bin/sh
# boot.sh DIR ORDER: runs a line of shell as root under another kernel, the one
# that machine/fetch.sh has put into DIR, for what this machine's own kernel
# lacks. The emulated machine has this one's files, but cannot write to them;
# /run is its own. The exit status is the order's.
set -eu
fetched=$1 order=$2
case $(uname -m) in
x86_64) qemu="qemu-system-x86_64 -M q35" console=ttyS0 ;;
aarch64) qemu="qemu-system-aarch64 -M virt" console=ttyAMA0 ;;
*) echo "$0: no machine for $(uname -m)" >&2; exit 2 ;;
esac
version=$(cat "$fetched/version")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/root/bin" "$dir/root/m" "$dir/root/host"
cp "$fetched/root/bin/busybox" "$dir/root/bin/busybox"
printf '%s\n' "$order" >"$dir/root/order"
for module in virtio_pci 9p 9pnet_virtio veth tun bridge 8021q vrf wireguard sit ip6_tunnel pppoe ppp_async; do
	/sbin/modprobe -d "$fetched/root" -S "$version" --show-depends "$module" | sed -n 's/^insmod //p' | while read -r file; do
		name=$(basename "$file")
		[ ! -e "$dir/root/m/$name" ] || continue
		cp "$file" "$dir/root/m/"
		echo "$name" >>"$dir/root/m/order"
	done
done
cat >"$dir/root/init" <<'INIT'
#!/bin/busybox sh
busybox mkdir /proc
busybox mount -t proc proc /proc
while read -r m; do busybox insmod "/m/$m" || echo "INSMOD $m failed"; done </m/order
busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=131072 host /host || busybox poweroff -f
busybox mount -t proc proc /host/proc
busybox mount -t sysfs sys /host/sys
busybox mount -t devtmpfs dev /host/dev
busybox mkdir -p /host/dev/pts
busybox mount -t devpts pts /host/dev/pts
busybox mount -t tmpfs -o mode=755 run /host/run
# pppd reads what is in there; this machine's own is no concern of the tests.
[ ! -d /host/etc/ppp ] || { busybox mount -t tmpfs ppp /host/etc/ppp && : >/host/etc/ppp/options; }
busybox mkdir /host/run/tmp
busybox cp /order /host/run/order
busybox ip link set lo up
export TMPDIR=/run/tmp HOME=/run/tmp PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
echo "$(busybox uname -sr), up $(busybox cut -d ' ' -f 1 /proc/uptime) s"
busybox chroot /host /bin/sh /run/order
echo "EXIT STATUS $?"
busybox poweroff -f
INIT
chmod +x "$dir/root/init"
(cd "$dir/root" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$dir/initrd"
# shellcheck disable=SC2086 # several words
$qemu -accel tcg -cpu max -smp 2 -m 512 -display none -monitor none -serial stdio -no-reboot -nic none \
	-kernel "$(ls "$fetched"/root/boot/vmlinu*)" -initrd "$dir/initrd" \
	-append "console=$console rdinit=/init quiet panic=-1" \
	-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap </dev/null | tee "$dir/log"
status=$(tr -d '\r' <"$dir/log" | sed -n 's/^EXIT STATUS //p')
exit "${status:-2}"
