package provider

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	maxBody     = 64 << 10  // bytes of a body that are read; the rest is not
	maxListBody = 256 << 10 // of a reply to a step, which may list all records of a zone
	maxHeader   = 32 << 10  // bytes of all status and header lines together
)

var (
	errNotHTTP       = errors.New("the answer is not HTTP")
	errHeaderTooLong = errors.New("the answer's header is too long")
	errCutOff        = errors.New("the connection was closed in the middle of the answer")
	errTooLong       = errors.New("the answer is longer than 256 kB")
	errNoAnswer      = errors.New("the connection was closed without an answer")
)

// readResponse reads one answer (RFC 9112). Interim ones (1xx) are passed over.
func readResponse(in *bufio.Reader, limit int) (*response, error) {
	left := maxHeader
	for {
		r, err := readHead(in, &left)
		if err != nil {
			return nil, err
		}
		if r.status/100 == 1 {
			continue
		}
		r.body, err = readBody(in, r, limit)
		r.cut = len(r.body) == limit
		return r, err
	}
}

// readHead reads status line and headers; left is the budget of bytes.
func readHead(in *bufio.Reader, left *int) (*response, error) {
	line, err := readLine(in, left)
	if err != nil {
		if line == "" && isEOF(err) {
			return nil, errNoAnswer
		}
		return nil, cutOff(err)
	}
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	status, err := strconv.Atoi(code)
	if !strings.HasPrefix(version, "HTTP/1.") || err != nil || len(code) != 3 || status < 100 {
		return nil, errNotHTTP
	}
	r := &response{status: status, header: map[string]string{}}
	for {
		line, err := readLine(in, left)
		if err != nil {
			return nil, cutOff(err)
		}
		if line == "" {
			return r, nil
		}
		name, value, ok := strings.Cut(line, ":")
		name = strings.ToLower(name)
		if _, there := r.header[name]; ok && !there {
			r.header[name] = strings.TrimSpace(value)
		}
	}
}

// readLine reads a line without its end.
func readLine(in *bufio.Reader, left *int) (string, error) {
	var line []byte
	for {
		piece, err := in.ReadSlice('\n')
		if *left -= len(piece); *left < 0 {
			return "", errHeaderTooLong
		}
		line = append(line, piece...)
		if err == nil {
			return strings.TrimRight(string(line), "\r\n"), nil
		}
		if err != bufio.ErrBufferFull {
			return string(line), err
		}
	}
}

// readBody reads at most limit bytes of the body.
func readBody(in *bufio.Reader, r *response, limit int) (string, error) {
	if r.status == 204 || r.status == 304 {
		return "", nil
	}
	if te := r.header["transfer-encoding"]; te != "" {
		if !strings.EqualFold(te, "chunked") {
			return "", fmt.Errorf("%w: transfer encoding %q", errNotHTTP, te)
		}
		return readChunks(in, limit)
	}
	if text, ok := r.header["content-length"]; ok {
		n, err := strconv.ParseUint(text, 10, 62)
		if err != nil {
			return "", fmt.Errorf("%w: content length %q", errNotHTTP, text)
		}
		body := make([]byte, min(n, uint64(limit)))
		if _, err := io.ReadFull(in, body); err != nil {
			return "", cutOff(err)
		}
		return string(body), nil
	}
	body, err := io.ReadAll(io.LimitReader(in, int64(limit)))
	if err != nil && !isEOF(err) {
		return "", err
	}
	return string(body), nil
}

// readChunks reads a chunked body (RFC 9112 section 7.1), without its trailer:
// the connection is not used again.
func readChunks(in *bufio.Reader, limit int) (string, error) {
	var body []byte
	budget := limit + maxHeader // for lines with sizes and extensions
	for {
		line, err := readLine(in, &budget)
		if err != nil {
			return "", cutOff(err)
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 62)
		if err != nil {
			return "", fmt.Errorf("%w: chunk size %q", errNotHTTP, size)
		}
		if n == 0 {
			return string(body), nil
		}
		at := len(body)
		take := min(n, uint64(limit-at))
		body = append(body, make([]byte, take)...)
		if _, err := io.ReadFull(in, body[at:]); err != nil {
			return "", cutOff(err)
		}
		if len(body) == limit {
			return string(body), nil
		}
		if line, err := readLine(in, &budget); err != nil || line != "" {
			return "", cutOff(err)
		}
	}
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func cutOff(err error) error {
	if err == nil {
		return errNotHTTP
	}
	if isEOF(err) {
		return errCutOff
	}
	return err
}

func itoa(n int) string { return strconv.Itoa(n) }
