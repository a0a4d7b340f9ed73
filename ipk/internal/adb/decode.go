package adb

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	maxDepth  = 16
	maxValues = 1 << 20 // in one payload: values may share their data
)

var errOutside = errors.New("adb: a value points outside its block")

// Decode returns the root of an ADB block's payload. Strings in it are copies.
func Decode(payload []byte) (Value, error) {
	if len(payload) < 8 {
		return nil, errors.New("adb: the block is too short for its header")
	}
	if payload[0] != 0 {
		return nil, fmt.Errorf("adb: incompatible version %d", payload[0])
	}
	d := &decoder{in: payload}
	return d.value(binary.LittleEndian.Uint32(payload[4:]), 0)
}

type decoder struct {
	in     []byte
	values int
}

func (d *decoder) value(v uint32, depth int) (Value, error) {
	if d.values++; depth > maxDepth || d.values > maxValues {
		return nil, errors.New("adb: too many values in each other")
	}
	at := int(v & maxInline)
	switch kind := v >> 28; kind {
	case 0:
		if at == 0 {
			return nil, nil
		}
	case kindInt:
		return uint64(at), nil
	case kindInt32:
		b, err := d.bytes(at, 4)
		if err != nil {
			return nil, err
		}
		return uint64(binary.LittleEndian.Uint32(b)), nil
	case kindInt64:
		b, err := d.bytes(at, 8)
		if err != nil {
			return nil, err
		}
		return binary.LittleEndian.Uint64(b), nil
	case kindBlob8, kindBlob16, kindBlob32:
		return d.blob(at, 1<<(kind-kindBlob8))
	case kindArray, kindObject:
		slots, err := d.slots(at, depth)
		if kind == kindArray {
			return Array(slots), err
		}
		return Object(slots), err
	}
	return nil, fmt.Errorf("adb: a value of unknown kind %#x", v)
}

func (d *decoder) blob(at, prefix int) (Value, error) {
	p, err := d.bytes(at, prefix)
	if err != nil {
		return nil, err
	}
	n := 0
	for i, c := range p {
		n |= int(c) << (8 * i)
	}
	b, err := d.bytes(at+prefix, n)
	return string(b), err
}

func (d *decoder) slots(at, depth int) ([]Value, error) {
	p, err := d.bytes(at, 4)
	if err != nil {
		return nil, err
	}
	n := int(binary.LittleEndian.Uint32(p))
	if n < 1 {
		return nil, errors.New("adb: an object without its count")
	}
	if n > len(d.in)/4 {
		return nil, errOutside
	}
	words, err := d.bytes(at, 4*n)
	if err != nil {
		return nil, err
	}
	var out []Value
	for i := 1; i < n; i++ {
		v, err := d.value(binary.LittleEndian.Uint32(words[4*i:]), depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (d *decoder) bytes(at, n int) ([]byte, error) {
	if n < 0 || at < 8 || at+n > len(d.in) {
		return nil, errOutside
	}
	return d.in[at : at+n], nil
}

// Slot returns what is in a slot of an object, counted from 1; nil beyond its
// end.
func (o Object) Slot(i int) Value {
	if i < 1 || i > len(o) {
		return nil
	}
	return o[i-1]
}

// Text returns a slot's blob; "" for anything else.
func (o Object) Text(i int) string {
	s, _ := o.Slot(i).(string)
	return s
}

// Int returns a slot's number; 0 for anything else.
func (o Object) Int(i int) uint64 {
	n, _ := o.Slot(i).(uint64)
	return n
}
