package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/wanbeacon/wanbeacon/ipk/internal/adb"
	"github.com/wanbeacon/wanbeacon/ipk/internal/usign"
)

// feed lays out dir as what routers subscribe to, from the packages in dist: a
// folder for each architecture, with its packages and the page's, Packages
// with its signature for opkg, packages.adb for apk; and the public keys.
// Every .apk in it is signed.
func feed(dist, dir string, k *keys, epoch int64) error {
	byArch, err := packagesIn(dist, epoch)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	common := byArch["all"]
	delete(byArch, "all")
	if len(byArch) == 0 {
		return fmt.Errorf("%s has no packages; `make packages` makes them", dist)
	}
	for arch, list := range byArch {
		if err := feedFolder(filepath.Join(dir, arch), append(list, common...), k, epoch); err != nil {
			return fmt.Errorf("feed for %s: %w", arch, err)
		}
	}
	public, err := k.public()
	if err != nil {
		return err
	}
	for name, content := range public {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("%s: %d architectures, signed by %s (opkg) and %s (apk)\n", dir, len(byArch), k.usign.Name(), apkPublic)
	return nil
}

// indexed is a package as a feed has it.
type indexed struct {
	name, version string
	control       string // of the .ipk
	ipkName       string
	ipk           []byte
	apk           *adb.File // not signed
}

// packagesIn reads the packages in dist, by architecture.
func packagesIn(dist string, epoch int64) (map[string][]indexed, error) {
	files, err := filepath.Glob(filepath.Join(dist, "*.ipk"))
	if err != nil {
		return nil, err
	}
	out := map[string][]indexed{}
	for _, f := range files {
		var p indexed
		if p.ipk, err = os.ReadFile(f); err != nil {
			return nil, err
		}
		u, err := readIPK(p.ipk, epoch)
		if err != nil {
			return nil, fmt.Errorf("%s: %w; `make packages` makes it anew", f, err)
		}
		arch := u.info["Architecture"]
		p.name, p.version, p.control, p.ipkName = u.info["Package"], u.info["Version"], u.scripts["control"], filepath.Base(f)
		named := pkg{name: p.name, version: p.version, arch: arch}
		text, err := os.ReadFile(filepath.Join(dist, named.apkName()))
		if err != nil {
			return nil, err
		}
		if _, p.apk, err = readAPK(text, epoch); err != nil {
			return nil, fmt.Errorf("%s: %w", named.apkName(), err)
		}
		out[arch] = append(out[arch], p)
	}
	return out, nil
}

func feedFolder(dir string, list []indexed, k *keys, epoch int64) error {
	sort.Slice(list, func(i, j int) bool { return list[i].name < list[j].name })
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files := map[string][]byte{}
	var packages bytes.Buffer
	var index adb.Array
	for _, p := range list {
		files[p.ipkName] = p.ipk
		packages.WriteString(p.indexEntry())
		signed := *p.apk
		if err := signed.Sign(k.apk); err != nil {
			return err
		}
		content := signed.Compressed()
		named := pkg{name: p.name, version: p.version}
		files[named.feedName()] = content
		info, err := apkIndexEntry(p.apk, len(content))
		if err != nil {
			return err
		}
		index = append(index, info)
	}
	files["Packages"] = packages.Bytes()
	files["Packages.gz"] = gzipped(packages.Bytes())
	files["Packages.sig"] = k.usign.Sign(packages.Bytes())
	payload, _ := adb.Encode(adb.Object{"wanbeacon", index})
	ndx := &adb.File{Schema: adb.SchemaIndex, ADB: payload}
	if err := ndx.Sign(k.apk); err != nil {
		return err
	}
	files["packages.adb"] = ndx.Compressed()
	if err := checkFeed(files, k, epoch); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// indexEntry is the package's control with where it is, as OpenWrt's
// ipkg-make-index writes it.
func (p *indexed) indexEntry() string {
	var b strings.Builder
	sum := sha256.Sum256(p.ipk)
	for line := range strings.Lines(p.control) {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Maintainer", "LicenseFiles", "Source", "SourceName", "Require-User", "SourceDateEpoch":
			continue // the router does not need them
		case "Description":
			fmt.Fprintf(&b, "Filename: %s\nSize: %d\nSHA256sum: %x\n", p.ipkName, len(p.ipk), sum)
		}
		b.WriteString(line)
	}
	return b.String() + "\n"
}

// apkIndexEntry is a package's info with its digest and size, as apk mkndx
// writes it.
func apkIndexEntry(f *adb.File, size int) (adb.Object, error) {
	root, err := adb.Decode(f.ADB)
	if err != nil {
		return nil, err
	}
	p, _ := root.(adb.Object)
	info, _ := p.Slot(pkgInfo).(adb.Object)
	out := make(adb.Object, max(len(info), infoFileSize))
	copy(out, info)
	sum := sha256.Sum256(f.ADB)
	out[infoHash-1] = string(sum[:])
	out[infoFileSize-1] = uint64(size)
	return out, nil
}

// checkFeed reads a folder of the feed as a router would: signatures first,
// then each package's digest.
func checkFeed(files map[string][]byte, k *keys, epoch int64) error {
	if err := usign.Verify(k.usign.Public(), files["Packages.sig"], files["Packages"]); err != nil {
		return fmt.Errorf("signature Packages.sig: %w", err)
	}
	for _, text := range strings.Split(strings.TrimSpace(string(files["Packages"])), "\n\n") {
		f, err := fields(text)
		if err != nil {
			return fmt.Errorf("index Packages: %w", err)
		}
		content := files[f["Filename"]]
		if sum := sha256.Sum256(content); fmt.Sprintf("%x", sum) != f["SHA256sum"] || fmt.Sprint(len(content)) != f["Size"] {
			return fmt.Errorf("index Packages: %s is another file", f["Filename"])
		}
	}
	ndx, err := adb.Parse(files["packages.adb"])
	if err != nil {
		return err
	}
	if err := ndx.Verify(&k.apk.PublicKey); err != nil {
		return fmt.Errorf("packages.adb: %w", err)
	}
	root, err := adb.Decode(ndx.ADB)
	if err != nil {
		return err
	}
	o, _ := root.(adb.Object)
	list, _ := o.Slot(2).(adb.Array)
	for _, v := range list {
		info, _ := v.(adb.Object)
		named := pkg{name: info.Text(infoName), version: info.Text(infoVersion)}
		_, f, err := readAPK(files[named.feedName()], epoch)
		if err != nil {
			return fmt.Errorf("%s: %w", named.feedName(), err)
		}
		sum := sha256.Sum256(f.ADB)
		if string(sum[:]) != info.Text(infoHash) || info.Int(infoFileSize) != uint64(len(files[named.feedName()])) {
			return fmt.Errorf("packages.adb: %s is another file", named.feedName())
		}
		if err := f.Verify(&k.apk.PublicKey); err != nil {
			return fmt.Errorf("%s: %w", named.feedName(), err)
		}
	}
	return nil
}
