package provider

import (
	"encoding/binary"
	"errors"
	"strings"
)

// The DNS message (RFC 1035 section 4), as far as DNS UPDATE, TSIG and a
// question for an SOA need it.

// Types of records (RFC 1035 section 3.2.2 and later ones).
const (
	typeA     uint16 = 1
	typeNS    uint16 = 2
	typeCNAME uint16 = 5
	typeSOA   uint16 = 6
	typeMX    uint16 = 15
	typeTXT   uint16 = 16
	typeAAAA  uint16 = 28
	typeSRV   uint16 = 33
	typeSVCB  uint16 = 64
	typeHTTPS uint16 = 65
	typeCAA   uint16 = 257
	typeTSIG  uint16 = 250
)

// Classes (RFC 1035 section 3.2.4, RFC 2136 section 2.4).
const (
	classIN   uint16 = 1
	classNone uint16 = 254
	classAny  uint16 = 255
)

// Bits of the second word of the header.
const (
	flagResponse         uint16 = 1 << 15
	flagTruncated        uint16 = 1 << 9
	flagRecursionDesired uint16 = 1 << 8

	opcodeMask   uint16 = 15 << 11
	opcodeQuery  uint16 = 0 << 11
	opcodeUpdate uint16 = 5 << 11

	rcodeMask uint16 = 15
)

// The sections of a message, with the names of a query and of an update.
const (
	sectionQuestion   = 0 // zone
	sectionAnswer     = 1 // prerequisites
	sectionAuthority  = 2 // updates
	sectionAdditional = 3
)

const dnsHeaderSize = 12

// dnsWriter writes a message: header, one question or zone, records in the
// order of their sections.
type dnsWriter struct {
	buf  []byte
	zone string // of the question, at which owners may point
}

func newDNSWriter(id, flags uint16, name string, typ uint16) *dnsWriter {
	w := &dnsWriter{buf: make([]byte, dnsHeaderSize, 512)}
	binary.BigEndian.PutUint16(w.buf, id)
	binary.BigEndian.PutUint16(w.buf[2:], flags)
	w.buf = appendDNSName(w.buf, name)
	w.buf = binary.BigEndian.AppendUint16(w.buf, typ)
	w.buf = binary.BigEndian.AppendUint16(w.buf, classIN)
	w.zone = name
	w.count(sectionQuestion)
	return w
}

// record writes one record. ttl is in seconds.
func (w *dnsWriter) record(section int, name string, typ, class uint16, ttl uint32, data []byte) {
	w.owner(name)
	w.buf = binary.BigEndian.AppendUint16(w.buf, typ)
	w.buf = binary.BigEndian.AppendUint16(w.buf, class)
	w.buf = binary.BigEndian.AppendUint32(w.buf, ttl)
	w.buf = binary.BigEndian.AppendUint16(w.buf, uint16(len(data)))
	w.buf = append(w.buf, data...)
	w.count(section)
}

// owner writes a name; one in the zone is compressed (RFC 1035 section 4.1.4).
func (w *dnsWriter) owner(name string) {
	if w.zone == "" || !inZone(name, w.zone) {
		w.buf = appendDNSName(w.buf, name)
		return
	}
	w.buf = appendLabels(w.buf, relative(name, w.zone, ""))
	w.buf = append(w.buf, 0xC0, dnsHeaderSize)
}

func (w *dnsWriter) count(section int) {
	at := w.buf[4+2*section:]
	binary.BigEndian.PutUint16(at, binary.BigEndian.Uint16(at)+1)
}

// appendDNSName appends a name in wire form, in lower case, uncompressed. The
// name must be one that checkDNSName accepts, or "".
func appendDNSName(b []byte, name string) []byte {
	return append(appendLabels(b, name), 0)
}

func appendLabels(b []byte, name string) []byte {
	if name == "" {
		return b
	}
	for label := range strings.SplitSeq(strings.ToLower(name), ".") {
		b = append(b, byte(len(label)))
		b = append(b, label...)
	}
	return b
}

var (
	errDNSName    = errors.New("not a name that the DNS can have")
	errDNSMessage = errors.New("not a DNS message")
)

// checkDNSName checks a name in text form, without the last dot: what
// appendDNSName can write.
func checkDNSName(name string) error {
	if name == "" || len(name) > 253 {
		return errDNSName
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 {
			return errDNSName
		}
		for _, c := range []byte(label) {
			if c <= ' ' || c >= 0x7f || c == '\\' {
				return errDNSName
			}
		}
	}
	return nil
}

// dnsMessage is a message that was read.
type dnsMessage struct {
	id, flags uint16
	question  dnsQuestion // the first one, if there is any
	records   []dnsRecord // in their order
}

type dnsQuestion struct {
	name       string
	typ, class uint16
}

// dnsRecord is a record; its data lies in the message.
type dnsRecord struct {
	section    int
	name       string // in lower case, no last dot; unusual bytes are as \DDD
	typ, class uint16
	start      int // offset of the record
	data       int // offset of its data
	end        int // offset after it
}

func (m *dnsMessage) rcode() uint16 { return m.flags & rcodeMask }

// parseDNS reads a message. It must end where its last record ends.
func parseDNS(msg []byte) (*dnsMessage, error) {
	if len(msg) < dnsHeaderSize {
		return nil, errDNSMessage
	}
	word := func(at int) uint16 { return binary.BigEndian.Uint16(msg[at:]) }
	m := &dnsMessage{id: word(0), flags: word(2)}
	at := dnsHeaderSize
	for i := range word(4) {
		name, next, err := readDNSName(msg, at)
		if err != nil || len(msg)-next < 4 {
			return nil, errDNSMessage
		}
		if i == 0 {
			m.question = dnsQuestion{name, word(next), word(next + 2)}
		}
		at = next + 4
	}
	for section := sectionAnswer; section <= sectionAdditional; section++ {
		for range word(4 + 2*section) {
			name, next, err := readDNSName(msg, at)
			if err != nil || len(msg)-next < 10 {
				return nil, errDNSMessage
			}
			data := next + 10
			end := data + int(word(next+8))
			if end > len(msg) {
				return nil, errDNSMessage
			}
			m.records = append(m.records, dnsRecord{section, name, word(next), word(next + 2), at, data, end})
			at = end
		}
	}
	if at != len(msg) {
		return nil, errDNSMessage
	}
	return m, nil
}

// readDNSName reads the name at an offset, and returns the offset after it.
// Each pointer must lead further to the front, so that none leads in a circle.
func readDNSName(msg []byte, at int) (name string, next int, err error) {
	var b strings.Builder
	next = -1
	for limit := at; ; {
		if at >= len(msg) {
			return "", 0, errDNSName
		}
		n := int(msg[at])
		switch {
		case n == 0:
			if next < 0 {
				next = at + 1
			}
			return b.String(), next, nil
		case n < 64:
			if at+1+n > len(msg) || b.Len() > 4*255 {
				return "", 0, errDNSName
			}
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			for _, c := range msg[at+1 : at+1+n] {
				appendNameByte(&b, c)
			}
			at += 1 + n
		case n >= 0xC0:
			if at+2 > len(msg) {
				return "", 0, errDNSName
			}
			to := int(binary.BigEndian.Uint16(msg[at:]) & 0x3fff)
			if to >= limit {
				return "", 0, errDNSName
			}
			if next < 0 {
				next = at + 2
			}
			at, limit = to, to
		default:
			return "", 0, errDNSName
		}
	}
}

// appendNameByte writes one byte of a label (RFC 1035 section 5.1).
func appendNameByte(b *strings.Builder, c byte) {
	switch {
	case 'A' <= c && c <= 'Z':
		b.WriteByte(c + 'a' - 'A')
	case c <= ' ' || c >= 0x7f || c == '.' || c == '\\':
		b.Write([]byte{'\\', '0' + c/100, '0' + c/10%10, '0' + c%10})
	default:
		b.WriteByte(c)
	}
}
