package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// unpacked is a package as a router's package manager sees it.
type unpacked struct {
	info    map[string]string // control fields of opkg, or the like of apk
	entries []entry
	scripts map[string]string
}

const maxUnpacked = 64 << 20

// readIPK reads a package as opkg does: with a reader that knows the plain and
// GNU's form of tar and nothing else, so that what opkg would not see is not
// seen here either. Whatever opkg would take and we never write is an error.
func readIPK(file []byte, epoch int64) (*unpacked, error) {
	outer, err := readTarGz(file, epoch)
	if err != nil {
		return nil, fmt.Errorf("outer archive: %w", err)
	}
	if len(outer) != 4 || outer[0].path != "/" || outer[1].path != "/debian-binary" || string(outer[1].content) != "2.0\n" ||
		outer[2].path != "/data.tar.gz" || outer[3].path != "/control.tar.gz" {
		return nil, errors.New("outer archive: not ./debian-binary, ./data.tar.gz, ./control.tar.gz")
	}
	data, err := readTarGz(outer[2].content, epoch)
	if err != nil {
		return nil, fmt.Errorf("data.tar.gz: %w", err)
	}
	control, err := readTarGz(outer[3].content, epoch)
	if err != nil {
		return nil, fmt.Errorf("control.tar.gz: %w", err)
	}
	if len(data) == 0 || len(control) == 0 {
		return nil, errors.New("an archive in it is empty")
	}
	u := &unpacked{entries: data[1:], scripts: map[string]string{}}
	for _, c := range control[1:] {
		u.scripts[strings.TrimPrefix(c.path, "/")] = string(c.content)
		if c.path == "/control" {
			u.info, err = fields(string(c.content))
		}
	}
	return u, err
}

// fields reads "Name: value" lines; a line that begins with a space goes on
// with the value before.
func fields(text string) (map[string]string, error) {
	out := map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, " ") && name != "" {
			out[name] += "\n" + line
			continue
		}
		n, value, ok := strings.Cut(line, ": ")
		if !ok || out[n] != "" {
			return nil, fmt.Errorf("control: %q is not a field, or twice", line)
		}
		name, out[n] = n, value
	}
	return out, nil
}

func readTarGz(b []byte, epoch int64) ([]entry, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	if !z.ModTime.IsZero() || z.Name != "" {
		return nil, errors.New("a name or a time in the gzip header")
	}
	plain, err := io.ReadAll(io.LimitReader(z, maxUnpacked+1))
	if err != nil {
		return nil, err
	}
	if len(plain) > maxUnpacked {
		return nil, errors.New("too large")
	}
	return readTar(plain, epoch)
}

const tarBlock = 512

// readTar reads a tar of regular files, directories and symbolic links that
// all belong to root.
func readTar(b []byte, epoch int64) ([]entry, error) {
	var out []entry
	long := map[byte]string{} // names that did not fit, from the entries before
	for {
		if len(b) < tarBlock {
			return nil, io.ErrUnexpectedEOF
		}
		h := b[:tarBlock]
		b = b[tarBlock:]
		if !bytes.ContainsFunc(h, func(r rune) bool { return r != 0 }) {
			if len(bytes.Trim(b, "\x00")) > 0 {
				return nil, errors.New("tar: data after the end")
			}
			return out, nil
		}
		size, err := tarNumber(h[124:136])
		if err != nil {
			return nil, err
		}
		padded := (size + tarBlock - 1) / tarBlock * tarBlock
		if padded > int64(len(b)) {
			return nil, io.ErrUnexpectedEOF
		}
		content := b[:size]
		b = b[padded:]
		if kind := h[156]; kind == 'L' || kind == 'K' {
			long[kind] = cString(content)
			continue
		}
		e, err := tarEntry(h, content, long, epoch)
		if err != nil {
			return nil, err
		}
		clear(long)
		out = append(out, e)
	}
}

func tarEntry(h, content []byte, long map[byte]string, epoch int64) (entry, error) {
	name, target := cString(h[:100]), cString(h[157:257])
	if s, ok := long['L']; ok {
		name = s
	}
	if s, ok := long['K']; ok {
		target = s
	}
	fail := func(format string, args ...any) (entry, error) {
		return entry{}, fmt.Errorf("tar: %q: %s", name, fmt.Sprintf(format, args...))
	}
	if string(h[257:265]) != "ustar  \x00" {
		return fail("not in GNU's form")
	}
	var n [5]int64 // mode, uid, gid, mtime, checksum
	for i, at := range [][2]int{{100, 108}, {108, 116}, {116, 124}, {136, 148}, {148, 156}} {
		var err error
		if n[i], err = tarNumber(h[at[0]:at[1]]); err != nil {
			return fail("%v", err)
		}
	}
	sum := int64(8 * ' ')
	for i, c := range h {
		if i < 148 || i >= 156 {
			sum += int64(c)
		}
	}
	switch {
	case sum != n[4]:
		return fail("checksum %d, not %d", n[4], sum)
	case n[1] != 0 || n[2] != 0 || cString(h[265:297])+cString(h[297:329]) != "":
		return fail("not root's")
	case n[3] != epoch:
		return fail("time %d, not %d", n[3], epoch)
	case !strings.HasPrefix(name, "./"):
		return fail("a name that does not begin with ./")
	}
	e := entry{path: "/" + strings.TrimSuffix(name[2:], "/"), mode: uint32(n[0]), target: target}
	switch h[156] {
	case '0':
		e.kind, e.content = kindFile, content
	case '5':
		e.kind = kindDir
	case '2':
		e.kind = kindLink
	default:
		return fail("type %q, which opkg does not read", h[156])
	}
	return e, nil
}

// tarNumber reads octal digits; GNU's binary numbers are for sizes we never
// have.
func tarNumber(b []byte) (int64, error) {
	n, err := strconv.ParseInt(strings.Trim(string(b), " \x00"), 8, 62)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("tar: %q is not a number", b)
	}
	return n, nil
}

func cString(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}
