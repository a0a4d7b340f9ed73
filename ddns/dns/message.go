package dns

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// Types of records (RFC 1035 section 3.2.2 and later ones).
const (
	TypeA     uint16 = 1
	TypeNS    uint16 = 2
	TypeCNAME uint16 = 5
	TypeSOA   uint16 = 6
	TypeMX    uint16 = 15
	TypeTXT   uint16 = 16
	TypeAAAA  uint16 = 28
	TypeSRV   uint16 = 33
	TypeDNAME uint16 = 39
	TypeOPT   uint16 = 41
	TypeSVCB  uint16 = 64
	TypeHTTPS uint16 = 65
	TypeTSIG  uint16 = 250
	TypeCAA   uint16 = 257
)

// Classes (RFC 1035 section 3.2.4, RFC 2136 section 2.4).
const (
	ClassIN   uint16 = 1
	ClassNone uint16 = 254
	ClassAny  uint16 = 255
)

// Bits of the second word of the header.
const (
	FlagResponse           uint16 = 1 << 15
	FlagAuthoritative      uint16 = 1 << 10
	FlagTruncated          uint16 = 1 << 9
	FlagRecursionDesired   uint16 = 1 << 8
	FlagRecursionAvailable uint16 = 1 << 7

	OpcodeMask   uint16 = 15 << 11
	OpcodeQuery  uint16 = 0 << 11
	OpcodeUpdate uint16 = 5 << 11

	rcodeMask uint16 = 15
)

// Answer codes (RFC 1035 section 4.1.1, RFC 2136 section 2.2).
const (
	FormErr  uint16 = 1
	ServFail uint16 = 2
	NXDomain uint16 = 3
	NotImp   uint16 = 4
	Refused  uint16 = 5
	NotAuth  uint16 = 9
	BadVers  uint16 = 16 // with the high bits of EDNS, which RCode leaves out
)

// The sections of a message, with the names of a query and of an update.
const (
	SectionQuestion   = 0 // zone
	SectionAnswer     = 1 // prerequisites
	SectionAuthority  = 2 // updates
	SectionAdditional = 3
)

const headerSize = 12

// maxRecords bounds what is read of one message: more than any server sends to
// us, and little memory.
const maxRecords = 1000

// Message is a message that was read.
type Message struct {
	Raw       []byte
	ID, Flags uint16
	Name      string // of the first question; "" if there is none
	Type      uint16 // of the first question; 0 if there is none
	Records   []Record
}

// Record is a record; its data lies in the message.
type Record struct {
	_           [0]func() // never compared: == would be code
	Section     int
	Name        string // in lower case, no last dot; unusual bytes are as \DDD
	Type, Class uint16
	TTL         uint32 // seconds
	Start       int    // offset of the record
	Data        int    // offset of its data
	End         int    // offset after it
}

// RCode is the answer's code, without EDNS's high bits.
func (m *Message) RCode() uint16 { return m.Flags & rcodeMask }

// Addr returns the address of a record of type A or AAAA; the zero Addr: it
// has none.
func (m *Message) Addr(rr *Record) netip.Addr {
	data := m.Raw[rr.Data:rr.End]
	if rr.Class == ClassIN && (rr.Type == TypeA && len(data) == 4 || rr.Type == TypeAAAA && len(data) == 16) {
		a, _ := netip.AddrFromSlice(data)
		return a
	}
	return netip.Addr{}
}

// Target returns the name with which a record's data begins: of NS, CNAME,
// DNAME and SOA. It must be read within the data; ok: it is.
func (m *Message) Target(rr *Record) (name string, ok bool) {
	r := &Reader{Msg: m.Raw[:rr.End], At: rr.Data}
	name = r.Name()
	return name, !r.Bad
}

var errMessage = errors.New("not a DNS message")

// Parse reads a message. It must end where its last record ends.
func Parse(msg []byte) (*Message, error) {
	r := &Reader{Msg: msg}
	m := &Message{Raw: msg, ID: r.Word(), Flags: r.Word()}
	var counts [4]int
	for i := range counts {
		counts[i] = int(r.Word())
	}
	for i := range counts[SectionQuestion] {
		name, typ := r.Name(), r.Word()
		r.Word()
		if r.Bad {
			return nil, errMessage
		}
		if i == 0 {
			m.Name, m.Type = name, typ
		}
	}
	for section := SectionAnswer; section <= SectionAdditional; section++ {
		for range counts[section] {
			rr := Record{Section: section, Start: r.At}
			rr.Name, rr.Type, rr.Class = r.Name(), r.Word(), r.Word()
			rr.TTL = uint32(r.Word())<<16 | uint32(r.Word())
			size := len(r.Sized())
			rr.Data, rr.End = r.At-size, r.At
			if r.Bad || len(m.Records) == maxRecords {
				return nil, errMessage
			}
			m.Records = append(m.Records, rr)
		}
	}
	if r.Bad || r.At != len(msg) {
		return nil, errMessage
	}
	return m, nil
}

// Reader reads a message from front to end. Once it is bad, it stays so and
// reads nothing more.
type Reader struct {
	Msg []byte
	At  int
	Bad bool
}

func (r *Reader) take(n int) []byte {
	if r.Bad || len(r.Msg)-r.At < n {
		r.Bad = true
		return nil
	}
	r.At += n
	return r.Msg[r.At-n : r.At]
}

// Word reads 16 bits.
func (r *Reader) Word() uint16 {
	b := r.take(2)
	if b == nil {
		return 0
	}
	return binary.BigEndian.Uint16(b)
}

// Sized reads data that has its length before it.
func (r *Reader) Sized() []byte { return r.take(int(r.Word())) }

// Name reads a name. Each pointer must lead further to the front, so that none
// leads in a circle.
func (r *Reader) Name() string {
	var b []byte
	after, limit, wire := -1, r.At, 1
	for {
		size := r.take(1)
		if r.Bad {
			return ""
		}
		switch n := int(size[0]); {
		case n == 0:
			if after >= 0 {
				r.At = after
			}
			return string(b)
		case n < 64:
			if wire += n + 1; wire > 255 { // RFC 1035 section 2.3.4
				r.Bad = true
				return ""
			}
			if len(b) > 0 {
				b = append(b, '.')
			}
			b = appendLabel(b, r.take(n))
		case n >= 0xC0:
			low := r.take(1)
			if after < 0 {
				after = r.At
			}
			if r.Bad || (n&0x3f)<<8|int(low[0]) >= limit {
				r.Bad = true
				return ""
			}
			limit = (n&0x3f)<<8 | int(low[0])
			r.At = limit
		default:
			r.Bad = true
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
