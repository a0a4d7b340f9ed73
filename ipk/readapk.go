package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/wanbeacon/wanbeacon/ipk/internal/adb"
)

// readAPK reads a package as apk does: identity, order, sizes and digests must
// fit. Signatures are the caller's business.
func readAPK(file []byte, epoch int64) (*unpacked, *adb.File, error) {
	f, err := adb.Parse(file)
	if err != nil {
		return nil, nil, err
	}
	if f.Schema != adb.SchemaPackage {
		return nil, nil, fmt.Errorf("schema %#x, not a package", f.Schema)
	}
	root, err := adb.Decode(f.ADB)
	if err != nil {
		return nil, nil, err
	}
	p, _ := root.(adb.Object)
	info, _ := p.Slot(pkgInfo).(adb.Object)
	if err := checkIdentity(f.ADB, info.Text(infoHash)); err != nil {
		return nil, nil, err
	}
	u := &unpacked{info: apkInfo(info), scripts: map[string]string{}}
	sc, _ := p.Slot(pkgScripts).(adb.Object)
	for i, name := range apkScriptNames {
		if s := sc.Text(i); s != "" {
			u.scripts[name] = s
		}
	}
	paths, _ := p.Slot(pkgPaths).(adb.Array)
	r := apkReader{data: f.Data, epoch: epoch}
	for i, v := range paths {
		d, ok := v.(adb.Object)
		if !ok {
			return nil, nil, errors.New("a directory that is no object")
		}
		if err := r.directory(i+1, d); err != nil {
			return nil, nil, err
		}
	}
	if len(r.data) > 0 {
		return nil, nil, errors.New("data of a file that is not there")
	}
	if r.size != info.Int(infoInstalledSize) {
		return nil, nil, fmt.Errorf("installed size %d, the files have %d", info.Int(infoInstalledSize), r.size)
	}
	u.entries = r.out
	return u, f, nil
}

var apkScriptNames = map[int]string{
	1: "trigger", 2: "pre-install", scriptPostInstall: "post-install", scriptPreDeinstall: "pre-deinstall",
	scriptPostDeinstall: "post-deinstall", 6: "pre-upgrade", scriptPostUpgrade: "post-upgrade",
}

// apkInfo is under opkg's names, where it is the same.
func apkInfo(info adb.Object) map[string]string {
	out := map[string]string{}
	for slot, name := range map[int]string{
		infoName: "Package", infoVersion: "Version", infoArch: "Architecture", infoLicence: "License",
		infoOrigin: "Source", infoMaintainer: "Maintainer", infoURL: "URL", infoDescription: "Description",
	} {
		out[name] = info.Text(slot)
	}
	var depends []string
	list, _ := info.Slot(infoDepends).(adb.Array)
	for _, d := range list {
		o, _ := d.(adb.Object)
		depends = append(depends, o.Text(1))
	}
	out["Depends"] = strings.Join(depends, ", ")
	return out
}

// checkIdentity: the identity is the digest of the database with itself zero.
func checkIdentity(payload []byte, identity string) error {
	if len(identity) != identityLen || bytes.Count(payload, []byte(identity)) != 1 {
		return errors.New("no identity")
	}
	sum := sha256.Sum256(bytes.Replace(payload, []byte(identity), make([]byte, identityLen), 1))
	if string(sum[:identityLen]) != identity {
		return errors.New("the identity is not the database's digest")
	}
	return nil
}

// apkReader walks the directories and takes the data as it comes.
type apkReader struct {
	data  []adb.Data
	epoch int64
	last  string // directory before
	out   []entry
	size  uint64
}

func (r *apkReader) directory(index int, d adb.Object) error {
	dir := "/" + d.Text(dirName)
	if index > 1 && dir <= r.last {
		return fmt.Errorf("%s: not sorted", dir)
	}
	r.last = dir
	mode, err := rootMode(d.Slot(dirACL))
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if dir != "/" {
		r.out = append(r.out, entry{path: dir, kind: kindDir, mode: mode})
	}
	files, _ := d.Slot(dirFiles).(adb.Array)
	before := ""
	for i, v := range files {
		f, _ := v.(adb.Object)
		name := f.Text(fileName)
		if name <= before || strings.Contains(name, "/") {
			return fmt.Errorf("%s: %q: not sorted, or no name", dir, name)
		}
		before = name
		e, err := r.file(index, i+1, f)
		if err != nil {
			return fmt.Errorf("%s/%s: %w", strings.TrimSuffix(dir, "/"), name, err)
		}
		e.path = strings.TrimSuffix(dir, "/") + "/" + name
		r.out = append(r.out, e)
	}
	return nil
}

func (r *apkReader) file(dir, index int, f adb.Object) (e entry, err error) {
	if e.mode, err = rootMode(f.Slot(fileACL)); err != nil {
		return e, err
	}
	if f.Int(fileMtime) != uint64(r.epoch) {
		return e, fmt.Errorf("time %d, not %d", f.Int(fileMtime), r.epoch)
	}
	if t := f.Text(fileTarget); t != "" {
		if len(t) < 2 || int(t[0])|int(t[1])<<8 != linkType {
			return e, errors.New("a target of another type than a symbolic link's")
		}
		e.kind, e.target = kindLink, t[2:]
		return e, nil
	}
	e.kind = kindFile
	if n := f.Int(fileSize); n > 0 {
		if len(r.data) == 0 || r.data[0].Path != uint32(dir) || r.data[0].File != uint32(index) || uint64(len(r.data[0].Content)) != n {
			return e, errors.New("its data is not where it should be, or not of its size")
		}
		e.content = r.data[0].Content
		r.data = r.data[1:]
		r.size += n
	}
	if sum := sha256.Sum256(e.content); string(sum[:]) != f.Text(fileHash) {
		return e, errors.New("the digest does not fit the data")
	}
	return e, nil
}

func rootMode(v adb.Value) (uint32, error) {
	o, _ := v.(adb.Object)
	if o.Text(2) != "root" || o.Text(3) != "root" {
		return 0, errors.New("not root's")
	}
	return uint32(o.Int(1)), nil
}
