package dns

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
)

// maxEDNS is the largest answer over UDP that is asked for: it crosses every
// path in one piece (RFC 6891 section 6.2.5, as DNS flag day 2020 has it).
const maxEDNS = 1232

// Query is a message that wants an answer.
type Query struct {
	Msg  []byte // as it is sent
	Name string // of its question, or zone
	Type uint16 // of its question

	// Verify, if it is not nil, says why an answer is not to be believed. Such
	// an answer ends no more than the waiting for a better one.
	Verify func(*Message) error

	plain []byte // Msg without EDNS; nil: it has none
	cased []byte // the name as Msg has it, with letters of random case; nil: it has none
}

// How a question is asked.
const (
	Recursive = 1 << iota // by somebody else: a resolver
	EDNS                  // answers may be larger than 512 bytes
	MixedCase             // letters of random case, which the answer has to repeat
)

// NewQuestion makes a query for records of a name, which CheckName accepts or
// which is the root.
func NewQuestion(name string, typ uint16, how int) *Query {
	flags := OpcodeQuery
	if how&Recursive != 0 {
		flags |= FlagRecursionDesired
	}
	w := NewWriter(flags, name, typ)
	rand.Read(w.Buf[:2])
	q := &Query{Msg: w.Buf, Name: name, Type: typ}
	if how&MixedCase != 0 {
		q.cased = w.Buf[headerSize : len(w.Buf)-4]
		mixCase(q.cased)
	}
	if how&EDNS != 0 {
		q.plain = bytes.Clone(w.Buf)
		w.zone = ""
		w.Record(SectionAdditional, "", TypeOPT, maxEDNS, 0, nil)
		q.Msg = w.Buf
	}
	return q
}

// mixCase changes the case of letters at random, which a stranger would have
// to guess (draft-vixie-dnsext-dns0x20). No length byte is a letter.
func mixCase(name []byte) {
	var bits [32]byte
	rand.Read(bits[:])
	for i, c := range name {
		if 'a' <= c && c <= 'z' && bits[i/8]>>(i%8)&1 != 0 {
			name[i] = c - ('a' - 'A')
		}
	}
}

// ErrCase says that an answer has the question's letters in another case: the
// server does not repeat it, or the answer is not the server's.
var ErrCase = errors.New("the answer does not repeat the case of the question's letters")

// Answer is what came back.
type Answer struct {
	_ [0]func() // never compared: == would be code
	*Message
	Fault error // why it is not to be believed; nil: nothing speaks against it
}

// Truncated reports whether there is more than the answer has.
func (a *Answer) Truncated() bool { return a.Flags&FlagTruncated != 0 }

// Read reads an answer; nil: the packet answers something else, which has
// nothing to say here.
func (q *Query) Read(packet []byte) *Answer {
	m, err := Parse(packet)
	if err != nil {
		return nil
	}
	sent := binary.BigEndian.Uint16(q.Msg[2:])
	if m.ID != binary.BigEndian.Uint16(q.Msg) || m.Flags&FlagResponse == 0 || (m.Flags^sent)&OpcodeMask != 0 {
		return nil
	}
	// Servers may leave the zone out of the answer to an update, but the
	// question only when they could not read it.
	empty := m.Name == "" && m.Type == 0
	if (m.Name != q.Name || m.Type != q.Type) && !(empty && (sent&OpcodeMask != OpcodeQuery || m.RCode() != 0)) {
		return nil
	}
	a := &Answer{Message: m}
	switch {
	case q.cased != nil && !empty && !bytes.HasPrefix(packet[headerSize:], q.cased):
		a.Fault = ErrCase
	case q.Verify != nil:
		a.Fault = q.Verify(m)
	}
	return a
}

// wantsPlain reports whether an answer says that the server cannot read EDNS
// (RFC 6891 section 7).
func (q *Query) wantsPlain(a *Answer) bool {
	if q.plain == nil {
		return false
	}
	c := a.RCode()
	return c == FormErr || c == NotImp
}
