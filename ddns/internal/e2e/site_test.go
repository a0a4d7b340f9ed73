package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// binary is wanbeacon with the race detector, for all tests but Soak.
var binary string

func TestMain(m *testing.M) { lab.MainOf(m, &binary) }

// noExitSleep: the race detector's runtime waits a second before each exit.
const noExitSleep = "GORACE=atexit_sleep_ms=0"

const (
	home     = "home.dyn.test"
	gateway  = "11.22.33.1"
	gateway6 = "2a00:db8:1::1"
	server   = "45.67.89.1" // the provider's; reached by the default route only
	server6  = "2a00:db8:99::1"
)

// site is a laboratory with a provider behind the ISP. The router's resolver
// knows the provider; its WAN has no address yet.
type site struct {
	*lab.Lab
	t *testing.T
	p *lab.Provider
	d *lab.Daemon
}

// newSite runs beside the other tests.
func newSite(t *testing.T, o lab.ProviderOptions) *site {
	t.Helper()
	t.Parallel()
	s := bareSite(t)
	s.p = s.provider(o)
	s.Resolver(s.Router, "127.0.0.1", nil, s.p.Zone)
	return s
}

// bareSite has no provider and no resolver.
func bareSite(t *testing.T) *site {
	t.Helper()
	s := &site{Lab: lab.New(t), t: t}
	s.ISPLink.Add(gateway + "/24")
	s.ISPLink.Add(gateway6+"/64", "nodad")
	// Without a route, the kernel looks for the provider on the wire itself if
	// the socket is bound to the device. There nobody is to answer for it.
	s.ISP.Sysctl("net/ipv4/conf/all/arp_ignore", "1")
	return s
}

// provider starts one at an address of the ISP's that does not go with the
// wire, and knows the account "user" with the usual hostnames.
func (s *site) provider(o lab.ProviderOptions) *lab.Provider {
	s.t.Helper()
	if o.Addr == "" {
		o.Addr = server
	}
	lo := s.ISP.Link("lo")
	if strings.Contains(o.Addr, ":") {
		lo.Add(o.Addr+"/128", "nodad")
	} else {
		lo.Add(o.Addr + "/32")
	}
	p := s.Provider(s.ISP, o)
	p.Account("user", "s3cret-word", home, "nas."+p.Zone.Origin, "home."+p.Zone.Origin, "third."+p.Zone.Origin)
	return p
}

// start runs the daemon with the configuration.
func (s *site) start(config string) {
	s.t.Helper()
	s.d = s.Router.Daemon(binary, config, noExitSleep)
	s.t.Cleanup(s.noRace)
	s.started()
}

// started waits until the daemon answers commands.
func (s *site) started() {
	s.t.Helper()
	s.d.WaitLog(s.t.Context(), " started with ")
}

// prepare makes the configuration for commands and a start later on.
func (s *site) prepare(config string) {
	s.t.Helper()
	s.d = s.Router.Prepare(binary, config, noExitSleep)
}

func (s *site) noRace() {
	if s.d.Process != nil && strings.Contains(s.d.Output(), "DATA RACE") {
		s.t.Errorf("the race detector found something:\n%s", s.d.Output())
	}
}

// account is a [provider.NAME] of type dyn for the provider.
func account(name string, p *lab.Provider, more ...string) string {
	text := fmt.Sprintf("[provider.%s]\ntype = \"dyn\"\nusername = \"user\"\npassword = \"s3cret-word\"\nserver = %q\n", name, p.URL)
	if p.CA == nil {
		text += "insecure_http = true\n"
	}
	return text + lines(more)
}

// record is a [[record]]; more are lines of it.
func record(hostname, provider string, more ...string) string {
	return fmt.Sprintf("[[record]]\nhostname = %q\nprovider = %q\n", hostname, provider) + lines(more)
}

func lines(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.Join(list, "\n") + "\n"
}

const (
	onWAN = "[source.wan]\ninterface = \"wan\"\n" // the source names its device
	v6    = `families = ["ipv6"]`
	both  = `families = ["ipv4", "ipv6"]`
)

// plain is one account with one record, of type dyn.
func (s *site) plain(more ...string) string {
	return account("dyn", s.p) + record(home, "dyn", more...)
}

// tls is a [daemon] table that trusts the provider.
func trusting(p *lab.Provider) string {
	return fmt.Sprintf("[daemon]\nstate_dir = \"$DIR/state\"\nsocket = \"$DIR/socket\"\nca_file = %q\n", p.CA.File)
}

// online gives the WAN this IPv4 address alone, and the default route.
func (s *site) online(addr string) {
	s.t.Helper()
	s.WAN.Flush(4)
	s.WAN.Add(addr + "/24")
	s.WAN.DefaultVia(gateway)
}

// bare gives the WAN a default route that stays when addresses go; packets
// that are bound to no other address have one that is not the WAN's.
func (s *site) bare() {
	s.t.Helper()
	s.WAN.Add("11.22.99.200/32", "scope", "link")
	s.Router.Link("lo").Add("11.22.98.1/32")
	s.WAN.DefaultVia(gateway, "onlink", "src", "11.22.98.1")
	s.ISP.IP("route", "add", "11.22.98.1", "dev", "isp0")
}

// expect waits for the request with the address; none may come before it.
func (s *site) expect(addr string) *lab.Request {
	s.t.Helper()
	before, r := s.p.Until(s.t.Context(), lab.Says(addr))
	for _, b := range before {
		s.t.Errorf("request before the one for %s: %s", addr, b.URL)
	}
	return r
}

// published waits for the log line that says so, since the start or Mark.
func (s *site) published(addr string) lab.Line {
	s.t.Helper()
	return s.d.WaitLog(s.t.Context(), addr+" published at ")
}

// settled is expect and published: the provider has the address and the daemon
// knows.
func (s *site) settled(addr string) *lab.Request {
	s.t.Helper()
	r := s.expect(addr)
	s.published(addr)
	return r
}

// record waits until the status of a record is as wanted.
func (s *site) record(hostname, family, what string, good func(lab.RecordStatus) bool) lab.RecordStatus {
	s.t.Helper()
	var r lab.RecordStatus
	eventually(s.t, what, func() bool {
		r, _ = status(s.t, s.d).Record(hostname, family)
		return good(r)
	})
	return r
}

// state waits until a record is in a state.
func (s *site) state(hostname, family, state string) lab.RecordStatus {
	s.t.Helper()
	return s.record(hostname, family, hostname+" "+family+" is "+state, func(r lab.RecordStatus) bool { return r.State == state })
}

// eventually is for what sends no event: files and answers of commands.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// statePath is the file that outlives a restart.
func (s *site) statePath() string { return filepath.Join(s.d.Dir, "state", "state.json") }

// saved waits until the state file has the address.
func (s *site) saved(addr string) {
	s.t.Helper()
	eventually(s.t, addr+" is saved", func() bool {
		text, _ := os.ReadFile(s.statePath())
		return strings.Contains(string(text), `"`+addr+`"`)
	})
}

// since is the time from an instant to another.
func since(from, to lab.Instant) time.Duration { return time.Duration(to - from) }

// savedText says whether the state file has the text in it.
func (s *site) savedText(text string) bool {
	content, _ := os.ReadFile(s.statePath())
	return strings.Contains(string(content), text)
}
