// Package adb reads and writes the ADB container of apk-tools 3: the form of
// .apk packages and of the index packages.adb.
//
// A file is a header, one ADB block (a small database of nested values), any
// number of signature blocks, and for packages one data block for each file
// that is not empty. All integers are little-endian, blocks are padded to 8
// bytes. The package knows the container and its values; what the slots of an
// object mean is its users' business. It never touches the file system.
//
// The source for all of it is apk-tools 3.0 (adb.h, apk_adb.h); there is no
// specification.
//
// Start with [Encode], [File.Bytes] and [Parse].
package adb

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
)

// Schemas: what a file holds.
const (
	SchemaPackage = 0x676b6370 // "pckg"
	SchemaIndex   = 0x78646e69 // "indx"
)

// Types of blocks.
const (
	blockADB  = 0
	blockSig  = 1
	blockData = 2
)

const (
	magic     = "ADB."
	deflated  = "ADBd" // all that follows is raw deflate, of a file with magic
	alignment = 8
	maxBlock  = 1<<30 - 1 // with its own four bytes
	maxFile   = 256 << 20 // bytes of a file after decompression that Parse takes
)

// File is a container in parts.
type File struct {
	Schema     uint32
	ADB        []byte // as Encode makes it
	Signatures [][]byte
	Data       []Data
}

// Data is the content of one file of a package: the Path-th directory's
// File-th file, both counted from 1.
type Data struct {
	Path, File uint32
	Content    []byte
}

// Bytes returns the container, not compressed.
func (f *File) Bytes() []byte {
	out := append([]byte(magic), le32(f.Schema)...)
	out = appendBlock(out, blockADB, f.ADB)
	for _, s := range f.Signatures {
		out = appendBlock(out, blockSig, s)
	}
	for _, d := range f.Data {
		out = appendBlock(out, blockData, le32(d.Path), le32(d.File), d.Content)
	}
	return out
}

// Compressed returns the container deflated, which every build of apk-tools
// can read; OpenWrt's is without zstd.
func (f *File) Compressed() []byte {
	var out bytes.Buffer
	out.WriteString(deflated)
	w, _ := flate.NewWriter(&out, flate.BestCompression) // the level is valid
	w.Write(f.Bytes())                                   // to memory
	w.Close()
	return out.Bytes()
}

func appendBlock(out []byte, kind uint32, parts ...[]byte) []byte {
	n := 4
	for _, p := range parts {
		n += len(p)
	}
	if n > maxBlock {
		panic(fmt.Sprintf("adb: a block of %d bytes", n))
	}
	out = append(out, le32(kind<<30|uint32(n))...)
	for _, p := range parts {
		out = append(out, p...)
	}
	for n%alignment != 0 {
		out = append(out, 0)
		n++
	}
	return out
}

// Parse takes a container apart, whether it is compressed or not. The parts
// are checked for their form and order, as apk-tools does; signatures and the
// data's hashes are not.
func Parse(file []byte) (*File, error) {
	if bytes.HasPrefix(file, []byte(deflated)) {
		r := flate.NewReader(bytes.NewReader(file[len(deflated):]))
		plain, err := io.ReadAll(io.LimitReader(r, maxFile+1))
		if err != nil {
			return nil, fmt.Errorf("adb: compressed data: %w", err)
		}
		if len(plain) > maxFile {
			return nil, fmt.Errorf("adb: more than %d bytes", maxFile)
		}
		file = plain
	}
	if len(file) < 8 || string(file[:4]) != magic {
		return nil, fmt.Errorf("adb: no %q at the start", magic)
	}
	f := &File{Schema: binary.LittleEndian.Uint32(file[4:])}
	rest := file[8:]
	for last := -1; len(rest) > 0; {
		kind, payload, next, err := block(rest)
		if err != nil {
			return nil, fmt.Errorf("adb: at byte %d: %w", len(file)-len(rest), err)
		}
		switch {
		case last < 0 && kind == blockADB:
			f.ADB = payload
		case last >= 0 && last <= blockSig && kind == blockSig:
			f.Signatures = append(f.Signatures, payload)
		case last >= 0 && kind == blockData && len(payload) >= 8:
			f.Data = append(f.Data, Data{
				binary.LittleEndian.Uint32(payload), binary.LittleEndian.Uint32(payload[4:]), payload[8:]})
		default:
			return nil, fmt.Errorf("adb: at byte %d: a block of type %d is out of place", len(file)-len(rest), kind)
		}
		last, rest = kind, next
	}
	if f.ADB == nil {
		return nil, fmt.Errorf("adb: no ADB block")
	}
	return f, nil
}

func block(b []byte) (kind int, payload, next []byte, err error) {
	if len(b) < 4 {
		return 0, nil, nil, io.ErrUnexpectedEOF
	}
	v := binary.LittleEndian.Uint32(b)
	kind, size := int(v>>30), int(v&maxBlock)
	padded := (size + alignment - 1) / alignment * alignment
	if size < 4 || padded > len(b) {
		return 0, nil, nil, fmt.Errorf("a block of %d bytes where %d are left", size, len(b))
	}
	for _, c := range b[size:padded] {
		if c != 0 {
			return 0, nil, nil, fmt.Errorf("padding that is not zero")
		}
	}
	return kind, b[4:size:size], b[padded:], nil
}

func le32(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }
