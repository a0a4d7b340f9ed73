package main

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ipk/internal/adb"
)

const testEpoch = 1700000000

// testSource is the project itself, with binaries that are not.
func testSource(t testing.TB) *source {
	t.Helper()
	bin := t.TempDir()
	for _, target := range targets(nil) {
		if err := os.MkdirAll(filepath.Join(bin, target), 0o755); err != nil {
			t.Fatal(err)
		}
		content := bytes.Repeat([]byte("a binary for "+target+"\n"), 1000)
		if err := os.WriteFile(filepath.Join(bin, target, "wanbeacon"), content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &source{root: "..", bin: bin, version: "1.2.3-r1", epoch: testEpoch}
}

func testPackage(t testing.TB) *pkg {
	t.Helper()
	p, err := testSource(t).daemon(architecture{"mipsel_24kc", "mipsle"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPackagesAreReproducible(t *testing.T) {
	s := testSource(t)
	describe := []func() (*pkg, error){func() (*pkg, error) { return s.daemon(architectures[0]) }}
	if s.hasLuci() {
		describe = append(describe, s.luci)
	}
	for _, d := range describe {
		var made [2]*built
		for i := range made {
			p, err := d()
			if err != nil {
				t.Fatal(err)
			}
			if made[i], err = p.make(); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(made[0].ipk, made[1].ipk) || !bytes.Equal(made[0].apk, made[1].apk) {
			t.Errorf("%s: other bytes the second time", made[0].pkg.name)
		}
	}
}

func TestRouterConfigIsValid(t *testing.T) {
	text, err := testSource(t).config()
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse("config.toml", text)
	if err != nil {
		t.Fatal(err)
	}
	// The one warning says what to do first.
	if c.Daemon.StateDir != "/etc/wanbeacon/state" || len(c.Records) != 0 || len(c.Warnings) != 1 {
		t.Errorf("state_dir %q, %d records, %v", c.Daemon.StateDir, len(c.Records), c.Warnings)
	}
}

func TestArchitecturesHaveTargets(t *testing.T) {
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, a := range architectures {
		if seen[a.name] {
			t.Errorf("%s is there twice", a.name)
		}
		seen[a.name] = true
		if !bytes.Contains(makefile, []byte("\nenv_"+a.target+" ")) {
			t.Errorf("%s: the Makefile has no target %s", a.name, a.target)
		}
	}
}

// Each of these is a mistake in a package that opkg or apk would install.
func TestMistakesAreFound(t *testing.T) {
	for name, spoil := range map[string]func(*pkg){
		"an open configuration": func(p *pkg) { find(p, configPath).mode = 0o644 },
		"a binary that cannot be executed": func(p *pkg) {
			find(p, binaryPath).mode = 0o644
		},
		"a file too many": func(p *pkg) {
			p.entries = append(p.entries, entry{path: "/etc/x", kind: kindFile, mode: 0o644})
		},
		"a link elsewhere": func(p *pkg) { find(p, "/usr/libexec/rpcd/wanbeacon").target = "/bin/sh" },
	} {
		p := testPackage(t)
		spoil(p)
		if _, err := p.make(); err == nil {
			t.Errorf("%s: nothing said", name)
		}
	}
	for name, e := range map[string]entry{
		"a file that all may write": {path: "/etc/x", kind: kindFile, mode: 0o666},
		"a relative path":           {path: "etc/x", kind: kindFile, mode: 0o644},
		"a path with a space":       {path: "/etc/a b", kind: kindFile, mode: 0o644},
		"a file twice":              {path: binaryPath, kind: kindFile, mode: 0o755},
	} {
		p := testPackage(t)
		p.entries = append(p.entries, e)
		if p.arrange() == nil {
			t.Errorf("%s: nothing said", name)
		}
	}
}

func find(p *pkg, path string) *entry {
	for i := range p.entries {
		if p.entries[i].path == path {
			return &p.entries[i]
		}
	}
	panic(path)
}

func TestOtherContentIsFound(t *testing.T) {
	p := testPackage(t)
	b, err := p.make()
	if err != nil {
		t.Fatal(err)
	}
	find(p, binaryPath).content = []byte("another")
	if checkIPK(p, b.ipk) == nil || checkAPK(p, b.apk) == nil {
		t.Error("nothing said")
	}
}

// opkg knows neither PAX nor its names; it would take the package as empty.
func TestTarOfAnotherFormIsRefused(t *testing.T) {
	for name, h := range map[string]*tar.Header{
		"PAX":           {Name: "./a", Format: tar.FormatPAX, PAXRecords: map[string]string{"comment": "x"}},
		"plain ustar":   {Name: "./a", Format: tar.FormatUSTAR},
		"another user":  {Name: "./a", Format: tar.FormatGNU, Uid: 1000},
		"a user's name": {Name: "./a", Format: tar.FormatGNU, Uname: "joe"},
		"another name":  {Name: "a", Format: tar.FormatGNU},
		"a hard link":   {Name: "./a", Format: tar.FormatGNU, Typeflag: tar.TypeLink, Linkname: "./b"},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(name, err)
		}
		w.Close()
		if e, err := readTar(b.Bytes(), 0); err == nil {
			t.Errorf("%s: taken as %v", name, e)
		}
	}
}

func TestLongNamesAreRead(t *testing.T) {
	p := &pkg{name: "x", epoch: testEpoch}
	long := "/" + strings.Repeat("a-long-name/", 20) + "file"
	want := []entry{{path: long, kind: kindFile, mode: 0o644, content: []byte("x")},
		{path: "/link", kind: kindLink, mode: 0o777, target: long}}
	b, err := p.tar(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readTar(b, testEpoch)
	if err != nil || len(got) != 3 || compareEntries(want, got[1:]) != nil {
		t.Errorf("%v, %v", got, err)
	}
}

func TestDamagedPackagesAreRefused(t *testing.T) {
	p := testPackage(t)
	f := p.apk()
	for name, spoil := range map[string]func(*adb.File){
		"data of another file": func(f *adb.File) { f.Data[0].File++ },
		"data cut off":         func(f *adb.File) { f.Data[0].Content = f.Data[0].Content[1:] },
		"data changed":         func(f *adb.File) { f.Data[0].Content = append([]byte("!"), f.Data[0].Content[1:]...) },
		"data left out":        func(f *adb.File) { f.Data = f.Data[1:] },
		"data too much":        func(f *adb.File) { f.Data = append(f.Data, adb.Data{Path: 99, File: 1}) },
		"another version":      func(f *adb.File) { f.ADB = bytes.Replace(f.ADB, []byte("1.2.3-r1"), []byte("1.2.4-r1"), 1) },
		"an index":             func(f *adb.File) { f.Schema = adb.SchemaIndex },
	} {
		g := *f
		g.Data = append([]adb.Data(nil), f.Data...)
		g.ADB = append([]byte(nil), f.ADB...)
		spoil(&g)
		if _, _, err := readAPK(g.Bytes(), testEpoch); err == nil {
			t.Errorf("%s: nothing said", name)
		}
	}
}

func TestVersions(t *testing.T) {
	for v, ok := range map[string]bool{
		"1.2.3-r1": true, "0.1.0-r12": true, "1.2.0_rc1-r1": true,
		"1.2.3": false, "1.2.0-rc1-r1": false, "1.2.3-r": false, "v1.2.3-r1": false, "-r1": false, "": false,
	} {
		if err := apkVersion(v); (err == nil) != ok {
			t.Errorf("%q: %v", v, err)
		}
	}
}

func FuzzReadIPK(f *testing.F) {
	p := &pkg{name: "x", version: "1-r1", arch: "all", epoch: testEpoch, entries: []entry{{path: "/a", kind: kindFile, mode: 0o644, content: []byte("x")}}}
	good, err := p.ipk()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	plain, _ := p.tar(p.entries)
	f.Add(plain)
	f.Fuzz(func(t *testing.T, b []byte) {
		readIPK(b, testEpoch)
		readTar(b, testEpoch)
	})
}

func FuzzReadAPK(f *testing.F) {
	p := &pkg{name: "x", version: "1-r1", arch: "all", epoch: testEpoch, entries: []entry{{path: "/a", kind: kindFile, mode: 0o644, content: []byte("x")}}}
	f.Add(p.apk().Bytes())
	f.Add(p.apk().Compressed())
	f.Fuzz(func(t *testing.T, b []byte) { readAPK(b, testEpoch) })
}
