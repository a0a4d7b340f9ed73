package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"sort"
	"strings"

	"github.com/wanbeacon/wanbeacon/ipk/internal/adb"
)

// Slots of the objects in a package's database: apk_adb.h of apk-tools 3.
const (
	pkgInfo    = 1
	pkgPaths   = 2
	pkgScripts = 3

	infoName          = 1
	infoVersion       = 2
	infoHash          = 3
	infoDescription   = 4
	infoArch          = 5
	infoLicence       = 6
	infoOrigin        = 7
	infoMaintainer    = 8
	infoURL           = 9
	infoInstalledSize = 12
	infoFileSize      = 13
	infoDepends       = 15

	dirName  = 1
	dirACL   = 2
	dirFiles = 3

	fileName   = 1
	fileACL    = 2
	fileSize   = 3
	fileMtime  = 4
	fileHash   = 5
	fileTarget = 6

	scriptPostInstall   = 3
	scriptPreDeinstall  = 4
	scriptPostDeinstall = 5
	scriptPostUpgrade   = 7
)

const (
	identityLen = 20
	linkType    = 0o120000 // before a link's target, as a little-endian u16
)

// slots returns an object from a map of slots.
func slots(m map[int]adb.Value) adb.Object {
	var o adb.Object
	for i, v := range m {
		for len(o) < i {
			o = append(o, nil)
		}
		o[i-1] = v
	}
	return o
}

// apk returns the package for apk-tools 3, not signed.
func (p *pkg) apk() *adb.File {
	paths, data := p.apkPaths()
	var depends adb.Array
	for _, d := range p.depends {
		depends = append(depends, adb.Object{d})
	}
	sort.Slice(depends, func(i, j int) bool {
		return depends[i].(adb.Object).Text(1) < depends[j].(adb.Object).Text(1)
	})
	var size uint64
	for _, d := range data {
		size += uint64(len(d.Content))
	}
	payload, identity := adb.Encode(slots(map[int]adb.Value{
		pkgInfo: slots(map[int]adb.Value{
			infoName: p.name, infoVersion: p.version, infoHash: adb.Reserved(identityLen),
			infoDescription: strings.ReplaceAll(p.description, "\n", " "),
			infoArch:        apkArch(p.arch), infoLicence: licence, infoOrigin: "wanbeacon",
			infoMaintainer: maintainer, infoURL: url, infoInstalledSize: size, infoDepends: depends,
		}),
		pkgPaths:   paths,
		pkgScripts: p.apkScripts(),
	}))
	// The identity is the digest of the database while it is not filled in.
	sum := sha256.Sum256(payload)
	copy(payload[identity:identity+identityLen], sum[:])
	return &adb.File{Schema: adb.SchemaPackage, ADB: payload, Data: data}
}

func apkArch(arch string) string {
	if arch == "all" {
		return "noarch"
	}
	return arch
}

// apkEntries are the package's files and those in which OpenWrt's apk keeps
// what opkg has in its own database.
func (p *pkg) apkEntries() []entry {
	dir := "/lib/apk/packages/"
	q := *p
	q.entries = append([]entry(nil), p.entries...)
	add := func(suffix string, content []byte) {
		if len(content) > 0 {
			q.entries = append(q.entries, entry{path: dir + p.name + suffix, kind: kindFile, mode: 0o644, content: content})
		}
	}
	if p.user != "" {
		add(".rusers", []byte(p.user+"\n"))
	}
	list := q.files()
	sort.Strings(list)
	add(".list", lines(list))
	add(".conffiles", lines(p.conffiles))
	var static []string
	for _, e := range p.entries {
		for _, c := range p.conffiles {
			if e.path == c {
				sum := sha256.Sum256(e.content)
				static = append(static, c+" "+hex.EncodeToString(sum[:]))
			}
		}
	}
	add(".conffiles_static", lines(static))
	if err := q.arrange(); err != nil {
		panic(err) // names of our own
	}
	return q.entries
}

// apkPaths returns the directories with their files, sorted, and the contents
// in the same order.
func (p *pkg) apkPaths() (adb.Array, []adb.Data) {
	byDir := map[string][]entry{}
	dirs := []entry{{path: "/", kind: kindDir, mode: 0o755}}
	for _, e := range p.apkEntries() {
		if e.kind == kindDir {
			dirs = append(dirs, e)
			continue
		}
		byDir[path.Dir(e.path)] = append(byDir[path.Dir(e.path)], e)
	}
	sort.Slice(dirs, func(i, j int) bool { return dirs[i].path < dirs[j].path })
	var paths adb.Array
	var data []adb.Data
	for i, d := range dirs {
		var files adb.Array
		inside := byDir[d.path]
		sort.Slice(inside, func(a, b int) bool { return inside[a].path < inside[b].path })
		for j, e := range inside {
			files = append(files, p.apkFile(e))
			if e.kind == kindFile && len(e.content) > 0 {
				data = append(data, adb.Data{Path: uint32(i + 1), File: uint32(j + 1), Content: e.content})
			}
		}
		paths = append(paths, slots(map[int]adb.Value{
			dirName: strings.TrimPrefix(d.path, "/"), dirACL: acl(d.mode), dirFiles: files,
		}))
	}
	return paths, data
}

func (p *pkg) apkFile(e entry) adb.Object {
	f := map[int]adb.Value{fileName: path.Base(e.path), fileACL: acl(e.mode), fileMtime: uint64(p.epoch)}
	if e.kind == kindLink {
		f[fileACL] = acl(0o777)
		f[fileSize] = uint64(len(e.target))
		f[fileTarget] = string([]byte{linkType & 0xff, linkType >> 8}) + e.target
		return slots(f)
	}
	sum := sha256.Sum256(e.content)
	f[fileSize] = uint64(len(e.content))
	f[fileHash] = string(sum[:])
	return slots(f)
}

func acl(mode uint32) adb.Object { return adb.Object{uint64(mode), "root", "root"} }

// apkScripts are OpenWrt's defaults, as in include/package-pack.mk, with the
// package's own text where opkg has it: when the user is there and the service
// not yet started. An upgrade runs only the new package's post-upgrade:
// nothing stops the old daemon, and starting does nothing while the instance
// is the same to procd. The init script names the binary as a file of the
// instance, so that a changed one makes a changed instance.
func (p *pkg) apkScripts() adb.Object {
	install := `[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0
[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. ${IPKG_INSTROOT}/lib/functions.sh
export root="${IPKG_INSTROOT}"
export pkgname="` + p.name + `"
add_group_and_user
` + p.scripts.postinst + `default_postinst
`
	s := map[int]adb.Value{
		scriptPostInstall: "#!/bin/sh\n" + install,
		scriptPostUpgrade: "#!/bin/sh\nexport PKG_UPGRADE=1\n" + install,
		scriptPreDeinstall: fmt.Sprintf(`#!/bin/sh
[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0
. ${IPKG_INSTROOT}/lib/functions.sh
export root="${IPKG_INSTROOT}"
export pkgname="%s"
default_prerm
`, p.name),
	}
	if p.scripts.postrm != "" {
		s[scriptPostDeinstall] = "#!/bin/sh\n" + p.scripts.postrm
	}
	return slots(s)
}
