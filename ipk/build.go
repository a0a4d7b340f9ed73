package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
)

// built is a package in both forms, checked.
type built struct {
	pkg      *pkg
	ipk, apk []byte
}

// make builds a package and reads it back.
func (p *pkg) make() (*built, error) {
	b := &built{pkg: p}
	var err error
	if b.ipk, err = p.ipk(); err != nil {
		return nil, err
	}
	if err := checkIPK(p, b.ipk); err != nil {
		return nil, fmt.Errorf("%s as .ipk, read back: %w", p.name, err)
	}
	if most := p.most(); len(b.ipk) > most {
		return nil, fmt.Errorf("%s: the .ipk has %d bytes, more than the %d that were promised", p.name, len(b.ipk), most)
	}
	b.apk = p.apk().Compressed()
	if err := checkAPK(p, b.apk); err != nil {
		return nil, fmt.Errorf("%s as .apk, read back: %w", p.name, err)
	}
	return b, nil
}

// most is what a package may have for the routers with the least flash.
func (p *pkg) most() int {
	switch {
	case p.arch == "all":
		return 40_000
	case strings.HasPrefix(p.arch, "mips"):
		return 2_500_000
	}
	return 3_000_000
}

func (p *pkg) ipkName() string { return p.name + "_" + p.version + "_" + p.arch + ".ipk" }

// apkName is a name with the architecture in it, for a folder that has several;
// apk does not mind what a local file is called.
func (p *pkg) apkName() string { return p.name + "-" + p.version + "_" + apkArch(p.arch) + ".apk" }

// feedName is what apk asks a feed for.
func (p *pkg) feedName() string { return p.name + "-" + p.version + ".apk" }

// build makes the packages for the architectures named, or all, as files in
// out. Packages of other versions that are there are removed.
func (s *source) build(out string, only []string) error {
	if err := apkVersion(s.version); err != nil {
		return err
	}
	var all []func() (*pkg, error)
	for _, a := range architectures {
		if wanted(only, a.name) {
			all = append(all, func() (*pkg, error) { return s.daemon(a) })
		}
	}
	if len(all) == 0 {
		return fmt.Errorf("no architecture of that name; see ipk/arch.go")
	}
	if s.hasLuci() {
		all = append(all, s.luci)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	if err := removePackages(out); err != nil {
		return err
	}
	errs := make([]error, len(all))
	var workers sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, describe := range all {
		workers.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = write(out, describe)
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}

func write(out string, describe func() (*pkg, error)) error {
	p, err := describe()
	if err != nil {
		return err
	}
	b, err := p.make()
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{p.ipkName(): b.ipk, p.apkName(): b.apk} {
		if err := os.WriteFile(filepath.Join(out, name), content, 0o644); err != nil {
			return err
		}
		fmt.Printf("%8d  %s\n", len(content), filepath.Join(out, name))
	}
	return nil
}

func wanted(only []string, name string) bool {
	if len(only) == 0 {
		return true
	}
	for _, o := range only {
		if o == name {
			return true
		}
	}
	return false
}

func removePackages(dir string) error {
	for _, form := range []string{"ipk", "apk"} {
		old, err := filepath.Glob(filepath.Join(dir, "*wanbeacon*."+form))
		if err != nil {
			return err
		}
		for _, f := range old {
			if err := os.Remove(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// apkVersion refuses a version that apk does not take: digits with dots, then
// -r and a number. A pre-release is 1.2.0_rc1, not 1.2.0-rc1.
func apkVersion(v string) error {
	upstream, release, ok := strings.Cut(v, "-r")
	pre := ""
	upstream, pre, _ = strings.Cut(upstream, "_")
	if !ok || strings.Trim(release, "0123456789") != "" || release == "" ||
		strings.Trim(upstream, "0123456789.") != "" || upstream == "" ||
		pre != "" && strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(pre, "rc"), "beta"), "alpha"), "0123456789") != "" {
		return fmt.Errorf("version %q is not one that apk takes", v)
	}
	return nil
}
