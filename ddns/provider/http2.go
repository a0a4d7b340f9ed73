package provider

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// This is as much of HTTP/2 (RFC 9113) as one request on a connection of its
// own needs: servers of DNS over HTTPS speak little else. Of the answer's
// header only the status is read, so that no table and hardly any of HPACK's
// Huffman code (RFC 7541) is needed.

// Frames' types and flags.
const (
	h2Data         = 0
	h2Headers      = 1
	h2Reset        = 3
	h2Settings     = 4
	h2Ping         = 6
	h2GoAway       = 7
	h2Continuation = 9

	h2EndStream  = 1 // of data and headers
	h2Ack        = 1 // of settings and pings
	h2EndHeaders = 4
	h2Padded     = 8
	h2Priority   = 32
)

const (
	h2Preface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	h2MaxFrame = 16 << 10 // bytes, while nobody asks for more
	h2Frames   = 1000     // that one answer may come in
)

var errNotHTTP2 = errors.New("the answer is not HTTP/2")

// http2 is the request as HTTP/2 has it: all that this side sends by itself.
// No table is kept, and nothing is pushed.
func (r *request) http2() []byte {
	var head []byte
	fields := []field{{":method", r.method}, {":scheme", "https"}, {":authority", r.authority()}, {":path", r.path}}
	for _, f := range append(fields, r.header...) {
		head = h2Text(h2Text(append(head, 0), strings.ToLower(f.name)), f.value)
	}
	b := h2Frame([]byte(h2Preface), h2Settings, 0, 0, []byte{0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0})
	b = h2Frame(b, h2Headers, h2EndHeaders, 1, head)
	return h2Frame(b, h2Data, h2EndStream, 1, []byte(r.body))
}

// h2Text appends a text with its length before it (RFC 7541 section 5).
//
//go:noinline
func h2Text(b []byte, s string) []byte {
	n := len(s)
	if n < 127 {
		return append(append(b, byte(n)), s...)
	}
	b = append(b, 127)
	for n -= 127; n > 127; n >>= 7 {
		b = append(b, byte(n)|128)
	}
	return append(append(b, byte(n)), s...)
}

// h2Frame appends a frame.
//
//go:noinline
func h2Frame(b []byte, kind, flags byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	b = append(b, byte(n>>16), byte(n>>8), byte(n), kind, flags)
	return append(binary.BigEndian.AppendUint32(b, stream), payload...)
}

// exchange2 sends a request over HTTP/2 and reads the answer's status and body.
func exchange2(conn net.Conn, req *request) (*response, error) {
	if len(req.body) > h2MaxFrame {
		return nil, errTooLong
	}
	if _, err := conn.Write(req.http2()); err != nil {
		return nil, err
	}
	return readHTTP2(newReader(conn), conn, maxBody-1) // all that is sent without more ado
}

// readHTTP2 reads the answer to the request on stream 1, and writes what the
// protocol wants to be confirmed.
func readHTTP2(in *bufio.Reader, out io.Writer, limit int) (*response, error) {
	r := &response{header: map[string]string{}}
	var body, block []byte
	for range h2Frames {
		kind, flags, stream, payload, err := readFrame(in)
		if err != nil {
			return nil, err
		}
		switch {
		case (kind == h2Settings || kind == h2Ping) && flags&h2Ack == 0:
			if kind == h2Settings {
				payload = nil
			}
			if _, err := out.Write(h2Frame(nil, kind, h2Ack, 0, payload)); err != nil {
				return nil, err
			}
			continue
		case kind == h2Reset && stream == 1, kind == h2GoAway && len(payload) >= 8:
			code := binary.BigEndian.Uint32(payload[len(payload[:min(len(payload), 8)])-4:])
			if kind == h2GoAway && binary.BigEndian.Uint32(payload) >= 1 {
				continue // the answer is still on its way
			}
			return nil, fmt.Errorf("the server ended the exchange, HTTP/2 error %d", code)
		case stream != 1:
			continue
		case kind == h2Data:
			body = append(body, payload...)
			if r.cut = len(body) >= limit; r.cut {
				body, flags = body[:limit], h2EndStream
			}
		case kind == h2Headers || kind == h2Continuation:
			if block = append(block, payload...); len(block) > maxHeader {
				return nil, errHeaderTooLong
			}
			if flags&h2EndHeaders != 0 {
				if r.status/100 < 2 { // else it is a trailer
					if r.status = h2Status(block); r.status == 0 {
						return nil, errNotHTTP2
					}
				}
				block = nil
			}
			if kind == h2Continuation {
				flags = 0
			}
		default:
			continue
		}
		if flags&h2EndStream != 0 {
			if r.status/100 < 2 {
				return nil, errNotHTTP2
			}
			r.body = string(body)
			return r, nil
		}
	}
	return nil, errTooLong
}

// readFrame reads a frame, without its padding.
func readFrame(in *bufio.Reader) (kind, flags byte, stream uint32, payload []byte, err error) {
	var head [9]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, 0, 0, nil, cutOff(err)
	}
	n := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
	kind, flags, stream = head[3], head[4], binary.BigEndian.Uint32(head[5:])&(1<<31-1)
	if n > h2MaxFrame {
		return 0, 0, 0, nil, errNotHTTP2
	}
	payload = make([]byte, n)
	if _, err := io.ReadFull(in, payload); err != nil {
		return 0, 0, 0, nil, cutOff(err)
	}
	skip, pad := 0, 0
	if flags&h2Padded != 0 && (kind == h2Data || kind == h2Headers) && n > 0 {
		skip, pad = 1, int(payload[0])
	}
	if flags&h2Priority != 0 && kind == h2Headers {
		skip += 5
	}
	if skip+pad > n || kind == h2Reset && n != 4 {
		return 0, 0, 0, nil, errNotHTTP2
	}
	return kind, flags, stream, payload[skip : n-pad], nil
}

// h2Statuses are those that stand in HPACK's table, from 8 on.
var h2Statuses = [...]int{200, 204, 206, 304, 400, 404, 500}

// h2Status reads the status, which is first in a header; 0: there is none.
func h2Status(block []byte) int {
	for len(block) > 0 && block[0]&0xe0 == 0x20 { // the size of a table that nobody uses
		for more := block[0]&31 == 31; more && len(block) > 1; more = block[0]&128 != 0 {
			block = block[1:]
		}
		block = block[1:]
	}
	if len(block) == 0 {
		return 0
	}
	if i := int(block[0]) - 0x80 - 8; i >= 0 && i < len(h2Statuses) {
		return h2Statuses[i]
	}
	name := block[0] & 0x3f // of a text that others may keep in a table
	if block[0]&0xe0 == 0 { // of one that they may not, or must not
		name &= 0x0f
	} else if block[0]&0xc0 != 0x40 {
		return 0
	}
	block = append(block, 0) // if the code is of 2 bytes, a third is read, too
	if i := int(name) - 8; i < 0 || i >= len(h2Statuses) || len(block) < 5 {
		return 0 // not :status
	}
	var digits uint32 // or their Huffman codes
	text := block[2:min(len(block), 5)]
	for _, c := range text {
		digits = digits<<8 | uint32(c)
	}
	status := 0
	if block[1] == 3 {
		for _, c := range text {
			if c < '0' || c > '9' {
				return 0
			}
			status = 10*status + int(c-'0')
		}
	} else {
		if block[1] == 0x82 { // of 2 bytes, not 3
			digits &^= 255
		}
		for at := 24 - 5; at > 0 && status < 100; at -= 5 {
			d := int(digits>>at) & 31 // 0 to 2 are 5 bits, 3 to 9 are 011001 and so on
			if d > 2 {
				at--
				d = int(digits>>at)&63 - 0x19 + 3
			}
			status = 10*status + d
		}
	}
	if status < 100 || status > 999 {
		return 0
	}
	return status
}
