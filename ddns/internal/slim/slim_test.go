package main

import (
	"bytes"
	"debug/elf"
	"debug/gosym"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// built is the program of testdata, built as routers' binaries are.
func built(t *testing.T) string {
	t.Helper()
	path := t.TempDir() + "/program"
	cmd := exec.Command("go", "build", "-trimpath", "-gcflags=all=-l", "-ldflags=-s -w", "-o", path, "./testdata/program")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// symbols reads a binary with the standard library's own reader.
func symbols(t *testing.T, path string) *gosym.Table {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := f.Section(".gopclntab").Data()
	if err != nil {
		t.Fatal(err)
	}
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, f.Section(".text").Addr))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestTracebackHasOurLinesAndEverybodysNames(t *testing.T) {
	path := built(t)
	if err := slim(path, []string{"main."}); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path)
	cmd.Env = []string{"GOGC=1", "GODEBUG=gccheckmark=1", "GOTRACEBACK=all"}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.HasPrefix(string(out), "panic: as meant\n") {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"\nmain.main.func1(", "main.go:17 +0x", "\nsort.insertionSort_func(", "\n\t?:0 +0x", "\nmain.main()\n", "main.go:16 +0x"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestWhatIsKeptIsAsItWas(t *testing.T) {
	path := built(t)
	before := symbols(t, path)
	size := len(mustRead(t, path))
	if err := slim(path, []string{"main.", "sort."}); err != nil {
		t.Fatal(err)
	}
	after := symbols(t, path)
	if len(after.Funcs) != len(before.Funcs) || len(after.Funcs) < 100 || len(mustRead(t, path)) != size {
		t.Fatalf("%d functions, before %d", len(after.Funcs), len(before.Funcs))
	}
	kept := 0
	for i := range before.Funcs {
		f, g := &before.Funcs[i], &after.Funcs[i]
		if f.Name != g.Name || f.Entry != g.Entry || f.End != g.End {
			t.Fatalf("%s at %#x became %s at %#x", f.Name, f.Entry, g.Name, g.Entry)
		}
		if !strings.HasPrefix(f.Name, "main.") && !strings.HasPrefix(f.Name, "sort.") {
			continue
		}
		for pc := f.Entry; pc < f.End; pc++ {
			wantFile, wantLine, _ := before.PCToLine(pc)
			if file, line, _ := after.PCToLine(pc); file != wantFile || line != wantLine {
				t.Fatalf("%s: %#x is %s:%d, was %s:%d", f.Name, pc, file, line, wantFile, wantLine)
			}
		}
		kept++
	}
	if kept < 10 {
		t.Fatalf("%d functions kept", kept)
	}
	// Once more changes nothing.
	first := mustRead(t, path)
	if err := slim(path, []string{"main.", "sort."}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, mustRead(t, path)) {
		t.Error("the second time it changed")
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestOtherFilesAreRefused(t *testing.T) {
	path := t.TempDir() + "/file"
	if err := os.WriteFile(path, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := slim(path, nil); err == nil {
		t.Error("a text was taken for a program")
	}
	if text := mustRead(t, path); string(text) != "no program" {
		t.Errorf("the file became %q", text)
	}
}

// handmade is a line table of the functions main.a, which keeps its lines, and
// sort.b. They share the table of the stack at 1; their others follow.
func handmade(order binary.AppendByteOrder, size int) []byte {
	word := func(b []byte, n int) []byte {
		if size == 4 {
			return order.AppendUint32(b, uint32(n))
		}
		return order.AppendUint64(b, uint64(n))
	}
	names := "\x00main.a\x00sort.b\x00"
	codes := "\x00" + "\x02\x04\x00" + "\x06\x04\x00" + "\x08\x04\x00" + "\x0a\x04\x00" + "\x80\x01\x04\x00"
	head := 8 + 8*size
	functions := head + len(names) + len(codes)
	var b []byte
	b = order.AppendUint32(b, magic)
	b = append(b, 0, 0, 1, byte(size))
	for _, n := range []int{2, 1, 0, head, head + len(names), head + len(names), head + len(names), functions} {
		b = word(b, n)
	}
	b = append(b, names...)
	b = append(b, codes...)
	first := 2*8 + 4
	second := first + sizeOfFunc + 4
	for _, n := range []int{0, first, 8, second, 16} {
		b = order.AppendUint32(b, uint32(n))
	}
	for _, f := range [][]int{
		// entry, name, args, defer, stack, file, line, tables, unit, start, rest, pcdata
		{0, 1, 0, 0, 1, 4, 7, 1, 5, 6, 0, 0},
		{8, 8, 0, 0, 1, 10, 13, 1, 5, 6, 0, 1},
	} {
		for _, n := range f {
			b = order.AppendUint32(b, uint32(n))
		}
	}
	return b
}

func isOurs(name string) bool { return strings.HasPrefix(name, "main.") }

func TestEveryByteOrderAndWordSize(t *testing.T) {
	for _, order := range []interface {
		binary.ByteOrder
		binary.AppendByteOrder
	}{binary.LittleEndian, binary.BigEndian} {
		for _, size := range []int{4, 8} {
			t.Run(fmt.Sprint(order, size), func(t *testing.T) {
				text := handmade(order, size)
				table, err := open(text, order)
				if err == nil {
					err = table.drop(isOurs)
				}
				if err != nil {
					t.Fatal(err)
				}
				if want := "\x00" + "\x02\x04\x00" + "\x06\x04\x00" + "\x08\x04\x00" + "\x00\x00\x00" + "\x00\x00\x00\x00"; string(table.codes) != want {
					t.Errorf("codes %q, want %q", table.codes, want)
				}
				for i, want := range []string{"[0 1 0 0 1 4 7 1 5 6]", "[8 8 0 0 1 0 0 1 0 0]"} {
					f := make([]uint32, 10)
					at := order.Uint32(table.functions[8*i+4:])
					for j := range f {
						f[j] = order.Uint32(table.functions[int(at)+4*j:])
					}
					if got := fmt.Sprint(f); got != want {
						t.Errorf("function %d is %s, want %s", i, got, want)
					}
				}
			})
		}
	}
}

func FuzzTable(f *testing.F) {
	for _, size := range []int{4, 8} {
		f.Add(handmade(binary.LittleEndian, size), true)
		f.Add(handmade(binary.BigEndian, size), false)
	}
	f.Fuzz(func(t *testing.T, text []byte, little bool) {
		var order binary.ByteOrder = binary.BigEndian
		if little {
			order = binary.LittleEndian
		}
		size := len(text)
		if table, err := open(text, order); err == nil {
			if err := table.drop(isOurs); err != nil && strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("%q", err)
			}
		}
		if len(text) != size {
			t.Error("it has another size")
		}
	})
}
