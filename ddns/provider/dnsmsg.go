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

// newDNSWriter begins a message; its id is 0 as yet.
func newDNSWriter(flags uint16, name string, typ uint16) *dnsWriter {
	w := &dnsWriter{buf: make([]byte, dnsHeaderSize, maxUDP), zone: name}
	binary.BigEndian.PutUint16(w.buf[2:], flags)
	w.name(name)
	w.word(typ)
	w.word(classIN)
	count(w.buf, sectionQuestion, 1)
	return w
}

// record writes one record. ttl is in seconds.
func (w *dnsWriter) record(section int, name string, typ, class uint16, ttl uint32, data []byte) {
	if inZone(name, w.zone) { // compressed (RFC 1035 section 4.1.4)
		w.labels(relative(name, w.zone, ""))
		w.word(0xC000 | dnsHeaderSize)
	} else {
		w.name(name)
	}
	w.word(typ)
	w.word(class)
	w.word(uint16(ttl >> 16))
	w.word(uint16(ttl))
	w.sized(data)
	count(w.buf, section, 1)
}

func (w *dnsWriter) word(v uint16) { w.buf = append(w.buf, byte(v>>8), byte(v)) }

// sized writes data with its length before it.
func (w *dnsWriter) sized(data []byte) {
	w.word(uint16(len(data)))
	w.buf = append(w.buf, data...)
}

// name writes a name in lower case, uncompressed. It must be one that
// checkDNSName accepts.
func (w *dnsWriter) name(name string) {
	w.labels(name)
	w.buf = append(w.buf, 0)
}

func (w *dnsWriter) labels(name string) {
	for name != "" {
		var label string
		label, name, _ = strings.Cut(name, ".")
		w.buf = append(w.buf, byte(len(label)))
		w.buf = append(w.buf, strings.ToLower(label)...)
	}
}

// count changes the number of records that the header names.
func count(msg []byte, section, by int) {
	at := msg[4+2*section:]
	binary.BigEndian.PutUint16(at, binary.BigEndian.Uint16(at)+uint16(by))
}

var (
	errDNSName    = errors.New("not a name that the DNS can have")
	errDNSMessage = errors.New("not a DNS message")
)

// checkDNSName checks a name in text form, without the last dot: what
// dnsWriter can write.
func checkDNSName(name string) error {
	size := 0
	for i, c := range []byte(name + ".") {
		switch {
		case c == '.' && (size == 0 || size > 63), c <= ' ', c >= 0x7f, c == '\\', i > 253:
			return errDNSName
		case c == '.':
			size = 0
		default:
			size++
		}
	}
	return nil
}

// dnsMessage is a message that was read.
type dnsMessage struct {
	raw       []byte
	id, flags uint16
	name      string // of the first question; "" if there is none
	typ       uint16 // of the first question; 0 if there is none
	records   []dnsRecord
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
	r := &dnsReader{msg: msg}
	m := &dnsMessage{raw: msg, id: r.word(), flags: r.word()}
	var counts [4]uint16
	for i := range counts {
		counts[i] = r.word()
	}
	for i := range counts[sectionQuestion] {
		name, typ := r.name(), r.word()
		r.word()
		if r.bad {
			return nil, errDNSMessage
		}
		if i == 0 {
			m.name, m.typ = name, typ
		}
	}
	for section := sectionAnswer; section <= sectionAdditional; section++ {
		for range counts[section] {
			rr := dnsRecord{section: section, start: r.at}
			rr.name, rr.typ, rr.class = r.name(), r.word(), r.word()
			r.take(4) // TTL
			size := len(r.sized())
			rr.data, rr.end = r.at-size, r.at
			if r.bad {
				return nil, errDNSMessage
			}
			m.records = append(m.records, rr)
		}
	}
	if r.bad || r.at != len(msg) {
		return nil, errDNSMessage
	}
	return m, nil
}

// dnsReader reads a message from front to end. Once it is bad, it stays so and
// reads nothing more.
type dnsReader struct {
	msg []byte
	at  int
	bad bool
}

func (r *dnsReader) take(n int) []byte {
	if r.bad || len(r.msg)-r.at < n {
		r.bad = true
		return nil
	}
	r.at += n
	return r.msg[r.at-n : r.at]
}

func (r *dnsReader) word() uint16 {
	b := r.take(2)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint16(b)
}

// sized reads data that has its length before it.
func (r *dnsReader) sized() []byte { return r.take(int(r.word())) }

// name reads a name. Each pointer must lead further to the front, so that none
// leads in a circle.
func (r *dnsReader) name() string {
	var b []byte
	after, limit := -1, r.at
	for {
		size := r.take(1)
		if r.bad || len(b) > 4*255 {
			r.bad = true
			return ""
		}
		switch n := int(size[0]); {
		case n == 0:
			if after >= 0 {
				r.at = after
			}
			return string(b)
		case n < 64:
			if len(b) > 0 {
				b = append(b, '.')
			}
			b = appendLabel(b, r.take(n))
		case n >= 0xC0:
			low := r.take(1)
			if after < 0 {
				after = r.at
			}
			if r.bad || (n&0x3f)<<8|int(low[0]) >= limit {
				r.bad = true
				return ""
			}
			limit = (n&0x3f)<<8 | int(low[0])
			r.at = limit
		default:
			r.bad = true
		}
	}
}

// appendLabel writes a label as text (RFC 1035 section 5.1).
func appendLabel(b, label []byte) []byte {
	for _, c := range label {
		switch {
		case 'A' <= c && c <= 'Z':
			b = append(b, c+'a'-'A')
		case c <= ' ' || c >= 0x7f || c == '.' || c == '\\':
			b = append(b, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
		default:
			b = append(b, c)
		}
	}
	return b
}
