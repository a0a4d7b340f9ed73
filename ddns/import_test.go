package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestImportSaysByItsStatusWhatHappened(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good", "provider no-ip.com { username = u password = p hostname = home.ddns.net }\n")
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	stdout, stderr := os.Stdout, os.Stderr
	defer func() { os.Stdout, os.Stderr = stdout, stderr }()
	os.Stdout, os.Stderr = null, null
	for _, c := range []struct {
		status int
		args   []string
	}{
		{exitDone, []string{"inadyn", good}},
		{exitDone, []string{"-h"}},
		{exitFailed, []string{"inadyn", file("none", "period = 300\n")}},
		{exitFailed, []string{"ddns-scripts", file("nul", "config\x00")}},
		{exitFailed, []string{"ddclient", filepath.Join(dir, "missing")}},
		{exitFailed, []string{"ddclient", dir}},
		{exitUsage, []string{"inadyn"}},
		{exitUsage, []string{"inadyn", good, good}},
		{exitUsage, []string{"dhcpcd", good}},
		{exitUsage, []string{"-nonsense", "inadyn", good}},
	} {
		if status := dispatch(append([]string{"import"}, c.args...)); status != c.status {
			t.Errorf("%q: status %d, not %d", c.args, status, c.status)
		}
	}
}
