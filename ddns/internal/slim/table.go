package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// table is the line table of a Go program, the section .gopclntab: a header,
// names, file names, byte codes, and functions. The shape is that of package
// runtime, symtab.go (pcHeader, functab) and runtime2.go (_func).
type table struct {
	text  []byte
	order binary.ByteOrder
	count int // functions

	names, codes, functions []byte // each from its beginning to the next part
}

// magic begins the table since Go 1.20. Another one would mean another shape.
const magic = 0xfffffff1

// open finds the parts of the table.
func open(text []byte, order binary.ByteOrder) (*table, error) {
	if len(text) < 8 || order.Uint32(text) != magic {
		return nil, fmt.Errorf("the line table is not of the form of Go 1.20 to 1.26; see runtime/symtab.go of this version of Go")
	}
	size := int(text[7])
	if size != 4 && size != 8 || len(text) < 8+8*size {
		return nil, fmt.Errorf("the line table has pointers of %d bytes", size)
	}
	word := func(i int) int {
		b := text[8+i*size:]
		if size == 4 {
			return int(order.Uint32(b))
		}
		return int(order.Uint64(b))
	}
	// Words: functions, files, one unused, names, units, files, codes, functions.
	t := &table{text: text, order: order, count: word(0)}
	names, units, codes, functions := word(3), word(4), word(6), word(7)
	if names < 0 || names > units || units > codes || codes > functions || functions > len(text) ||
		t.count < 0 || t.count > (len(text)-functions)/8 {
		return nil, fmt.Errorf("the line table's header is broken")
	}
	t.names, t.codes, t.functions = text[names:units], text[codes:functions], text[functions:]
	return t, nil
}

// The words of a _func, by their offset; the last four bytes are funcID, flag,
// a pad and the number of funcdata; the pcdata follow.
const (
	atName     = 4
	atStack    = 16 // pcsp
	atFile     = 20 // pcfile
	atLine     = 24 // pcln
	atPCData   = 28 // their number
	atUnit     = 32 // where the unit's files begin
	atStart    = 36 // line of the keyword func
	sizeOfFunc = 44
)

// drop takes file and line from the functions that keep does not hold for.
func (t *table) drop(keep func(name string) bool) error {
	used := make([]bool, len(t.codes))
	for i := range t.count {
		at := int(t.order.Uint32(t.functions[8*i+4:]))
		if at < 0 || at > len(t.functions)-sizeOfFunc {
			return fmt.Errorf("function %d is outside of the line table", i)
		}
		f := t.functions[at:]
		name, err := t.name(int(t.order.Uint32(f[atName:])))
		if err != nil {
			return err
		}
		if !keep(name) {
			for _, word := range [...]int{atFile, atLine, atUnit, atStart} {
				t.order.PutUint32(f[word:], 0)
			}
		}
		n := int(t.order.Uint32(f[atPCData:]))
		if n < 0 || n > (len(f)-sizeOfFunc)/4 {
			return fmt.Errorf("%q has %d tables", name, n)
		}
		for _, word := range [...]int{atStack, atFile, atLine} {
			if err := t.use(used, int(t.order.Uint32(f[word:]))); err != nil {
				return fmt.Errorf("%q: %w", name, err)
			}
		}
		for j := range n {
			if err := t.use(used, int(t.order.Uint32(f[sizeOfFunc+4*j:]))); err != nil {
				return fmt.Errorf("%q: %w", name, err)
			}
		}
	}
	for i := range t.codes {
		if !used[i] {
			t.codes[i] = 0
		}
	}
	return nil
}

// name is the name that begins at an offset.
func (t *table) name(at int) (string, error) {
	if at < 0 || at >= len(t.names) {
		return "", fmt.Errorf("a name is outside of the line table")
	}
	end := bytes.IndexByte(t.names[at:], 0)
	if end < 0 {
		return "", fmt.Errorf("a name has no end")
	}
	return string(t.names[at : at+end]), nil
}

// use marks the byte code at an offset: pairs of numbers, the difference of
// the value and that of the program counter, up to a value of zero that is not
// the first. Offset 0 is none. Equal ones are one and the same.
func (t *table) use(used []bool, at int) error {
	if at == 0 {
		return nil
	}
	for i := at; ; {
		value, n := binary.Uvarint(t.codes[min(i, len(t.codes)):])
		if n > 0 && value == 0 && i > at {
			used[i] = true
			return nil
		}
		_, m := binary.Uvarint(t.codes[min(i+max(n, 0), len(t.codes)):])
		if n <= 0 || m <= 0 {
			return fmt.Errorf("its table at %d has no end", at)
		}
		for ; m+n > 0; n-- {
			used[i] = true
			i++
		}
	}
}
