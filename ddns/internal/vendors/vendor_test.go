package vendors

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// call is one request as a vendor got it.
type call struct {
	proto, method, host, path string
	tls                       bool
	query                     url.Values
	rawQuery                  string
	header                    http.Header
	user, password            string // of HTTP basic authentication
	body                      string
}

func (c call) String() string {
	text := c.method + " " + c.host + c.path
	if len(c.query) > 0 {
		text += "?" + c.query.Encode()
	}
	if c.body != "" {
		text += " " + c.body
	}
	return text
}

// vendor is what all vendors' servers have in common: it records the calls and
// notes what the vendor's documentation does not have.
type vendor struct {
	answer func(*exchange)

	mu    sync.Mutex // held while an answer is made
	calls []call
	notes []string
}

// exchange is one call and its answer.
type exchange struct {
	call
	v    *vendor
	w    http.ResponseWriter
	done bool
}

func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.mu.Lock()
	defer v.mu.Unlock()
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	c := call{
		proto: r.Proto, method: r.Method, host: r.Host, path: r.URL.EscapedPath(), tls: r.TLS != nil,
		header: r.Header, body: string(body),
	}
	c.user, c.password, _ = r.BasicAuth()
	var badQuery error
	c.rawQuery = r.URL.RawQuery
	c.query, badQuery = url.ParseQuery(c.rawQuery)
	v.calls = append(v.calls, c)
	x := &exchange{call: c, v: v, w: w}
	if err != nil {
		x.note("body: %v", err)
	}
	if badQuery != nil {
		x.note("query: %v", badQuery)
	}
	if !c.tls {
		x.note("not over https")
	}
	if agent := c.header.Get("User-Agent"); agent == "" {
		x.note("no User-Agent")
	}
	if r.Method == "GET" && c.body != "" {
		x.note("GET with a body")
	}
	v.answer(x)
	if !x.done {
		x.note("%s %s is not documented", c.method, c.path)
		x.reply(http.StatusNotFound, "text/plain", "no such thing")
	}
}

// note remembers a departure from the documentation.
func (x *exchange) note(format string, args ...any) {
	x.v.notes = append(x.v.notes, fmt.Sprintf(format, args...))
}

func (x *exchange) reply(status int, contentType, body string) {
	if x.done {
		panic("a second answer to " + x.call.String())
	}
	x.done = true
	if contentType != "" {
		x.w.Header().Set("Content-Type", contentType)
	}
	x.w.WriteHeader(status)
	io.WriteString(x.w, body)
}

func (x *exchange) replyJSON(status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	x.reply(status, "application/json", string(text))
}

// only notes query parameters that are not among these, and those that are
// there twice.
func (x *exchange) only(params ...string) {
	for _, name := range slices.Sorted(maps.Keys(x.query)) {
		if !slices.Contains(params, name) {
			x.note("undocumented parameter %s", name)
		}
		if len(x.query[name]) > 1 {
			x.note("parameter %s twice", name)
		}
	}
}

// object reads a JSON object out of the body into to, whose members are all
// that there may be.
func (x *exchange) object(to any) bool {
	if kind, _, err := mime.ParseMediaType(x.header.Get("Content-Type")); err != nil || kind != "application/json" {
		x.note("Content-Type %q", x.header.Get("Content-Type"))
		return false
	}
	dec := json.NewDecoder(strings.NewReader(x.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		x.note("body: %v", err)
		return false
	}
	if dec.More() {
		x.note("more than one JSON value")
		return false
	}
	return true
}

// bearer returns the token of the header Authorization.
func (x *exchange) bearer() string {
	token, ok := strings.CutPrefix(x.header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return token
}

// check fails the test for each note.
func (v *vendor) check(t *testing.T) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, note := range v.notes {
		t.Errorf("the documentation does not have this: %s", note)
	}
	if t.Failed() {
		for i, c := range v.calls {
			t.Logf("call %d: %v", i+1, c)
		}
	}
}

// take returns the calls since the last take.
func (v *vendor) take() []call {
	v.mu.Lock()
	defer v.mu.Unlock()
	calls := v.calls
	v.calls = nil
	return calls
}

func itoa(n int) string { return strconv.Itoa(n) }

// zone is records by name and type: "home.example.org A".
type zone map[string]string

// set stores an address and says whether that changed anything.
func (z zone) set(host string, addr netip.Addr) bool {
	key := host + " A"
	if addr.Is6() {
		key += "AAA"
	}
	changed := z[key] != addr.String()
	z[key] = addr.String()
	return changed
}

// want compares the records with "NAME TYPE ADDRESS" lines; a name alone means
// that it has none.
func (z zone) want(t *testing.T, v *vendor, records ...string) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	want := zone{}
	for _, record := range records {
		i := strings.LastIndexByte(record, ' ')
		want[record[:i]] = record[i+1:]
	}
	if !maps.Equal(z, want) {
		t.Errorf("the vendor has\n%v\nwant\n%v", z, want)
	}
}

// wantLines compares a vendor's records, one a line.
func wantLines(t *testing.T, v fmt.Stringer, lines ...string) {
	t.Helper()
	if have, want := v.String(), strings.Join(lines, "\n"); have != want {
		t.Errorf("the vendor has\n%s\nwant\n%s", have, want)
	}
}
