package machine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// cache has what fetch.sh brings and the packages.
const cache = "../../../bin/emulated"

// memory of each router, in MiB; Debian's kernel for amd64 does not start with
// less than 96.
const (
	memory      = 64
	memoryAMD64 = 96
)

// board is a machine that qemu knows, and what Debian and OpenWrt call it.
type board struct {
	name    string // Debian's architecture
	openwrt string // the package that runs on it
	qemu    []string
	memory  int
	console string
	nic     string
	modules []string
}

var boards = []board{
	{"mipsel", "mipsel_24kc", []string{"qemu-system-mipsel", "-M", "malta"}, memory, "ttyS0", "pcnet", []string{"pcnet32"}},
	{"armhf", "arm_cortex-a15_neon-vfpv4", []string{"qemu-system-arm", "-M", "virt,highmem=off", "-cpu", "cortex-a15"},
		memory, "ttyAMA0", "virtio-net-device", []string{"virtio_mmio", "virtio_net"}},
	{"arm64", "aarch64_generic", []string{"qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a53"},
		memory, "ttyAMA0", "virtio-net-pci,romfile=", []string{"virtio_pci", "virtio_net"}},
	{"amd64", "x86_64", []string{"qemu-system-x86_64", "-M", "q35", "-accel", "tcg"},
		memoryAMD64, "ttyS0", "virtio-net-pci,romfile=", []string{"virtio_pci", "virtio_net"}},
	{"i386", "i386_pentium-mmx", []string{"qemu-system-i386", "-M", "pc", "-accel", "tcg", "-cpu", "pentium2"},
		memory, "ttyS0", "virtio-net-pci,romfile=", []string{"virtio_pci", "virtio_net"}},
}

func TestMain(m *testing.M) { lab.Main(m) }

const (
	gateway = "11.22.33.1"
	server  = "45.67.89.1"
	home    = "home.dyn.test"
)

// TestEmulated boots each router. Its WAN gets a lease by DHCP, then another;
// both addresses must arrive at the provider, by TLS.
func TestEmulated(t *testing.T) {
	if os.Getenv("WANBEACON_EMULATED") != "1" {
		t.Skip("NOT RUN: takes minutes, and is part of `make test-emulated` (WANBEACON_EMULATED=1)")
	}
	for _, b := range boards {
		t.Run(b.name, func(t *testing.T) { boot(t, b) })
	}
}

func boot(t *testing.T, b board) {
	l := lab.New(t)
	l.ISP.IP("tuntap", "add", "tap0", "mode", "tap")
	tap := l.ISP.Link("tap0")
	tap.Add(gateway + "/24")
	tap.Up()
	l.ISP.Link("lo").Add(server + "/32")
	p := l.Provider(l.ISP, lab.ProviderOptions{Addr: server, TLS: true})
	p.Account("user", "s3cret-word", home)
	l.Resolver(l.ISP, gateway, nil, p.Zone)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	pool := func(addr string) lab.Pool { return lab.Pool{First: addr, Router: gateway, DNS: gateway} }
	dhcp := tap.DHCPServer(ctx, pool("11.22.33.7"))

	r := start(t, l, b, initramfs(t, b, config(p), p.CA.File))
	kernel, err := os.ReadFile(filepath.Join(cache, b.name, "version"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s, %d MiB, Linux %s", b.openwrt, b.memory, strings.TrimSpace(string(kernel)))
	t.Logf("%s", r.WaitLine(ctx, "BOOTED ").Text)
	r.WaitLine(ctx, " started with ")
	r.order("udhcpc -f -i $wan -s /lease -t 9 -T 2 -A 2 & dhcp=$!")
	r.published(ctx, p, "11.22.33.7")

	dhcp.Switch(ctx, pool("11.22.33.8"))
	r.order("kill -USR2 $dhcp; sleep 1; kill -USR1 $dhcp")
	r.published(ctx, p, "11.22.33.8")
	r.order("sleep 3; grep -E '^(Uid|VmHWM|VmRSS|RssAnon)' /proc/$(pidof wanbeacon)/status; free -k; echo THE \"END\"")
	r.WaitLine(ctx, "THE END")
	t.Logf("%s", figures(r.Output()))
	r.order("poweroff -f")
	r.Wait(ctx)
	for _, bad := range []string{"INSMOD", "write error", "Out of memory", "panic", "fatal error"} {
		if strings.Contains(r.Output(), bad) {
			t.Errorf("%q on the console", bad)
		}
	}
}

func config(p *lab.Provider) string {
	return fmt.Sprintf(`[daemon]
state_dir = "/etc/wanbeacon/state"
socket = "/var/run/wanbeacon/socket"

[source.wan]
interface = "@WAN@"

[provider.dyn]
username = "user"
password = "s3cret-word"
server = %q

[[record]]
hostname = %q
provider = "dyn"
`, p.URL, home)
}

// router is a machine that runs, and its console.
type router struct {
	*lab.Process
	t     *testing.T
	input *os.File
}

func start(t *testing.T, l *lab.Lab, b board, initrd []byte) *router {
	t.Helper()
	file := filepath.Join(t.TempDir(), "initrd.gz")
	if err := os.WriteFile(file, initrd, 0o600); err != nil {
		t.Fatal(err)
	}
	kernels, _ := filepath.Glob(filepath.Join(cache, b.name, "root/boot/vmlinu*"))
	if len(kernels) != 1 {
		t.Fatalf("%d kernels in %s", len(kernels), cache)
	}
	args := append(b.qemu[1:], "-m", fmt.Sprint(b.memory), "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
		"-kernel", kernels[0], "-initrd", file,
		"-append", fmt.Sprintf("console=%s rdinit=/init quiet panic=-1 now=%d", b.console, time.Now().Unix()),
		"-netdev", "hubport,id=lan,hubid=0", "-device", b.nic+",netdev=lan,mac=52:54:00:00:00:01",
		"-netdev", "tap,id=wan,ifname=tap0,script=no,downscript=no", "-device", b.nic+",netdev=wan,mac=52:54:00:00:00:02")
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); out.Close() })
	return &router{l.ISP.SpawnInput(in, b.qemu[0], args...), t, out}
}

// order types a line at the console.
func (r *router) order(line string) {
	r.t.Helper()
	if _, err := r.input.WriteString(line + "\n"); err != nil {
		r.t.Fatal(err)
	}
}

// published waits until the provider has the address, and says how long it
// took from the moment before the DHCP client set it.
func (r *router) published(ctx context.Context, p *lab.Provider, addr string) {
	r.t.Helper()
	set := r.WaitLine(ctx, "LEASE "+addr)
	_, q := p.Until(ctx, lab.Says("myip="+addr))
	told := r.WaitLine(ctx, addr+" published at dyn in ")
	r.t.Logf("%s: request %v after the lease; %s", addr, time.Duration(q.Accepted-set.At).Round(time.Millisecond), strings.TrimSpace(told.Text))
}

// figures are the lines of the console that the log shows.
func figures(console string) string {
	lines := regexp.MustCompile(`(?m)^(Uid|VmHWM|VmRSS|RssAnon|Mem):.*$`).FindAllString(console, -1)
	for i := range lines {
		lines[i] = strings.Join(strings.Fields(lines[i]), " ")
	}
	return strings.Join(lines, "; ")
}
