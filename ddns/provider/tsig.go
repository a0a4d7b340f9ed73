package provider

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/dns"
)

// tsigFudge is by how many seconds two clocks may differ (RFC 8945 section 10).
const tsigFudge = 300

// Errors of TSIG (RFC 8945 section 3).
const (
	tsigBadSig   uint16 = 16
	tsigBadKey   uint16 = 17
	tsigBadTime  uint16 = 18
	tsigBadTrunc uint16 = 22
)

// tsigAlgorithm is one of RFC 8945 section 6.
type tsigAlgorithm struct {
	name string // as users write it
	wire string // as messages have it
	hash func() hash.Hash
	weak bool
}

var tsigAlgorithms = [...]tsigAlgorithm{
	{"hmac-sha256", "hmac-sha256", sha256.New, false},
	{"hmac-sha512", "hmac-sha512", sha512.New, false},
	{"hmac-sha384", "hmac-sha384", sha512.New384, false},
	{"hmac-sha224", "hmac-sha224", sha256.New224, false},
	{"hmac-sha1", "hmac-sha1", sha1.New, true},
	{"hmac-md5", "hmac-md5.sig-alg.reg.int", md5.New, true},
}

// tsigKey signs messages and verifies the answers to them.
type tsigKey struct {
	name   string // in lower case, no last dot
	alg    *tsigAlgorithm
	secret []byte
}

// tsigSecret decodes a secret as key files have it. People lose the padding.
func tsigSecret(text string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.TrimSpace(text), "="))
}

// tsigRecord is the data of a TSIG record (RFC 8945 section 4.2).
type tsigRecord struct {
	alg   string // no last dot
	time  int64  // seconds since 1970, 48 bits
	fudge uint16
	mac   []byte
	id    uint16 // of the message when it was signed
	err   uint16
	other []byte
}

// sign returns the message with its signature as the last record, and the MAC
// that the answer's signature must include. msg is not changed.
func (k *tsigKey) sign(msg []byte, at time.Time) (signed, mac []byte) {
	r := &tsigRecord{time: at.Unix(), fudge: tsigFudge, id: binary.BigEndian.Uint16(msg)}
	r.mac = k.mac(msg, nil, r)
	return k.attach(msg, r), r.mac
}

// attach appends a signature's record.
func (k *tsigKey) attach(msg []byte, r *tsigRecord) []byte {
	var data dns.Writer
	data.Name(k.alg.wire)
	writeTime(&data, r)
	data.Sized(r.mac)
	data.Word(r.id)
	data.Word(r.err)
	data.Sized(r.other)
	w := dns.Writer{Buf: append([]byte(nil), msg...)}
	w.Record(dns.SectionAdditional, k.name, dns.TypeTSIG, dns.ClassAny, 0, data.Buf)
	return w.Buf
}

// time writes time and fudge.
func writeTime(w *dns.Writer, r *tsigRecord) {
	w.Word(uint16(r.time >> 32))
	w.Word(uint16(r.time >> 16))
	w.Word(uint16(r.time))
	w.Word(r.fudge)
}

// mac is of a message without its TSIG record (RFC 8945 section 4.3);
// request is the MAC of the request that the message answers.
func (k *tsigKey) mac(msg, request []byte, r *tsigRecord) []byte {
	var w dns.Writer
	if request != nil {
		w.Sized(request)
	}
	w.Buf = append(w.Buf, msg...)
	w.Name(k.name)
	w.Word(dns.ClassAny)
	w.Word(0) // TTL
	w.Word(0)
	w.Name(k.alg.wire)
	writeTime(&w, r)
	w.Word(r.err)
	w.Sized(r.other)
	h := hmac.New(k.alg.hash, k.secret)
	h.Write(w.Buf)
	return h.Sum(nil)
}

var (
	errUnsigned  = errors.New("it is not signed")
	errWrongMAC  = errors.New("its signature is wrong")
	errWrongTime = errors.New("it is signed at another time")
)

// verify checks the signature of the answer to a request (RFC 8945 section
// 5.3). It returns the TSIG record if there is a readable one, whatever the
// error: a server that knows no such key says so without a signature.
func (k *tsigKey) verify(m *dns.Message, request []byte, now time.Time) (*tsigRecord, error) {
	if len(m.Records) == 0 {
		return nil, errUnsigned
	}
	rr := &m.Records[len(m.Records)-1]
	if rr.Type != dns.TypeTSIG || rr.Section != dns.SectionAdditional || rr.Class != dns.ClassAny {
		return nil, errUnsigned
	}
	r := parseTSIG(m.Raw[:rr.End], rr.Data)
	if r == nil {
		return nil, errUnsigned
	}
	if len(r.mac) == 0 {
		return r, errUnsigned
	}
	plain := append([]byte(nil), m.Raw[:rr.Start]...)
	binary.BigEndian.PutUint16(plain, r.id)
	dns.Count(plain, dns.SectionAdditional, -1)
	want := k.mac(plain, request, r)
	// The server may have been told to truncate (RFC 8945 section 5.2.2.1).
	if rr.Name != k.name || r.alg != k.alg.wire ||
		len(r.mac) < max(10, len(want)/2) || len(r.mac) > len(want) || !hmac.Equal(r.mac, want[:len(r.mac)]) {
		return r, errWrongMAC
	}
	if off := now.Unix() - r.time; r.err != tsigBadTime && (off > tsigFudge || off < -tsigFudge) {
		return r, errWrongTime
	}
	return r, nil
}

// parseTSIG reads the data of a TSIG record, from at to the end of msg; nil:
// it is none.
func parseTSIG(msg []byte, at int) *tsigRecord {
	d := &dns.Reader{Msg: msg, At: at}
	r := &tsigRecord{alg: d.Name(), time: readTime(d), fudge: d.Word(), mac: d.Sized(), id: d.Word(), err: d.Word(), other: d.Sized()}
	if d.Bad || d.At != len(msg) {
		return nil
	}
	return r
}

func readTime(r *dns.Reader) int64 {
	return int64(r.Word())<<32 | int64(r.Word())<<16 | int64(r.Word())
}

// serverTime is the server's clock, which it tells with BADTIME, in seconds
// since 1970; 0: it does not.
func (r *tsigRecord) serverTime() int64 {
	if r.err != tsigBadTime || len(r.other) != 6 {
		return 0
	}
	return readTime(&dns.Reader{Msg: r.other})
}
