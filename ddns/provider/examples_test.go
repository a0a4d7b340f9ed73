package provider

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// needed are the classes of which every catalogue file must have an example.
var needed = []Class{Updated, Unchanged, BadAuth, NoHost, ServerError}

// TestCatalogueExamples plays the examples of every built-in file on the wire:
// over TLS, to a server on loopback that has every name.
func TestCatalogueExamples(t *testing.T) {
	ca := newTestCA(t)
	played := 0
	for _, name := range catalogueNames(t) {
		t.Run(name, func(t *testing.T) {
			def := catalogueFile(t, name)
			if def.Sample.Hostname == "" {
				t.Error("no [sample] hostname")
			}
			shown := map[Class]bool{}
			alias, removes, several, fewer := false, false, false, false
			for i := range def.Examples {
				ex := inherit(def, i)
				title := ex.Shows
				if title == "" {
					title = strings.Join(ex.Outcome, " ")
				}
				t.Run(title, func(t *testing.T) { playExample(t, ca, def, ex) })
				played++
				for _, class := range ex.Outcome {
					shown[Class(class)] = true
				}
				alias = alias || ex.Action == "cname"
				removes = removes || ex.Action == "remove"
				several = several || strings.Contains(ex.IPv4, " ")
				fewer = fewer || strings.Contains(ex.Published, " ") && !strings.Contains(ex.IPv4, " ") && ex.Action == ""
			}
			http := def.Family != "rfc2136" // of which the tests have DNS servers
			if http && def.Record.CNAME && !alias {
				t.Error("no example of action \"cname\"")
			}
			if http && def.CanSeveral() && !several {
				t.Error("no example with several addresses")
			}
			if def.Record.Several && !fewer {
				t.Error("no example with one address of several that were published")
			}
			if http && def.CanRemove() && !removes {
				t.Error("no example of action \"remove\"")
			}
			for _, class := range needed {
				switch reason := def.Missing[string(class)]; {
				case !shown[class] && reason == "":
					t.Errorf("no example of %q, and no reason under [missing]", class)
				case shown[class] && reason != "":
					t.Errorf("there is an example of %q, though [missing] says %q", class, reason)
				}
			}
		})
	}
	t.Logf("%d examples of %d providers played", played, len(catalogueNames(t)))
}

// inherit completes example i with what it leaves out.
func inherit(def *Definition, i int) Example {
	ex := def.Examples[i]
	if ex.Config == nil {
		ex.Config = def.Sample.Config
	}
	if ex.Hostnames == nil {
		ex.Hostnames = []string{def.Sample.Hostname}
	}
	if ex.IPv4 == "" && ex.IPv6 == "" {
		ex.IPv4, ex.IPv6 = def.Examples[0].IPv4, def.Examples[0].IPv6
	}
	if ex.Exchanges == nil {
		ex.Exchanges = []Exchange{ex.Exchange}
	}
	for j := range def.Examples[:i] {
		old := inherit(def, j)
		if old.Action != ex.Action || old.IPv4 != ex.IPv4 || old.IPv6 != ex.IPv6 || !slices.Equal(old.Hostnames, ex.Hostnames) {
			continue
		}
		exchanges := slices.Clone(ex.Exchanges)
		for k := range min(len(exchanges), len(old.Exchanges)) {
			to, from := &exchanges[k], old.Exchanges[k]
			if to.Request != "" {
				break // from there on it goes another way
			}
			to.Request, to.Headers, to.Body = from.Request, from.Headers, from.Body
			if k < len(exchanges)-1 && to.Status == 0 && to.Reply == "" {
				to.Status, to.Reply, to.ReplyHeaders = from.Status, from.Reply, from.ReplyHeaders
			}
		}
		ex.Exchanges = exchanges
		break
	}
	return ex
}

func exampleUpdates(ex Example) []Update {
	var updates []Update
	for _, host := range ex.Hostnames {
		if ex.IPv4 != "" {
			all := addrsOf(ex.IPv4)
			u := Update{Hostname: host, Family: config.IPv4, Addr: all[0], More: all[1:], TTL: time.Duration(ex.TTL), Published: addrsOf(ex.Published)}
			if ex.OtherIPv6 != "" {
				u.Other = netip.MustParseAddr(ex.OtherIPv6)
			}
			updates = append(updates, u)
		}
		if ex.IPv6 != "" {
			all := addrsOf(ex.IPv6)
			u := Update{Hostname: host, Family: config.IPv6, Addr: all[0], More: all[1:], TTL: time.Duration(ex.TTL)}
			if ex.OtherIPv4 != "" {
				u.Other = netip.MustParseAddr(ex.OtherIPv4)
			}
			updates = append(updates, u)
		}
	}
	return updates
}

// exampleAccount makes the account of an example.
func exampleAccount(t *testing.T, def *Definition, ex Example, caFile string) *Provider {
	t.Helper()
	acct := config.Provider{Name: "example", Type: def.Name, Fields: map[string]config.Secret{}}
	for key, value := range ex.Config {
		if key == "server" {
			acct.Server = value
			continue
		}
		if strings.Contains(value, "PRIVATE KEY-----") { // the examples leave its inside out
			text, err := os.ReadFile("testdata/rsa.pem")
			if err != nil {
				t.Fatal(err)
			}
			value = string(text)
		}
		acct.Fields[key] = config.NewSecret(value)
	}
	p, problems := New(def, acct, Options{Version: "1.2.3", CAFile: caFile, Timeout: 10 * time.Second})
	if len(problems) > 0 {
		t.Fatalf("the configuration under [sample], or the example's own, is refused: %v", problems)
	}
	return p
}

// playExample makes the requests of one example and compares.
func playExample(t *testing.T, ca *testCA, def *Definition, ex Example) {
	var mu sync.Mutex
	left := ex.Exchanges
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if len(left) == 0 {
			t.Errorf("a request too many: %s %s", r.Method, r.URL)
			return
		}
		one := left[0]
		left = left[1:]
		compareRequest(t, one, r)
		for name, value := range one.ReplyHeaders {
			w.Header().Set(name, value)
		}
		w.WriteHeader(max(one.Status, 0) + map[bool]int{true: 200}[one.Status == 0])
		io.WriteString(w, one.Reply)
	})
	plain := httptest.NewServer(handler)
	defer plain.Close()
	secure := ca.server(t, handler)

	p := exampleAccount(t, def, ex, ca.file)
	p.transport.reroute = func(_ string, port uint16) string {
		if port == 443 {
			return secure
		}
		return plain.Listener.Addr().String()
	}
	if p.now = func() time.Time { return ex.At }; ex.At.IsZero() {
		p.now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	}
	p.nonce = func() string { return "0123456789abcdef0123456789abcdef" }
	updates := exampleUpdates(ex)
	for _, u := range updates {
		if err := p.CheckHost(u.Hostname); err != nil {
			t.Fatal(err)
		}
	}
	outcomes := make([]Outcome, len(updates))
	publish := func() {
		for _, group := range p.Group(updates) {
			act := p.Send
			switch ex.Action {
			case "remove":
				act = p.Remove
			case "cname":
				act = func(ctx context.Context, from Origin, updates []Update) []Outcome {
					return []Outcome{p.SetCNAME(ctx, from, updates[0].Hostname, ex.Target, updates[0].TTL)}
				}
			}
			for i, o := range act(t.Context(), Origin{}, pick(updates, group)) {
				outcomes[group[i]] = o
			}
		}
	}
	publish()
	for _, next := range ex.Then {
		if len(outcomes) != 1 || !outcomes[0].Class.Done() {
			t.Fatalf("before %s: %v", next, outcomes)
		}
		updates[0].Published = updates[0].all()
		all := addrsOf(next)
		updates[0].Addr, updates[0].More = all[0], all[1:]
		publish()
	}
	mu.Lock()
	defer mu.Unlock()
	if len(left) > 0 {
		t.Errorf("%d requests were not made, the first: %s", len(left), left[0].Request)
	}
	if len(ex.Outcome) == 0 {
		t.Fatal("the example has no outcome")
	}
	for i, o := range outcomes {
		want := ex.Outcome[min(i, len(ex.Outcome)-1)]
		if string(o.Class) != want {
			t.Errorf("%s %v: %q (%s), want %q", updates[i].Hostname, updates[i].Family, o.Class, o.Text, want)
		}
		if ex.Wait != 0 && o.Wait != time.Duration(ex.Wait) {
			t.Errorf("wait %v, want %v", o.Wait, time.Duration(ex.Wait))
		}
		if o.Account != ex.Account {
			t.Errorf("holds for the account: %v, want %v", o.Account, ex.Account)
		}
		if !strings.Contains(o.Warning, ex.Warning) || ex.Warning == "" && o.Warning != "" && def.Family == "steps" {
			t.Errorf("warning %q, want %q", o.Warning, ex.Warning)
		}
		checkNoSecret(t, p, o.Text+o.Warning)
	}
	for _, line := range p.Preview(updates) {
		checkNoSecret(t, p, line)
	}
}

func checkNoSecret(t *testing.T, p *Provider, text string) {
	t.Helper()
	for _, f := range p.def.Fields {
		if s := p.fields[f.Key]; f.Secret && s != "" && strings.Contains(text, s) {
			t.Errorf("a secret in %q", text)
		}
	}
}

// compareRequest compares a request as it arrived.
func compareRequest(t *testing.T, want Exchange, r *http.Request) {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if got := r.Method + " " + scheme + "://" + r.Host + r.RequestURI; got != want.Request {
		t.Errorf("request\n got %s\nwant %s", got, want.Request)
	}
	for name, value := range want.Headers {
		if got := r.Header.Get(name); got != value {
			t.Errorf("header %s: %q, want %q", name, got, value)
		}
	}
	if r.Header.Get("User-Agent") == "" || r.Header.Get("Accept-Encoding") != "" {
		t.Errorf("headers %v", r.Header)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	if string(body) != want.Body {
		t.Errorf("body %q, want %q", body, want.Body)
	}
}
