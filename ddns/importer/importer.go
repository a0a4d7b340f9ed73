// Package importer turns the configuration of another dynamic-DNS client into
// ours: that of OpenWrt's ddns-scripts, of inadyn and of ddclient.
//
// Whatever has an equivalent is carried over. Whatever has not is named in a
// [Note] with its line, and where it matters in a comment of the result too.
// The result is valid by the rules of package config and of the providers in
// the catalogue; what would not be valid is in it as a comment. Notes never
// have a secret in them. The package sends nothing and writes no file.
//
//	result, err := importer.Inadyn(text, importer.Options{Catalogue: catalogue})
//	if err != nil {
//		return err
//	}
//	os.Stdout.Write(result.Config)
//	for _, note := range result.Notes {
//		fmt.Fprintln(os.Stderr, note)
//	}
package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"unicode/utf8"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// Options is what the functions need to know of the world around them.
type Options struct {
	Catalogue Catalogue // required

	// ReadFile reads the files that the imported one refers to: includes, key
	// files, certificates. Nil: none can be read.
	ReadFile func(path string) ([]byte, error)

	// Getenv looks environment variables up; nil: none is set.
	Getenv func(name string) (string, bool)

	Dir  string // of the imported file; relative includes are in it
	Home string // what "~" in an include stands for
}

// Catalogue is the providers that wanbeacon has.
type Catalogue interface {
	Lookup(name string) (*provider.Definition, error)
}

// Result is what became of a foreign configuration.
type Result struct {
	Config    []byte // our configuration, in TOML
	Providers int    // tables [provider.NAME] in it; 0: nothing could be carried over
	Records   int    // tables [[record]] in it
	Notes     []Note // what was not carried over, or not as it was; by line
}

// Note says what became of one line.
type Note struct {
	Line    int    // from 1; 0: the file as a whole
	Message string // one line, never a secret
}

const (
	maxFile   = 1 << 20 // bytes of a foreign configuration
	maxBundle = 4 << 20 // bytes of what it names: a bundle of certificates
)

// DDNSScripts imports /etc/config/ddns (UCI). The error is that the text
// cannot be such a file.
func DDNSScripts(text []byte, opt Options) (Result, error) {
	return run(text, opt, (*importer).ddnsScripts)
}

// Inadyn imports inadyn.conf, of version 2 and of the versions before it. The
// error is that the text cannot be such a file.
func Inadyn(text []byte, opt Options) (Result, error) {
	return run(text, opt, (*importer).inadyn)
}

// DDClient imports ddclient.conf. The error is that the text cannot be such a file.
func DDClient(text []byte, opt Options) (Result, error) {
	return run(text, opt, (*importer).ddclient)
}

func run(text []byte, opt Options, read func(*importer, string)) (Result, error) {
	text, err := plainText(text)
	if err != nil {
		return Result{}, err
	}
	im := newImporter(opt)
	read(im, string(text))
	im.finish()
	return im.result(), nil
}

// plainText refuses what no parser should have to think about.
func plainText(text []byte) ([]byte, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	switch line := func(at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }; {
	case len(text) > maxFile:
		return nil, fmt.Errorf("is larger than %d KiB; that is no configuration", maxFile>>10)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, errors.New("is empty")
	case bytes.IndexByte(text, 0) >= 0:
		return nil, fmt.Errorf("has a NUL byte in line %d; that is no configuration", line(bytes.IndexByte(text, 0)))
	case !utf8.Valid(text):
		return nil, fmt.Errorf("line %d is not UTF-8; convert the file first, with iconv", line(notUTF8(text)))
	}
	return text, nil
}

// notUTF8 returns where text stops being UTF-8.
func notUTF8(text []byte) int {
	at := 0
	for at < len(text) {
		r, n := utf8.DecodeRune(text[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return at
}

// ReadFile reads a file that is a configuration, or one that it names: no
// larger one, and no device. The error does not have the path.
func ReadFile(path string) ([]byte, error) {
	// Without O_NONBLOCK, a FIFO that nobody writes to would hang.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return nil, bare(err)
	} else if !info.Mode().IsRegular() {
		return nil, errors.New("is no file")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxBundle+1))
	switch {
	case err != nil:
		return nil, bare(err)
	case len(text) > maxBundle:
		return nil, fmt.Errorf("is larger than %d KiB", maxBundle>>10)
	}
	return text, nil
}

// bare takes the path off an error.
func bare(err error) error {
	if e, ok := errors.AsType[*os.PathError](err); ok {
		return e.Err
	}
	return err
}
