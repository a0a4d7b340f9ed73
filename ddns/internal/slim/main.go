// Command slim takes the line numbers of other people's code out of a router's
// binary, as strip takes the symbols: of the standard library and the
// dependencies, which nobody who reads a crash report on a router will look up,
// and which are a tenth of the flash that the program takes.
//
//	slim bin/mipsle/wanbeacon main. github.com/wanbeacon/wanbeacon/
//
// Functions whose names begin with one of the prefixes keep file and line. A
// traceback shows the others by their name and offset, with "?" for the file:
// the runtime's own way for a function that has no such table. The same source
// gives the same code, so that an unstripped build has the lines of the rest.
//
// The file is rewritten in place, at the same size: what is taken out becomes
// zero bytes, which cost nothing once they are compressed. No code changes.
package main

import (
	"debug/elf"
	"fmt"
	"os"
	"strings"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: slim BINARY PREFIX...")
		os.Exit(2)
	}
	if err := slim(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "slim: %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

// slim rewrites the ELF file. Functions that have one of the prefixes keep
// their lines.
func slim(path string, keep []string) error {
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	section := f.Section(".gopclntab")
	if section == nil {
		return fmt.Errorf("it has no section .gopclntab: it is no program of Go's linker")
	}
	text, err := section.Data()
	if err != nil {
		return err
	}
	t, err := open(text, f.ByteOrder)
	if err != nil {
		return err
	}
	err = t.drop(func(name string) bool {
		for _, prefix := range keep {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
		return false
	})
	if err != nil {
		return err
	}
	out, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = out.WriteAt(text, int64(section.Offset))
	if closed := out.Close(); err == nil {
		err = closed
	}
	return err
}
