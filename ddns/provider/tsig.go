package provider

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
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

// tsigFudge is by how much two clocks may differ (RFC 8945 section 10).
const tsigFudge = 300 * time.Second

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
	name   string // no last dot
	alg    *tsigAlgorithm
	secret []byte
}

// tsigSecret decodes a secret as key files have it. People lose the padding.
func tsigSecret(text string) ([]byte, error) {
	text = strings.TrimRight(strings.Join(strings.Fields(text), ""), "=")
	return base64.RawStdEncoding.DecodeString(text)
}

// sign returns the message with its signature as the last record, and the MAC
// that the answer's signature must include. msg is not changed.
func (k *tsigKey) sign(msg []byte, at time.Time) (signed, mac []byte) {
	r := tsigRecord{time: uint64(at.Unix()), fudge: uint16(tsigFudge / time.Second), id: binary.BigEndian.Uint16(msg)}
	r.mac = k.mac(msg, nil, &r)
	signed = append(make([]byte, 0, len(msg)+128), msg...)
	signed = appendDNSName(signed, k.name)
	signed = binary.BigEndian.AppendUint16(signed, typeTSIG)
	signed = binary.BigEndian.AppendUint16(signed, classAny)
	signed = binary.BigEndian.AppendUint32(signed, 0)
	data := r.append(nil, k.alg.wire)
	signed = binary.BigEndian.AppendUint16(signed, uint16(len(data)))
	signed = append(signed, data...)
	additional := signed[4+2*sectionAdditional:]
	binary.BigEndian.PutUint16(additional, binary.BigEndian.Uint16(additional)+1)
	return signed, r.mac
}

// mac is of a message without its TSIG record (RFC 8945 section 4.3);
// request is the MAC of the request that the message answers.
func (k *tsigKey) mac(msg, request []byte, r *tsigRecord) []byte {
	h := hmac.New(k.alg.hash, k.secret)
	if request != nil {
		h.Write(binary.BigEndian.AppendUint16(nil, uint16(len(request))))
		h.Write(request)
	}
	h.Write(msg)
	v := appendDNSName(nil, k.name)
	v = binary.BigEndian.AppendUint16(v, classAny)
	v = binary.BigEndian.AppendUint32(v, 0)
	v = appendDNSName(v, k.alg.wire)
	v = appendUint48(v, r.time)
	v = binary.BigEndian.AppendUint16(v, r.fudge)
	v = binary.BigEndian.AppendUint16(v, r.err)
	v = binary.BigEndian.AppendUint16(v, uint16(len(r.other)))
	h.Write(append(v, r.other...))
	return h.Sum(nil)
}

var (
	errUnsigned  = errors.New("it is not signed")
	errWrongKey  = errors.New("it is signed with another key")
	errWrongMAC  = errors.New("its signature is wrong")
	errWrongTime = errors.New("it is signed at another time")
)

// verify checks the signature of the answer to a request (RFC 8945 section
// 5.3). It returns the TSIG record if there is a readable one, whatever the
// error: a server that knows no such key says so without a signature.
func (k *tsigKey) verify(answer []byte, m *dnsMessage, request []byte, now time.Time) (*tsigRecord, error) {
	n := len(m.records)
	if n == 0 || m.records[n-1].typ != typeTSIG || m.records[n-1].section != sectionAdditional || m.records[n-1].class != classAny {
		return nil, errUnsigned
	}
	rr := m.records[n-1]
	r, err := parseTSIG(answer, rr)
	if err != nil {
		return nil, errUnsigned
	}
	if len(r.mac) == 0 {
		return r, errUnsigned
	}
	if rr.name != strings.ToLower(k.name) || r.alg != k.alg.wire {
		return r, errWrongKey
	}
	plain := append([]byte(nil), answer[:rr.start]...)
	binary.BigEndian.PutUint16(plain, r.id)
	additional := plain[4+2*sectionAdditional:]
	binary.BigEndian.PutUint16(additional, binary.BigEndian.Uint16(additional)-1)
	want := k.mac(plain, request, r)
	// The server may have been told to truncate (RFC 8945 section 5.2.2.1).
	if len(r.mac) < max(10, len(want)/2) || len(r.mac) > len(want) || !hmac.Equal(r.mac, want[:len(r.mac)]) {
		return r, errWrongMAC
	}
	if off := now.Sub(r.at()); r.err != tsigBadTime && (off > tsigFudge || off < -tsigFudge) {
		return r, errWrongTime
	}
	return r, nil
}

// tsigRecord is the data of a TSIG record (RFC 8945 section 4.2).
type tsigRecord struct {
	alg   string // when read
	time  uint64 // seconds since 1970, 48 bits
	fudge uint16
	mac   []byte
	id    uint16 // of the message when it was signed
	err   uint16
	other []byte
}

func (r *tsigRecord) append(b []byte, algorithm string) []byte {
	b = appendDNSName(b, algorithm)
	b = appendUint48(b, r.time)
	b = binary.BigEndian.AppendUint16(b, r.fudge)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.mac)))
	b = append(b, r.mac...)
	b = binary.BigEndian.AppendUint16(b, r.id)
	b = binary.BigEndian.AppendUint16(b, r.err)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.other)))
	return append(b, r.other...)
}

// parseTSIG reads the data of a record.
func parseTSIG(msg []byte, rr dnsRecord) (*tsigRecord, error) {
	alg, at, err := readDNSName(msg[:rr.end], rr.data)
	if err != nil || rr.end-at < 10 {
		return nil, errDNSMessage
	}
	data := msg[at:rr.end]
	r := &tsigRecord{alg: alg, time: uint48(data), fudge: binary.BigEndian.Uint16(data[6:])}
	size := int(binary.BigEndian.Uint16(data[8:]))
	if data = data[10:]; len(data) < size+6 {
		return nil, errDNSMessage
	}
	r.mac, data = data[:size], data[size:]
	r.id, r.err = binary.BigEndian.Uint16(data), binary.BigEndian.Uint16(data[2:])
	size = int(binary.BigEndian.Uint16(data[4:]))
	if data = data[6:]; len(data) != size {
		return nil, errDNSMessage
	}
	r.other = data
	return r, nil
}

func (r *tsigRecord) at() time.Time { return time.Unix(int64(r.time), 0) }

// serverTime is the server's clock, which it tells with BADTIME.
func (r *tsigRecord) serverTime() (time.Time, bool) {
	if r.err != tsigBadTime || len(r.other) != 6 {
		return time.Time{}, false
	}
	return time.Unix(int64(uint48(r.other)), 0), true
}

func appendUint48(b []byte, v uint64) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(v>>32))
	return binary.BigEndian.AppendUint32(b, uint32(v))
}

func uint48(b []byte) uint64 {
	return uint64(binary.BigEndian.Uint16(b))<<32 | uint64(binary.BigEndian.Uint32(b[2:]))
}

// randomID is a message's: what a stranger would have to guess.
func randomID() uint16 {
	var b [2]byte
	rand.Read(b[:])
	return binary.BigEndian.Uint16(b[:])
}
