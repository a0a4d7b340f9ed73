package adb

import (
	"encoding/binary"
	"fmt"
)

// A Value is one of: nil, uint64, string (a blob), [Object], [Array], or
// [Reserved].
type Value any

// Object has its values in slots, the first of which is slot 1. Slots that
// are nil at the end are not written.
type Object []Value

// Array has values of one kind.
type Array []Value

// Reserved is a blob of that many zeroes which shares its bytes with no other;
// Encode says where it is, so that they can be filled in. One to a database.
type Reserved uint8

// Kinds of values, in the upper four bits.
const (
	kindInt    = 0x1 // 28 bits in place
	kindInt32  = 0x2
	kindInt64  = 0x3
	kindBlob8  = 0x8 // behind a length of that many bits
	kindBlob16 = 0x9
	kindBlob32 = 0xa
	kindArray  = 0xd
	kindObject = 0xe
	maxInline  = 1<<28 - 1
)

// Encode returns the payload of an ADB block with that root, and where the
// content of its Reserved is. Equal data is stored once.
func Encode(root Value) (payload []byte, reserved int) {
	e := &encoder{out: make([]byte, 8), seen: map[string]uint32{}}
	at := e.value(root) // may move e.out
	binary.LittleEndian.PutUint32(e.out[4:], at)
	return e.out, e.reserved
}

type encoder struct {
	out      []byte
	seen     map[string]uint32 // data, with its alignment before it, to its offset
	reserved int
}

func (e *encoder) value(v Value) uint32 {
	switch v := v.(type) {
	case nil:
		return 0
	case uint64:
		switch {
		case v <= maxInline:
			return kindInt<<28 | uint32(v)
		case v < 1<<32:
			return e.data(kindInt32, 4, le32(uint32(v)))
		}
		return e.data(kindInt64, 4, binary.LittleEndian.AppendUint64(nil, v))
	case string:
		return e.blob(v)
	case Object:
		return e.slots(kindObject, v)
	case Array:
		return e.slots(kindArray, v)
	case Reserved:
		e.out = append(e.out, byte(v))
		e.reserved = len(e.out)
		e.out = append(e.out, make([]byte, v)...)
		return kindBlob8<<28 | uint32(e.reserved-1)
	}
	panic(fmt.Sprintf("adb: a value of type %T", v))
}

func (e *encoder) blob(s string) uint32 {
	switch n := len(s); {
	case n == 0:
		return 0
	case n <= 0xff:
		return e.data(kindBlob8, 1, append([]byte{byte(n)}, s...))
	case n <= 0xffff:
		return e.data(kindBlob16, 2, append(binary.LittleEndian.AppendUint16(nil, uint16(n)), s...))
	default:
		return e.data(kindBlob32, 4, append(le32(uint32(n)), s...))
	}
}

func (e *encoder) slots(kind uint32, values []Value) uint32 {
	words := make([]uint32, 1, 1+len(values))
	for _, v := range values {
		words = append(words, e.value(v))
	}
	for len(words) > 1 && words[len(words)-1] == 0 {
		words = words[:len(words)-1]
	}
	if len(words) == 1 {
		return 0
	}
	words[0] = uint32(len(words))
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return e.data(kind, 4, b)
}

// data stores b and returns the value that refers to it.
func (e *encoder) data(kind uint32, align int, b []byte) uint32 {
	key := string(rune(align)) + string(b)
	at, ok := e.seen[key]
	if !ok {
		for len(e.out)%align != 0 {
			e.out = append(e.out, 0)
		}
		at = uint32(len(e.out))
		if at > maxInline {
			panic("adb: more than 256 MiB of values")
		}
		e.out = append(e.out, b...)
		e.seen[key] = at
	}
	return kind<<28 | at
}
