package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"time"
)

// ipk returns the package for opkg: a compressed tar of three members, two of
// them compressed tars themselves, as OpenWrt's scripts/ipkg-build makes it.
//
// All tars are in GNU's form. opkg does not know PAX: it would install such a
// package as an empty one, without a word.
func (p *pkg) ipk() ([]byte, error) {
	data, err := p.tar(p.entries)
	if err != nil {
		return nil, err
	}
	control, err := p.tar(p.controlFiles(len(data)))
	if err != nil {
		return nil, err
	}
	outer, err := p.tar([]entry{
		{path: "/debian-binary", kind: kindFile, mode: 0o644, content: []byte("2.0\n")},
		{path: "/data.tar.gz", kind: kindFile, mode: 0o644, content: gzipped(data)},
		{path: "/control.tar.gz", kind: kindFile, mode: 0o644, content: gzipped(control)},
	})
	if err != nil {
		return nil, err
	}
	return gzipped(outer), nil
}

// controlFiles are the members of control.tar.gz.
func (p *pkg) controlFiles(installed int) []entry {
	var out []entry
	add := func(name string, mode uint32, content []byte) {
		if len(content) > 0 {
			out = append(out, entry{path: "/" + name, kind: kindFile, mode: mode, content: content})
		}
	}
	add("conffiles", 0o644, lines(p.conffiles))
	add("control", 0o644, p.control(installed))
	add("postinst", 0o755, []byte(ipkPostinst))
	if p.scripts.postinst != "" {
		add("postinst-pkg", 0o755, []byte("#!/bin/sh\n"+p.scripts.postinst))
	}
	if p.scripts.postrm != "" {
		add("postrm", 0o755, []byte("#!/bin/sh\n"+p.scripts.postrm))
	}
	add("prerm", 0o755, []byte(ipkPrerm))
	return out
}

// The router's own functions do the rest: user and group, enable, start; stop
// and disable. As in OpenWrt's include/package-pack.mk.
const (
	ipkPostinst = `#!/bin/sh
[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0
[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. ${IPKG_INSTROOT}/lib/functions.sh
default_postinst $0 $@
`
	ipkPrerm = `#!/bin/sh
[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. ${IPKG_INSTROOT}/lib/functions.sh
default_prerm $0 $@
`
)

// control is the package's description. installed is the size of the tar of
// its files, which opkg compares with the flash that is free.
func (p *pkg) control(installed int) []byte {
	var b strings.Builder
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	field("Package", p.name)
	field("Version", p.version)
	field("Depends", strings.Join(p.depends, ", "))
	field("Source", "wanbeacon")
	field("SourceName", "wanbeacon")
	field("License", licence)
	field("LicenseFiles", "LICENSE")
	field("Section", section)
	field("Require-User", p.user)
	field("SourceDateEpoch", fmt.Sprint(p.epoch))
	field("URL", url)
	field("Maintainer", maintainer)
	field("Architecture", p.arch)
	field("Installed-Size", fmt.Sprint(installed))
	field("Description", " "+strings.ReplaceAll(p.description, "\n", "\n "))
	return []byte(b.String())
}

// tar returns entries as a tar in GNU's form, with the directory ./ first,
// everything root's and of one time.
func (p *pkg) tar(entries []entry) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range append([]entry{{path: "/", kind: kindDir, mode: 0o755}}, entries...) {
		h := &tar.Header{
			Name: "." + e.path, Mode: int64(e.mode), Size: int64(len(e.content)), Typeflag: tar.TypeReg,
			ModTime: time.Unix(p.epoch, 0), Format: tar.FormatGNU,
		}
		switch e.kind {
		case kindDir:
			h.Typeflag, h.Name = tar.TypeDir, strings.TrimSuffix(h.Name, "/")+"/"
		case kindLink:
			h.Typeflag, h.Linkname, h.Mode = tar.TypeSymlink, e.target, 0o777
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", p.name, e.path, err)
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", p.name, e.path, err)
		}
	}
	err := w.Close()
	return out.Bytes(), err
}

// gzipped has neither name nor time in its header.
func gzipped(b []byte) []byte {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is valid
	w.Write(b)                                              // to memory
	w.Close()
	return out.Bytes()
}
