package ubus

import (
	"encoding/binary"
	"errors"
)

// A message is a header of 8 bytes (version 0, type, sequence number u16, peer
// u32) and one blob, whose attributes are the message's (libubus: ubusmsg.h).
// A blob is u32 (length with these 4 bytes, in the low 24 bits; id in the 7
// above; the highest bit: it has a name) and its content, padded to 4 bytes
// (libubox: blob.h). What has a name (blobmsg.h) begins with u16 length, the
// name, a NUL, padded to 4 as well; its id is a type. All is big-endian.

const (
	msgHello     = 0
	msgStatus    = 1
	msgData      = 2
	msgLookup    = 4
	msgInvoke    = 5
	msgAddObject = 6

	attrStatus  = 1
	attrPath    = 2
	attrObject  = 3
	attrMethod  = 4
	attrContent = 7

	typeArray  = 1
	typeString = 3
	typeInt32  = 5
)

const (
	headerSize = 8
	maxMessage = 1 << 20 // libubus: UBUS_MAX_MSGLEN
	named      = 1 << 31
	lengthMask = 1<<24 - 1
)

var errMessage = errors.New("ubus: a message that is none")

// attr is one attribute of a blob.
type attr struct {
	id      uint8
	name    string // of what is in a table
	content []byte
}

// next takes the first attribute off a blob's content; ok is false at the end
// and where it is none.
func next(blob []byte) (a attr, rest []byte, ok bool) {
	if len(blob) < 4 {
		return a, nil, false
	}
	head := binary.BigEndian.Uint32(blob)
	n := int(head & lengthMask)
	if n < 4 || n > len(blob) {
		return a, nil, false
	}
	a.id, a.content = uint8(head>>24&0x7f), blob[4:n]
	if head&named != 0 {
		if len(a.content) < 3 {
			return a, nil, false
		}
		name := int(binary.BigEndian.Uint16(a.content))
		skip := pad(2 + name + 1)
		if skip > len(a.content) {
			return a, nil, false
		}
		a.name, a.content = string(a.content[2:2+name]), a.content[skip:]
	}
	return a, blob[min(pad(n), len(blob)):], true
}

// find returns the content of the first attribute with the id.
func find(blob []byte, id uint8) []byte {
	for a, rest, ok := next(blob); ok; a, rest, ok = next(rest) {
		if a.id == id {
			return a.content
		}
	}
	return nil
}

// number reads a u32; what is none is 0.
func number(content []byte) uint32 {
	if len(content) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(content)
}

// text reads a string, which ends with a NUL.
func text(content []byte) string {
	for i, c := range content {
		if c == 0 {
			return string(content[:i])
		}
	}
	return string(content)
}

func pad(n int) int { return (n + 3) &^ 3 }

// put appends an attribute; with a name, one of a table.
func put(blob []byte, id uint8, name string, content []byte) []byte {
	head, n := uint32(id)<<24, 4+len(content)
	if name != "" {
		head |= named
		n += pad(2 + len(name) + 1)
	}
	blob = binary.BigEndian.AppendUint32(blob, head|uint32(n))
	if name != "" {
		blob = binary.BigEndian.AppendUint16(blob, uint16(len(name)))
		blob = append(append(blob, name...), 0)
		for len(blob)%4 != 0 {
			blob = append(blob, 0)
		}
	}
	blob = append(blob, content...)
	for len(blob)%4 != 0 {
		blob = append(blob, 0)
	}
	return blob
}

func putText(blob []byte, id uint8, name, s string) []byte {
	return put(blob, id, name, append([]byte(s), 0))
}

func putNumber(blob []byte, id uint8, name string, n uint32) []byte {
	return put(blob, id, name, binary.BigEndian.AppendUint32(nil, n))
}

// message makes a message of attributes.
func message(kind uint8, seq uint16, peer uint32, attrs []byte) []byte {
	m := []byte{0, kind, byte(seq >> 8), byte(seq)}
	m = binary.BigEndian.AppendUint32(m, peer)
	return append(binary.BigEndian.AppendUint32(m, uint32(4+len(attrs))), attrs...)
}
