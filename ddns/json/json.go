// Package json reads and writes JSON (RFC 8259) in little code: it stands in
// for encoding/json, which costs 40 kB of a router's flash.
//
// [Read] gives a tree of map[string]any, []any, string, [Number], bool and nil;
// [Unmarshal] and [Marshal] go from and to structs, maps with string keys,
// slices, pointers, strings, numbers, booleans and everything that is an
// encoding.TextMarshaler or TextUnmarshaler, with the struct tags of
// encoding/json but for ",string". They write what encoding/json writes with
// SetEscapeHTML(false), and read what it reads, but for these: member names
// must be exact, a wrong type is an error at once, and numbers in a tree keep
// their digits. Values are nested at most [MaxDepth] deep, so foreign text
// cannot exhaust the stack; its length is the caller's to bound.
//
// The package never looks at MarshalJSON and UnmarshalJSON methods, and has no
// streams: who reads from a connection reads the whole text first.
package json

import (
	"errors"
	"reflect"
	"strings"
)

// Number is a number's digits as they stand in the text.
type Number string

// RawMessage is text that already is JSON. It is written as it is; what is
// read into one is in the form of [Marshal].
type RawMessage []byte

// MaxDepth bounds how deeply values may be nested.
const MaxDepth = 64

// ErrDeep says that values are nested deeper than MaxDepth.
var ErrDeep = errors.New("JSON is nested too deeply")

// Unmarshal reads one value into what v points to. What is not named in the
// text keeps its value; names that v does not have are passed over. After an
// error v may be half filled.
func Unmarshal(text []byte, v any) error {
	tree, rest, err := Read(string(text))
	if err == nil && rest != "" {
		err = syntaxError(len(text)-len(rest), "nothing more")
	}
	if err != nil {
		return err
	}
	return assign(reflect.ValueOf(v).Elem(), tree)
}

// Marshal writes v on one line.
func Marshal(v any) ([]byte, error) { return marshal(v, "", "") }

// MarshalIndent writes v with each member and element on a line of its own,
// which begins with prefix and is indented by depth.
func MarshalIndent(v any, prefix, indent string) ([]byte, error) {
	return marshal(v, "\n"+prefix, indent)
}

// field is one member of a struct.
type field struct {
	name        string
	value       reflect.Value
	empty, zero bool // left out when empty, when zero
}

// fields calls f for the members of struct v, those of embedded structs too.
func fields(v reflect.Value, f func(field) error) error {
	t := v.Type()
	for i := range t.NumField() {
		sf := t.Field(i)
		tag := sf.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		embedded := name == "" && sf.Anonymous && sf.Type.Kind() == reflect.Struct
		if tag == "-" || !sf.IsExported() && !embedded {
			continue
		}
		if embedded {
			if err := fields(v.Field(i), f); err != nil {
				return err
			}
			continue
		}
		if name == "" {
			name = sf.Name
		}
		options = "," + options + ","
		err := f(field{name, v.Field(i), strings.Contains(options, ",omitempty,"), strings.Contains(options, ",omitzero,")})
		if err != nil {
			return err
		}
	}
	return nil
}

// omitted reports whether the field's value is one that its tag leaves out.
func (f field) omitted() bool {
	if f.zero {
		if z, ok := f.value.Interface().(interface{ IsZero() bool }); ok {
			if z.IsZero() {
				return true
			}
		} else if isZero(f.value) {
			return true
		}
	}
	if !f.empty {
		return false
	}
	switch f.value.Kind() {
	case reflect.Struct:
		return false
	case reflect.Slice, reflect.Map:
		return f.value.Len() == 0
	}
	return isZero(f.value)
}

// isZero is v.IsZero at a tenth of the code, for all but structs that cannot be
// compared.
func isZero(v reflect.Value) bool {
	if k := v.Kind(); k == reflect.Slice || k == reflect.Map {
		return v.IsNil()
	}
	return v.Interface() == reflect.Zero(v.Type()).Interface()
}
