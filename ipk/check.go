package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"sort"
	"strings"
)

// wanbeaconManifest is what package wanbeacon has on every router: an entry a
// line. Whoever adds a file adds it here, with its mode, on purpose.
//
//go:embed wanbeacon.manifest
var wanbeaconManifest string

// checkIPK reads an .ipk back and holds it against its package.
func checkIPK(p *pkg, file []byte) error {
	u, err := readIPK(file, p.epoch)
	if err != nil {
		return err
	}
	want := map[string]string{
		"conffiles": string(lines(p.conffiles)), "postinst": ipkPostinst, "prerm": ipkPrerm,
		"postinst-pkg": script(p.scripts.postinst), "postrm": script(p.scripts.postrm),
	}
	got := map[string]string{}
	for name, text := range u.scripts {
		if name != "control" {
			got[name] = text
		}
	}
	errs := []error{compareTexts(want, got), compareEntries(p.entries, u.entries), checkManifest(p, p.entries)}
	info := map[string]string{
		"Package": p.name, "Version": p.version, "Architecture": p.arch, "Depends": strings.Join(p.depends, ", "), "Require-User": p.user,
	}
	for name, value := range info {
		if u.info[name] != value {
			errs = append(errs, fmt.Errorf("control: %s is %q, not %q", name, u.info[name], value))
		}
	}
	return errors.Join(errs...)
}

// checkAPK reads an .apk back and holds it against its package.
func checkAPK(p *pkg, file []byte) error {
	u, _, err := readAPK(file, p.epoch)
	if err != nil {
		return err
	}
	want := map[string]string{}
	sc := p.apkScripts()
	for i, name := range apkScriptNames {
		want[name] = sc.Text(i)
	}
	errs := []error{compareTexts(want, u.scripts), compareEntries(p.apkEntries(), u.entries)}
	info := map[string]string{
		"Package": p.name, "Version": p.version, "Architecture": apkArch(p.arch), "Depends": strings.Join(p.depends, ", "),
	}
	for name, value := range info {
		if u.info[name] != value {
			errs = append(errs, fmt.Errorf("info: %s is %q, not %q", name, u.info[name], value))
		}
	}
	return errors.Join(errs...)
}

func script(text string) string {
	if text == "" {
		return ""
	}
	return "#!/bin/sh\n" + text
}

func compareTexts(want, got map[string]string) error {
	var errs []error
	for name, text := range want {
		if got[name] != text {
			errs = append(errs, fmt.Errorf("%s: %q, not %q", name, got[name], text))
		}
	}
	for name := range got {
		if want[name] == "" {
			errs = append(errs, fmt.Errorf("%s: should not be there", name))
		}
	}
	return errors.Join(errs...)
}

func compareEntries(want, got []entry) error {
	var errs []error
	byPath := map[string]entry{}
	for _, e := range want {
		byPath[e.path] = e
	}
	for _, e := range got {
		w, ok := byPath[e.path]
		delete(byPath, e.path)
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("%v: should not be there, or is twice", e))
		case e.String() != w.String():
			errs = append(errs, fmt.Errorf("%v: should be %v", e, w))
		case !bytes.Equal(e.content, w.content):
			errs = append(errs, fmt.Errorf("%v: other content: %d bytes, not %d", e, len(e.content), len(w.content)))
		}
	}
	for _, e := range byPath {
		errs = append(errs, fmt.Errorf("%v: is not there", e))
	}
	return errors.Join(errs...)
}

// checkManifest holds a package against what it may have at all: wanbeacon
// against its list, the page against the folders that are LuCI's.
func checkManifest(p *pkg, entries []entry) error {
	var got []string
	var errs []error
	for _, e := range entries {
		if e.kind == kindDir {
			continue
		}
		got = append(got, e.String())
		if p.name != "wanbeacon" && !luciMay(e) {
			errs = append(errs, fmt.Errorf("%v: not a place or a mode for a LuCI application's files", e))
		}
	}
	if p.name != "wanbeacon" {
		return errors.Join(errs...)
	}
	sort.Strings(got)
	want := strings.Split(strings.TrimSuffix(wanbeaconManifest, "\n"), "\n")
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		return fmt.Errorf("ipk/wanbeacon.manifest has\n%s\nand the package\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
	return nil
}

func luciMay(e entry) bool {
	for _, dir := range []string{
		"/www/luci-static/resources/view/wanbeacon/", "/www/luci-static/resources/view/status/include/",
		"/www/luci-static/resources/wanbeacon/", "/usr/share/luci/menu.d/", "/usr/share/rpcd/acl.d/", "/usr/lib/lua/luci/i18n/",
	} {
		if strings.HasPrefix(e.path, dir) {
			return e.kind == kindFile && e.mode == 0o644
		}
	}
	return false
}
