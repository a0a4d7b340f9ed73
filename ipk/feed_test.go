package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// testFeed builds packages for two architectures and the feed of them.
func testFeed(t *testing.T) (dir string, k *keys) {
	t.Helper()
	s := testSource(t)
	dist, keyDir := t.TempDir(), filepath.Join(t.TempDir(), "keys")
	if err := s.build(dist, []string{"mipsel_24kc", "x86_64"}); err != nil {
		t.Fatal(err)
	}
	if err := makeKeys(keyDir); err != nil {
		t.Fatal(err)
	}
	k, err := readKeys(keyDir)
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dist, "feed")
	if err := feed(dist, dir, k, testEpoch); err != nil {
		t.Fatal(err)
	}
	return dir, k
}

func readFolder(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if !e.IsDir() {
			if out[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

func TestFeed(t *testing.T) {
	dir, k := testFeed(t)
	for _, arch := range []string{"mipsel_24kc", "x86_64"} {
		files := readFolder(t, filepath.Join(dir, arch))
		for _, name := range []string{
			"Packages", "Packages.gz", "Packages.sig", "packages.adb",
			"wanbeacon_1.2.3-r1_" + arch + ".ipk", "wanbeacon-1.2.3-r1.apk",
		} {
			if len(files[name]) == 0 {
				t.Errorf("%s: no %s", arch, name)
			}
		}
		if err := checkFeed(files, k, testEpoch); err != nil {
			t.Errorf("%s: %v", arch, err)
		}
	}
	public := readFolder(t, dir)
	if len(public) != 2 || !bytes.Contains(public["wanbeacon.pem"], []byte("PUBLIC KEY")) || public[k.usign.Name()] == nil {
		t.Errorf("public keys: %q", public)
	}
	for name, content := range public {
		if bytes.Contains(content, []byte("PRIVATE")) || bytes.Contains(content, []byte("private")) {
			t.Errorf("%s: a private key", name)
		}
	}
}

func TestTamperedFeedIsFound(t *testing.T) {
	dir, k := testFeed(t)
	for _, name := range []string{
		"Packages", "Packages.sig", "packages.adb", "wanbeacon_1.2.3-r1_x86_64.ipk", "wanbeacon-1.2.3-r1.apk",
	} {
		files := readFolder(t, filepath.Join(dir, "x86_64"))
		changed := append([]byte(nil), files[name]...)
		changed[len(changed)/2] ^= 1
		files[name] = changed
		if checkFeed(files, k, testEpoch) == nil {
			t.Errorf("%s: nothing said", name)
		}
	}
}

func TestKeysAreNotOverwritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if _, err := readKeys(dir); err == nil || !strings.Contains(err.Error(), "make feed-keys") {
		t.Errorf("no keys: %v", err)
	}
	if err := makeKeys(dir); err != nil {
		t.Fatal(err)
	}
	before := readFolder(t, dir)
	if err := makeKeys(dir); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second time: %v", err)
	}
	for name, content := range readFolder(t, dir) {
		if !bytes.Equal(content, before[name]) {
			t.Errorf("%s changed", name)
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || strings.HasSuffix(name, ".key") != (info.Mode().Perm() == 0o600) {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
}
