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
	var data dnsWriter
	data.name(k.alg.wire)
	data.time(r)
	data.sized(r.mac)
	data.word(r.id)
	data.word(r.err)
	data.sized(r.other)
	w := dnsWriter{buf: append([]byte(nil), msg...)}
	w.record(sectionAdditional, k.name, typeTSIG, classAny, 0, data.buf)
	return w.buf
}

// time writes time and fudge.
func (w *dnsWriter) time(r *tsigRecord) {
	w.word(uint16(r.time >> 32))
	w.word(uint16(r.time >> 16))
	w.word(uint16(r.time))
	w.word(r.fudge)
}

// mac is of a message without its TSIG record (RFC 8945 section 4.3);
// request is the MAC of the request that the message answers.
func (k *tsigKey) mac(msg, request []byte, r *tsigRecord) []byte {
	var w dnsWriter
	if request != nil {
		w.sized(request)
	}
	w.buf = append(w.buf, msg...)
	w.name(k.name)
	w.word(classAny)
	w.word(0) // TTL
	w.word(0)
	w.name(k.alg.wire)
	w.time(r)
	w.word(r.err)
	w.sized(r.other)
	h := hmac.New(k.alg.hash, k.secret)
	h.Write(w.buf)
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
func (k *tsigKey) verify(m *dnsMessage, request []byte, now time.Time) (*tsigRecord, error) {
	if len(m.records) == 0 {
		return nil, errUnsigned
	}
	rr := &m.records[len(m.records)-1]
	if rr.typ != typeTSIG || rr.section != sectionAdditional || rr.class != classAny {
		return nil, errUnsigned
	}
	r := parseTSIG(m.raw[:rr.end], rr.data)
	if r == nil {
		return nil, errUnsigned
	}
	if len(r.mac) == 0 {
		return r, errUnsigned
	}
	plain := append([]byte(nil), m.raw[:rr.start]...)
	binary.BigEndian.PutUint16(plain, r.id)
	count(plain, sectionAdditional, -1)
	want := k.mac(plain, request, r)
	// The server may have been told to truncate (RFC 8945 section 5.2.2.1).
	if rr.name != k.name || r.alg != k.alg.wire ||
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
	d := &dnsReader{msg: msg, at: at}
	r := &tsigRecord{alg: d.name(), time: d.time(), fudge: d.word(), mac: d.sized(), id: d.word(), err: d.word(), other: d.sized()}
	if d.bad || d.at != len(msg) {
		return nil
	}
	return r
}

func (r *dnsReader) time() int64 {
	return int64(r.word())<<32 | int64(r.word())<<16 | int64(r.word())
}

// serverTime is the server's clock, which it tells with BADTIME, in seconds
// since 1970; 0: it does not.
func (r *tsigRecord) serverTime() int64 {
	if r.err != tsigBadTime || len(r.other) != 6 {
		return 0
	}
	return (&dnsReader{msg: r.other}).time()
}
