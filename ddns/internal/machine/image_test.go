package machine

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed init
var initScript []byte

//go:embed lease
var leaseScript []byte

// image is an initramfs under way: a cpio archive in the kernel's "newc" form.
type image struct {
	out  bytes.Buffer
	seen map[string]bool
	ino  int
}

// Types of files.
const (
	typeDir  = 0o040000
	typeFile = 0o100000
	typeLink = 0o120000
	typeChar = 0o020000
)

// add adds an entry; device is of a character device. The folders above it come before.
func (m *image) add(name string, mode uint32, content []byte, device [2]int) {
	name = strings.TrimPrefix(name, "/")
	if name != "TRAILER!!!" {
		if m.seen[name] {
			return
		}
		if d := path.Dir(name); d != "." {
			m.add(d, typeDir|0o755, nil, [2]int{})
		}
		m.seen[name] = true
	}
	m.ino++
	// The console's owner and all else is root's, of no time.
	fmt.Fprintf(&m.out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		m.ino, mode, 0, 0, 1, 0, len(content), 0, 0, device[0], device[1], len(name)+1, 0)
	m.out.WriteString(name + "\x00")
	m.pad()
	m.out.Write(content)
	m.pad()
}

func (m *image) pad() {
	for m.out.Len()%4 != 0 {
		m.out.WriteByte(0)
	}
}

func (m *image) file(name string, mode uint32, content []byte) {
	m.add(name, typeFile|mode, content, [2]int{})
}

// tree adds a folder of this machine.
func (m *image) tree(t *testing.T, dir string) {
	t.Helper()
	err := filepath.Walk(dir, func(name string, info os.FileInfo, err error) error {
		if err != nil || name == dir {
			return err
		}
		rel := strings.TrimPrefix(name, dir)
		mode := uint32(info.Mode().Perm())
		switch {
		case info.IsDir():
			m.add(rel, typeDir|mode, nil, [2]int{})
		case info.Mode()&os.ModeSymlink != 0:
			target, err := os.Readlink(name)
			if err != nil {
				return err
			}
			m.add(rel, typeLink|0o777, []byte(target), [2]int{})
		default:
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			m.file(rel, mode, content)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// modules adds kernel modules with those that they need, in their order.
func (m *image) modules(t *testing.T, fetched, version string, names []string) {
	t.Helper()
	var order []string
	for _, n := range names {
		out, err := exec.Command("/sbin/modprobe", "-d", filepath.Join(fetched, "root"), "-S", version, "--show-depends", n).CombinedOutput()
		if err != nil {
			t.Fatalf("modprobe %s: %v\n%s", n, err, out)
		}
		for line := range strings.Lines(string(out)) {
			verb, file, _ := strings.Cut(strings.TrimSpace(line), " ")
			base := path.Base(strings.TrimSpace(file))
			if verb != "insmod" || m.seen["lib/m/"+base] {
				continue // "builtin", or there already
			}
			content, err := os.ReadFile(strings.TrimSpace(file))
			if err != nil {
				t.Fatal(err)
			}
			m.file("lib/m/"+base, 0o644, content)
			order = append(order, base+"\n")
		}
	}
	m.file("lib/m/order", 0o644, []byte(strings.Join(order, "")))
}

// initramfs makes the router's memory: busybox, the modules, the package's
// files as they are in the .ipk, and this test's configuration.
func initramfs(t *testing.T, b board, config, ca string) []byte {
	t.Helper()
	fetched := filepath.Join(cache, b.name)
	version, err := os.ReadFile(filepath.Join(fetched, "version"))
	if err != nil {
		t.Fatalf("%v; `make test-emulated` fetches it", err)
	}
	m := &image{seen: map[string]bool{}}
	m.add("dev/console", typeChar|0o600, nil, [2]int{5, 1})
	m.add("dev/null", typeChar|0o666, nil, [2]int{1, 3})
	m.file("init", 0o755, initScript)
	m.file("lease", 0o755, leaseScript)
	busybox, err := os.ReadFile(filepath.Join(fetched, "root/bin/busybox"))
	if err != nil {
		t.Fatal(err)
	}
	m.file("bin/busybox", 0o755, busybox)
	for _, name := range strings.Fields("sh mount mkdir cat date insmod ip chown chmod sed ls echo start-stop-daemon udhcpc kill grep pidof sleep poweroff free") {
		m.add("bin/"+name, typeLink|0o777, []byte("busybox"), [2]int{})
	}
	for _, d := range []string{"proc", "sys", "tmp", "etc/wanbeacon/state"} {
		m.add(d, typeDir|0o755, nil, [2]int{})
	}
	m.file("etc/passwd", 0o644, []byte("root:x:0:0:root:/:/bin/sh\nwanbeacon:x:2136:2136:wanbeacon:/var/run/wanbeacon:/bin/false\n"))
	m.file("etc/group", 0o644, []byte("root:x:0:\nwanbeacon:x:2136:\n"))
	m.file("etc/wanbeacon/config.toml", 0o600, []byte(config)) // the package's own comes later, and is not taken
	certificates, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	m.file("etc/ssl/certs/ca-certificates.crt", 0o644, certificates)
	m.modules(t, fetched, strings.TrimSpace(string(version)), b.modules)
	m.tree(t, unpack(t, b.openwrt))
	m.add("TRAILER!!!", 0, nil, [2]int{})

	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	z.Write(m.out.Bytes())
	z.Close()
	return out.Bytes()
}

// unpack returns a folder with the files of the architecture's .ipk.
func unpack(t *testing.T, arch string) string {
	t.Helper()
	found, _ := filepath.Glob(filepath.Join(cache, "packages", "wanbeacon_*_"+arch+".ipk"))
	if len(found) != 1 {
		t.Fatalf("%d packages for %s in %s; `make test-emulated` makes one", len(found), arch, cache)
	}
	dir := t.TempDir()
	for _, args := range [][]string{{"-xzf", found[0], "-C", dir, "./data.tar.gz"}, {"-xzf", dir + "/data.tar.gz", "-C", dir, "--no-same-owner"}} {
		if out, err := exec.Command("tar", args...).CombinedOutput(); err != nil {
			t.Fatalf("tar %v: %v\n%s", args, err, out)
		}
	}
	os.Remove(dir + "/data.tar.gz")
	return dir
}
