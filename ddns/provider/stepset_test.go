package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// shelf is a provider that keeps one object per address, as most APIs do. It
// holds each request against the rules: others' records are never touched, and
// no right address of the name is taken away while none other is there.
type shelf struct {
	mu      sync.Mutex
	t       *testing.T
	rng     *rand.Rand
	records []shelved
	made    int
	trouble int // of a hundred requests so many fail, one way or the other
	wanted  []netip.Addr
	log     []string // METHOD, or METHOD ADDRESS, of each request
}

type shelved struct {
	ID    int    `json:"id"`
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
	TTL   int    `json:"ttl"`
	other bool   // not ours
}

// send has the provider act; the test has the shelf to itself at all other times.
func (s *shelf) send(act func(context.Context, Origin, []Update) []Outcome, u Update) Outcome {
	s.mu.Unlock()
	defer s.mu.Lock()
	return act(s.t.Context(), Origin{}, []Update{u})[0]
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, _ := io.ReadAll(r.Body)
	var body struct {
		Name, Type, Value string
		TTL               int
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &body); err != nil {
			s.t.Errorf("body %q: %v", text, err)
		}
	}
	s.log = append(s.log, strings.TrimSpace(r.Method+" "+body.Value))
	fails := s.rng.IntN(100) < s.trouble
	if fails && s.rng.IntN(2) == 0 { // nothing has happened
		http.Error(w, `{"error":"busy"}`, http.StatusInternalServerError)
		return
	}
	before := s.right()
	id := -1
	fmt.Sscanf(r.URL.Path, "/records/%d", &id)
	i := slices.IndexFunc(s.records, func(one shelved) bool { return one.ID == id })
	answer := any(map[string]any{})
	switch {
	case r.Method == "GET":
		found := []shelved{}
		for _, one := range s.records {
			if one.Name == r.URL.Query().Get("name") && one.Type == r.URL.Query().Get("type") {
				found = append(found, one)
			}
		}
		s.rng.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
		answer = map[string]any{"records": found}
	case r.Method == "POST":
		if slices.ContainsFunc(s.records, func(one shelved) bool { return one.Name == body.Name && one.Value == body.Value }) {
			s.t.Errorf("%s is made twice", body.Value)
		}
		s.made++
		s.records = append(s.records, shelved{s.made, body.Name, body.Type, body.Value, body.TTL, false})
		answer = s.records[len(s.records)-1]
	case i < 0:
		http.Error(w, `{"error":"no such record"}`, http.StatusNotFound)
		return
	case s.records[i].other:
		s.t.Errorf("%s of somebody else's %s", r.Method, s.records[i].Value)
	case r.Method == "PATCH":
		s.records[i].Value = body.Value
		if body.TTL > 0 {
			s.records[i].TTL = body.TTL
		}
	case r.Method == "DELETE":
		s.records = slices.Delete(s.records, i, i+1)
	}
	if before && !s.right() {
		s.t.Errorf("%s: no right address is left", s.log[len(s.log)-1])
	}
	switch {
	case fails && s.rng.IntN(2) == 0:
		http.Error(w, `{"error":"it has happened, but who knows"}`, http.StatusBadGateway)
	case fails:
		panic(http.ErrAbortHandler) // it has happened, and nobody is told
	default:
		json.NewEncoder(w).Encode(answer)
	}
}

// right reports whether the name has an address that is wanted.
func (s *shelf) right() bool {
	return slices.ContainsFunc(s.records, func(one shelved) bool {
		return one.Name == shelfName && among(one.Value, s.wanted)
	})
}

// have is the addresses of a name, in order.
func (s *shelf) have(name string) (list []string) {
	for _, one := range s.records {
		if one.Name == name {
			list = append(list, one.Value)
		}
	}
	slices.Sort(list)
	return list
}

const shelfName = "home.example.org"

// shelfFile is a provider's file; what is left open is whether it caches, what
// more its records have, and the steps that write.
const shelfFile = `
title = "Shelf"
family = "steps"
docs = ["https://example.org/"]
%scache = ["record_id", "ttl"]
forget_on = ["status 404"]
[request]
content_type = "application/json"
[record]
ttl = "60s"
creates = true
several = true
[[text]]
name = "set_ttl"
when = "own_ttl"
text = ',"TTL":{ttl}'
[[step]]
name = "records"
unless = "record_id"
url = "{server}/records?name={hostname}&type={type}"
records = { list = "records[name={hostname}][type={type}]", address = "value", pick = { record_id = "id", ttl = "ttl" }%s }
%s
[[step]]
name = "delete"
action = "remove"
when = "record_id"
method = "DELETE"
url = "{server}/records/{record_id}"
`

const shelfCreate = `
[[step]]
name = "create"
action = "update"
%s
method = "POST"
url = "{server}/records"
body = '{"Name":"{hostname}","Type":"{type}","Value":"{content}","TTL":{ttl}}'
`

const shelfUpdate = `
[[step]]
name = "update"
action = "update"
when = "record_id"
method = "PATCH"
url = "{server}/records/{record_id}"
body = '{"Value":"{content}"{set_ttl}}'
`

// shelves are the ways in which providers' steps write.
var shelves = map[string]string{
	"in place":            fmt.Sprintf(shelfFile, "", "", shelfUpdate+"done = true\n"+fmt.Sprintf(shelfCreate, "")),
	"with something more": fmt.Sprintf(shelfFile, "", ", always = true", shelfUpdate+fmt.Sprintf(shelfCreate, `unless = "record_id"`)),
	"new ones, then the old one away": fmt.Sprintf(shelfFile, "#", "", fmt.Sprintf(shelfCreate, `when = "current != {address}"`)+`
[[step]]
name = "delete the old one"
action = "update"
when = "record_id && current != {address}"
method = "DELETE"
url = "{server}/records/{record_id}"
`),
}

func newShelf(t *testing.T, file string, seed uint64) (*shelf, *Provider) {
	t.Helper()
	def, errs := parseDefinition("shelf", "shelf.toml", []byte(file))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	s := &shelf{t: t, rng: rand.New(rand.NewPCG(seed, 6))}
	s.mu.Lock()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	p, problems := New(def, config.Provider{Name: "shelf", Type: "shelf", Server: server.URL}, Options{Version: "1.2.3"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return s, p
}

// put adds a record by hand.
func (s *shelf) put(name, value string, other bool) {
	s.made++
	s.records = append(s.records, shelved{s.made, name, "A", value, 300, other})
}

// TestSetsUnderRandomTrouble: whatever addresses are wanted one after the other,
// and whichever requests fail, before or after the provider has heard them, at
// last it has the wanted addresses and the records that others made, nothing
// else.
func TestSetsUnderRandomTrouble(t *testing.T) {
	for name, file := range shelves {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(12) {
				s, p := newShelf(t, file, seed)
				rng := rand.New(rand.NewPCG(seed, 7))
				others := []string{}
				if seed%2 == 1 { // the only record would be taken over
					others = []string{"192.0.2.1", "192.0.2.2"}
				}
				for _, one := range others {
					s.put(shelfName, one, true)
				}
				s.put("else.example.org", "203.0.113.1", true)
				var published, tried []netip.Addr // as the publisher has them
				for round := range 40 {
					s.trouble = []int{0, 30}[rng.IntN(2)]
					s.wanted = nil
					least := 1
					if published == nil {
						least = 2 // a single address would take one of the others over, as ours is not known
					}
					for _, n := range rng.Perm(6)[:least+rng.IntN(5-least)] {
						s.wanted = append(s.wanted, netip.AddrFrom4([4]byte{203, 0, 113, byte(1 + n)}))
					}
					done := false
					for attempt := 0; ; attempt++ {
						if attempt == 20 {
							s.trouble = 0
						}
						u := Update{Hostname: shelfName, Family: config.IPv4, Addr: s.wanted[0], More: s.wanted[1:],
							Published: append(slices.Clone(published), tried...)}
						s.log = nil
						o := s.send(p.Send, u)
						if o.Class.Done() {
							published, tried, done = s.wanted, nil, true
							break
						}
						if s.trouble == 0 {
							t.Fatalf("seed %d, round %d: %+v after %v", seed, round, o, s.log)
						}
						writes := slices.ContainsFunc(s.log, func(one string) bool { return !strings.HasPrefix(one, "GET") })
						if several := len(u.More) > 0 || len(u.Published) > 1; several && o.Partly != writes {
							t.Errorf("partly %v after %v", o.Partly, s.log)
						}
						if writes {
							tried = append(tried, s.wanted...)
						}
						if rng.IntN(4) == 0 {
							break // something else is wanted meanwhile
						}
					}
					if done {
						want := slices.Clone(others)
						for _, a := range s.wanted {
							want = append(want, a.String())
						}
						slices.Sort(want)
						if got := s.have(shelfName); !slices.Equal(got, want) {
							t.Fatalf("seed %d, round %d: %v, want %v; the last attempt: %v", seed, round, got, want, s.log)
						}
					}
					if got := s.have("else.example.org"); len(got) != 1 {
						t.Fatalf("another name has %v", got)
					}
					if t.Failed() {
						t.Fatalf("seed %d, round %d: %v", seed, round, s.log)
					}
				}
				s.trouble, s.wanted = 0, nil
				u := Update{Hostname: shelfName, Family: config.IPv4, Addr: published[0], More: append(published[1:], tried...)}
				if o := s.send(p.Remove, u); !o.Class.Done() || !slices.Equal(s.have(shelfName), others) && len(u.More) > 0 {
					t.Fatalf("seed %d: removed: %+v, left %v", seed, o, s.have(shelfName))
				}
			}
		})
	}
}

// TestRequestsOfASet: what is asked, in which order.
func TestRequestsOfASet(t *testing.T) {
	for _, c := range []struct {
		name              string
		there             string // ADDRESS, other ones with "+" before
		published, wanted string
		want              []string
		warning           string
	}{
		{"none yet", "", "", ".7 .8", []string{"GET", "POST .7", "POST .8"}, ""},
		{"nothing to do", ".7 .8", ".7 .8", ".7 .8", []string{"GET"}, ""},
		{"nothing to do, and others", "+.1 .7 .8", ".7 .8", ".7 .8", []string{"GET"}, "has 3 A records: the others were left alone"},
		{"one more", ".7", ".7", ".7 .8", []string{"GET", "POST .8"}, ""},
		{"one has changed", ".7 .8", ".7 .8", ".7 .9", []string{"GET", "PATCH .9"}, ""},
		{"one less", ".7 .8", ".7 .8", ".8", []string{"GET", "DELETE"}, ""},
		{"one less, and the other has changed", ".7 .8", ".7 .8", ".9", []string{"GET", "PATCH .9", "DELETE"}, ""},
		{"the only one is taken over", "*.1", "", ".7 .8", []string{"GET", "PATCH .7", "POST .8"}, ""},
		{"of two that are not known none is", "+.1 +.2", "", ".7 .8", []string{"GET", "POST .7", "POST .8"}, "has 4 A records"},
		{"ours are gone, others are there", "+.1 +.2", ".5 .6", ".7 .8", []string{"GET", "POST .7", "POST .8"}, "has 4 A records"},
		{"twice", ".7 .7 .8", ".7 .8", ".7 .8", []string{"GET", "DELETE"}, ""},
		{"twice, and it is not known by whom", ".7 +.7", "", ".7 .8", []string{"GET", "POST .8"}, "has 3 A records"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, p := newShelf(t, shelves["in place"], 0)
			full := func(text string) (list []netip.Addr) {
				for _, one := range strings.Fields(text) {
					list = append(list, netip.MustParseAddr("203.0.113"+strings.TrimLeft(one, "+*")))
				}
				return list
			}
			for i, a := range full(c.there) {
				s.put(shelfName, a.String(), strings.HasPrefix(strings.Fields(c.there)[i], "+"))
			}
			s.rng = rand.New(order{})
			s.wanted = full(c.wanted)
			o := s.send(p.Send, Update{Hostname: shelfName, Family: config.IPv4, Addr: s.wanted[0], More: s.wanted[1:], Published: full(c.published)})
			if got := strings.ReplaceAll(strings.Join(s.log, ", "), "203.0.113", ""); !o.Class.Done() || got != strings.Join(c.want, ", ") {
				t.Errorf("%v: %s, want %v", o, got, c.want)
			}
			if changed := len(c.want) > 1; changed != (o.Class == Updated) {
				t.Errorf("%v", o)
			}
			if !strings.Contains(o.Warning, c.warning) || c.warning == "" && o.Warning != "" {
				t.Errorf("warning %q, want %q", o.Warning, c.warning)
			}
		})
	}
}

// order is no chance at all.
type order struct{}

func (order) Uint64() uint64 { return 1<<64 - 1 }

// TestTTLOfASet: a new record has the TTL of ours; the user's own is given to
// all of ours, and to nobody else's.
func TestTTLOfASet(t *testing.T) {
	s, p := newShelf(t, shelves["in place"], 0)
	s.put(shelfName, "192.0.2.1", true)
	s.records[0].TTL = 7200
	s.put(shelfName, "203.0.113.7", false)
	u := Update{Hostname: shelfName, Family: config.IPv4, Addr: netip.MustParseAddr("203.0.113.7"), More: addrsOf("203.0.113.8"), Published: addrsOf("203.0.113.7")}
	ttls := func(want ...int) {
		t.Helper()
		if o := s.send(p.Send, u); !o.Class.Done() {
			t.Fatalf("%+v", o)
		}
		u.Published = u.all()
		var got []int
		for _, one := range s.records {
			got = append(got, one.TTL)
		}
		if !slices.Equal(got, want) {
			t.Errorf("TTL %v, want %v", got, want)
		}
	}
	ttls(7200, 300, 300)
	u.TTL = 120e9
	ttls(7200, 120, 120)
	s.log = nil
	ttls(7200, 120, 120)
	if len(s.log) != 1 {
		t.Errorf("nothing has changed: %v", s.log)
	}
}

// TestOneAfterSeveral: from two addresses to one, and on with one request each.
func TestOneAfterSeveral(t *testing.T) {
	s, p := newShelf(t, shelves["in place"], 0)
	send := func(published, wanted string, requests ...string) {
		t.Helper()
		s.wanted, s.log = addrsOf(wanted), nil
		o := s.send(p.Send, Update{Hostname: shelfName, Family: config.IPv4, Addr: s.wanted[0], More: s.wanted[1:], Published: addrsOf(published)})
		if !o.Class.Done() || !slices.Equal(s.log, requests) {
			t.Errorf("%+v: %q, want %q", o, s.log, requests)
		}
	}
	send("", "203.0.113.7", "GET", "POST 203.0.113.7")
	send("203.0.113.7", "203.0.113.7 203.0.113.8", "GET", "POST 203.0.113.8")
	send("203.0.113.7 203.0.113.8", "203.0.113.8", "GET", "DELETE")
	send("203.0.113.8", "203.0.113.9", "GET", "PATCH 203.0.113.9")
	send("203.0.113.9", "203.0.113.10", "PATCH 203.0.113.10")
}
