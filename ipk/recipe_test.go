package main

import (
	"os"
	"strings"
	"testing"
)

// recipe reads a Makefile of feed/ with a shell's dollars.
func recipe(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("feed/" + name + "/Makefile")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "$$", "$")
}

// The recipe for OpenWrt's feed installs what our package has.
func TestRecipeIsThePackage(t *testing.T) {
	p, text := testPackage(t), recipe(t, "wanbeacon")
	for _, e := range p.entries {
		if e.kind != kindDir && !strings.Contains(text, "$(1)"+e.path+"\n") {
			t.Errorf("does not install %s", e.path)
		}
	}
	version, err := programVersion("../ddns/version.go")
	if err != nil {
		t.Fatal(err)
	}
	for what, want := range map[string]string{
		"version":  "\nPKG_VERSION:=" + version + "\n",
		"release":  "\nPKG_RELEASE:=" + strings.TrimPrefix(release, "r") + "\n",
		"user":     "\n  USERID:=" + p.user + "\n",
		"conffile": "/conffiles\n" + string(lines(p.conffiles)) + "endef\n",
		"depends":  " +" + strings.Join(p.depends, " +") + "\n",
		"postinst": "/postinst\n" + script(p.scripts.postinst) + "endef\n",
		"postrm":   "/postrm\n" + script(p.scripts.postrm) + "endef\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not %q", what, want)
		}
	}
}

func TestRecipeIsThePage(t *testing.T) {
	s, err := testSource(t).scripts("luci-app-wanbeacon")
	if err != nil {
		t.Fatal(err)
	}
	if text := recipe(t, "luci-app-wanbeacon"); !strings.Contains(text, "/postrm\n"+script(s.postrm)+"endef\n") {
		t.Error("postrm is another")
	}
}
