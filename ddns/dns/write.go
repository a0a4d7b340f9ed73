package dns

import (
	"encoding/binary"
	"errors"
	"strings"
)

// MaxPlain is the largest message that goes over UDP without EDNS (RFC 1035
// section 4.2.1).
const MaxPlain = 512

// Writer writes a message: header, one question or zone, records in the
// order of their sections. The zero Writer writes parts of messages.
type Writer struct {
	Buf  []byte
	zone string // of the question, at which owners may point
}

// NewWriter begins a message; its id is 0 as yet.
func NewWriter(flags uint16, name string, typ uint16) *Writer {
	w := &Writer{Buf: make([]byte, headerSize, MaxPlain), zone: name}
	binary.BigEndian.PutUint16(w.Buf[2:], flags)
	w.Name(name)
	w.Word(typ)
	w.Word(ClassIN)
	Count(w.Buf, SectionQuestion, 1)
	return w
}

// Record writes one record. ttl is in seconds.
func (w *Writer) Record(section int, name string, typ, class uint16, ttl uint32, data []byte) {
	if w.zone != "" && InZone(name, w.zone) { // compressed (RFC 1035 section 4.1.4)
		w.labels(strings.TrimSuffix(name[:len(name)-len(w.zone)], "."))
		w.Word(0xC000 | headerSize)
	} else {
		w.Name(name)
	}
	w.Word(typ)
	w.Word(class)
	w.Word(uint16(ttl >> 16))
	w.Word(uint16(ttl))
	w.Sized(data)
	Count(w.Buf, section, 1)
}

// Word writes 16 bits.
func (w *Writer) Word(v uint16) { w.Buf = append(w.Buf, byte(v>>8), byte(v)) }

// Sized writes data with its length before it.
func (w *Writer) Sized(data []byte) {
	w.Word(uint16(len(data)))
	w.Buf = append(w.Buf, data...)
}

// Name writes a name in lower case, uncompressed. It must be one that
// CheckName accepts, or the root.
func (w *Writer) Name(name string) {
	w.labels(name)
	w.Buf = append(w.Buf, 0)
}

func (w *Writer) labels(name string) {
	for name != "" {
		var label string
		label, name, _ = strings.Cut(name, ".")
		w.Buf = append(w.Buf, byte(len(label)))
		w.Buf = append(w.Buf, strings.ToLower(label)...)
	}
}

// Count changes the number of records that a message's header names.
func Count(msg []byte, section, by int) {
	at := msg[4+2*section:]
	binary.BigEndian.PutUint16(at, binary.BigEndian.Uint16(at)+uint16(by))
}

var errName = errors.New("not a name that the DNS can have")

// CheckName checks a name in text form, without the last dot: what Writer can
// write. The root is none.
func CheckName(name string) error {
	size := 0
	for i, c := range []byte(name + ".") {
		switch {
		case c == '.' && (size == 0 || size > 63), c <= ' ', c >= 0x7f, c == '\\', i > 253:
			return errName
		case c == '.':
			size = 0
		default:
			size++
		}
	}
	return nil
}

// InZone reports whether a name is the zone or below it. Every name is in the
// root.
func InZone(name, zone string) bool {
	if zone == "" {
		return true
	}
	return strings.EqualFold(name, zone) || len(name) > len(zone) && strings.EqualFold(name[len(name)-len(zone)-1:], "."+zone)
}
