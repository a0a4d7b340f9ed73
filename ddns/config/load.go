package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/BurntSushi/toml"
)

const (
	maxFile   = 1 << 20  // bytes of a configuration
	maxSecret = 64 << 10 // bytes of a KEY_file
	maxBundle = 4 << 20  // bytes of a ca_file
	bom       = "\ufeff"
)

// Load reads and checks the file at path. Its error is Problems: all that is
// wrong, by line, also when there is no file. Others being able to read the
// file is a warning.
func Load(path string) (*Config, error) {
	text, mode, err := readFile(path, maxFile)
	if err != nil {
		hint := ""
		if errors.Is(err, fs.ErrNotExist) {
			hint = "; create it, or name another with -config"
		}
		return nil, Problems{{Path: path, Message: err.Error() + hint}}
	}
	c, err := Parse(path, text)
	if err != nil {
		return nil, err
	}
	if w := openMode(path, mode); w != "" {
		c.Warnings = append([]Problem{{Path: path, Message: w}}, c.Warnings...)
	}
	return c, nil
}

// Read returns the text of the file at path and its revision, for [Rewrite].
// Of a file that does not exist both are empty. The error is Problems.
func Read(path string) (text []byte, revision string, err error) {
	text, _, err = readFile(path, maxFile)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "", nil
	case err != nil:
		return nil, "", Problems{{Path: path, Message: err.Error()}}
	}
	return text, revisionOf(text), nil
}

// revisionOf is the SHA-256 of a text, in hexadecimal.
func revisionOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Parse checks text as if it were the file at path, which it does not read,
// and fills in the defaults. Files that the text names (KEY_file, ca_file) are
// read. Its error is Problems, as Load's.
func Parse(path string, text []byte) (*Config, error) {
	doc, tree, err := readText(path, text)
	if err != nil {
		return nil, err
	}
	r := &reader{path: path, doc: doc}
	c := r.config(tree)
	c.Path, c.Revision, c.doc = path, revisionOf(text), doc
	if len(r.problems) > 0 {
		byLine(r.problems)
		return nil, Problems(r.problems)
	}
	byLine(r.warnings)
	c.Warnings = r.warnings
	doc.text = "" // Problem needs the places only, and the text has secrets
	return c, nil
}

// readText returns the places and the values of a TOML text. Its error is Problems.
func readText(path string, text []byte) (*document, map[string]any, error) {
	if p := unreadable(path, text); p != nil {
		return nil, nil, Problems{*p}
	}
	doc := scanDocument(string(text))
	if doc.tooDeep {
		return nil, nil, Problems{{Path: path, Line: doc.lineAt(doc.stopped), Message: "too many tables or lists in each other"}}
	}
	tree, problem := decode(path, doc)
	if problem != nil {
		return nil, nil, Problems{*problem}
	}
	return doc, tree, nil
}

// decode returns the text as a tree of map[string]any.
func decode(path string, doc *document) (tree map[string]any, problem *Problem) {
	defer func() {
		if recover() != nil { // the decoder panics where it finds a mistake of its own
			problem = &Problem{Path: path, Line: doc.lineAt(doc.stopped), Message: "this cannot be read as TOML"}
		}
	}()
	if err := toml.Unmarshal([]byte(strings.TrimPrefix(doc.text, bom)), &tree); err != nil {
		return nil, syntaxProblem(path, doc, err)
	}
	return tree, nil
}

// readFile returns at most limit bytes; a larger file is an error. Errors read
// well after the path and a colon, and do not have the path themselves.
func readFile(path string, limit int64) ([]byte, fs.FileMode, error) {
	// Without O_NONBLOCK, a FIFO that nobody writes to would hang a reload.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, bareError(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, bareError(err)
	}
	if info.IsDir() {
		return nil, 0, errors.New("is a directory, not a file")
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, 0, bareError(err)
	}
	if int64(len(text)) > limit {
		return nil, 0, fmt.Errorf("is larger than %d KiB", limit>>10)
	}
	return text, info.Mode(), nil
}

// bareError takes the path off an error of package os: ours has it already.
func bareError(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

// openMode returns a warning if others than the owner can read or write path.
func openMode(path string, mode fs.FileMode) string {
	if !mode.IsRegular() || mode.Perm()&0o066 == 0 {
		return ""
	}
	can := "read"
	if mode.Perm()&0o044 == 0 {
		can = "change"
	}
	return "other users can " + can + " this file, which holds secrets: chmod 600 " + path
}
