package json

import (
	"encoding"
	"errors"
	"math"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// writer is the text so far.
type writer struct {
	text    []byte
	newline string // line break and prefix; empty: all on one line
	indent  string
	depth   int
}

func marshal(v any, newline, indent string) ([]byte, error) {
	w := writer{newline: newline, indent: indent}
	err := w.value(reflect.ValueOf(v))
	return w.text, err
}

func (w *writer) add(s string) error {
	w.text = append(w.text, s...)
	return nil
}

func (w *writer) value(v reflect.Value) error {
	for {
		switch v.Kind() {
		case reflect.Invalid:
			return w.add("null")
		case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
			if v.IsNil() {
				return w.add("null")
			}
		}
		if m, ok := v.Interface().(encoding.TextMarshaler); ok {
			text, err := m.MarshalText()
			w.text = AppendQuoted(w.text, string(text))
			return err
		}
		if k := v.Kind(); k != reflect.Pointer && k != reflect.Interface {
			break
		}
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case RawMessage:
		return w.add(string(x))
	case Number:
		if x == "" {
			x = "0"
		}
		return w.add(string(x))
	}
	switch k := v.Kind(); {
	case k == reflect.String:
		w.text = AppendQuoted(w.text, v.String())
	case k == reflect.Bool:
		w.text = strconv.AppendBool(w.text, v.Bool())
	case v.CanInt():
		w.text = strconv.AppendInt(w.text, v.Int(), 10)
	case v.CanUint():
		w.text = strconv.AppendUint(w.text, v.Uint(), 10)
	case v.CanFloat():
		return w.float(v.Float(), v.Type().Bits())
	case k == reflect.Struct, k == reflect.Map, k == reflect.Slice && v.Type().Elem().Kind() != reflect.Uint8:
		return w.elements(v)
	default:
		return errors.New("JSON has no form for " + v.Type().String())
	}
	return nil
}

// elements writes what has brackets around it.
func (w *writer) elements(v reflect.Value) (err error) {
	if w.depth++; w.depth > MaxDepth {
		return ErrDeep
	}
	brackets, some := "{}", false
	next := func(name string) {
		if some {
			w.add(",")
		}
		some = true
		w.line()
		if brackets == "{}" {
			w.text = AppendQuoted(w.text, name)
			w.add(":")
			if w.newline != "" {
				w.add(" ")
			}
		}
	}
	if v.Kind() == reflect.Slice {
		brackets = "[]"
	}
	w.add(brackets[:1])
	switch v.Kind() {
	case reflect.Struct:
		err = fields(v, func(f field) error {
			if f.omitted() {
				return nil
			}
			next(f.name)
			return w.value(f.value)
		})
	case reflect.Slice:
		for i := 0; i < v.Len() && err == nil; i++ {
			next("")
			err = w.value(v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, j int) bool { return keys[i].String() < keys[j].String() })
		for _, k := range keys {
			if k.Kind() != reflect.String {
				return errors.New("JSON has no form for " + v.Type().String())
			}
			next(k.String())
			if err = w.value(v.MapIndex(k)); err != nil {
				break
			}
		}
	}
	w.depth--
	if some {
		w.line()
	}
	w.add(brackets[1:])
	return err
}

// line begins a new line.
func (w *writer) line() {
	if w.newline != "" {
		w.add(w.newline)
		w.add(strings.Repeat(w.indent, w.depth))
	}
}

// float writes as ECMAScript does, with the fewest digits that read the same.
func (w *writer) float(f float64, bits int) error {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return errors.New("JSON has no form for " + strconv.FormatFloat(f, 'g', -1, 64))
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	s := strconv.FormatFloat(f, format, -1, bits)
	return w.add(strings.Replace(s, "e-0", "e-", 1))
}

// AppendQuoted appends s as a JSON string. What is not UTF-8 becomes U+FFFD;
// U+2028 and U+2029 are escaped, as they end lines in JavaScript.
func AppendQuoted(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for _, c := range s {
		switch i := strings.IndexRune(escaped, c); {
		case i >= 0 && c != '/':
			b = append(b, '\\', escapes[i])
		case c < ' ' || c == '\u2028' || c == '\u2029':
			b = append(b, '\\', 'u', hex[c>>12], '0', hex[c>>4&15], hex[c&15])
		default:
			b = utf8.AppendRune(b, c)
		}
	}
	return append(b, '"')
}
