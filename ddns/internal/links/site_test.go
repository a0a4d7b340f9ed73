package links

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// binary is wanbeacon.
var binary string

func TestMain(m *testing.M) {
	if os.Getenv("WANBEACON_LINKS") != "1" {
		fmt.Println("NOT RUN: needs a kernel with all kinds of links; `make test-links` boots one (WANBEACON_LINKS=1)")
		return
	}
	dir, err := os.MkdirTemp("", "wanbeacon-links-")
	if err == nil {
		binary, err = lab.Build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// patience is of an emulated machine.
const patience = 3 * time.Minute

const (
	gateway = "11.22.33.1"
	server  = "45.67.89.1" // the provider's; reached by the default route only
	server6 = "2a00:db8:99::1"
	home    = "home.dyn.test"
	onWAN   = "[source.wan]\ninterface = \"wan\"\n"
)

// site is a laboratory with a provider behind the ISP.
type site struct {
	*lab.Lab
	t   *testing.T
	ctx context.Context // ends with our patience
	p   *lab.Provider
	d   *lab.Daemon
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteAt(t, server)
}

// newSiteAt has the provider at one of its addresses.
func newSiteAt(t *testing.T, server string) *site {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	s := &site{Lab: lab.New(t), t: t, ctx: ctx}
	s.ISPLink.Add(gateway + "/24")
	// Nobody answers on the wire for what is behind the ISP.
	s.ISP.Sysctl("net/ipv4/conf/all/arp_ignore", "1")
	s.ISP.Link("lo").Add(netip.PrefixFrom(netip.MustParseAddr(server), netip.MustParseAddr(server).BitLen()).String())
	s.p = s.Provider(s.ISP, lab.ProviderOptions{Addr: server})
	s.p.Account("user", "s3cret-word", home)
	s.Resolver(s.Router, "127.0.0.1", nil, s.p.Zone)
	return s
}

// start runs the daemon with a source of this text; more are lines of the record.
func (s *site) start(source string, more ...string) {
	s.t.Helper()
	s.d = s.Router.Daemon(binary, source+fmt.Sprintf(
		"[provider.dyn]\ntype = \"dyn\"\nusername = \"user\"\npassword = \"s3cret-word\"\nserver = %q\ninsecure_http = true\n"+
			"[[record]]\nhostname = %q\nprovider = \"dyn\"\n", s.p.URL, home)+strings.Join(append(more, ""), "\n"))
	s.d.WaitLog(s.ctx, " started with ")
}

// settled waits until the provider has the address, by the next request that
// it gets at all, and the daemon knows.
func (s *site) settled(addr string) *lab.Request {
	s.t.Helper()
	before, r := s.p.Until(s.ctx, lab.Says(addr))
	for _, b := range before {
		s.t.Errorf("request before the one for %s: %s", addr, b.URL)
	}
	s.d.WaitLog(s.ctx, addr+" published at dyn")
	return r
}

// online gives a device this IPv4 address alone, and the default route.
func (s *site) online(k *lab.Link, addr string, route ...string) {
	s.t.Helper()
	k.Flush(4)
	k.Add(addr + "/24")
	k.DefaultVia(gateway, route...)
}

// candidate is one line of `addresses -json`.
type candidate struct {
	Address, Interface, Tunnel, Reason string
	Taken                              bool
}

// candidates are all addresses of a source, by address and length.
func (s *site) candidates(source string) map[string]candidate {
	s.t.Helper()
	r := s.d.Command("addresses", "-json")
	var told struct {
		Sources []struct {
			Name       string
			Candidates []candidate
		}
	}
	if err := json.Unmarshal([]byte(r.Stdout), &told); err != nil || r.Status != 0 {
		s.t.Fatalf("addresses: exit %d, %v\n%s%s", r.Status, err, r.Stdout, r.Stderr)
	}
	all := map[string]candidate{}
	for _, src := range told.Sources {
		for _, c := range src.Candidates {
			if src.Name == source {
				all[c.Address] = c
			}
		}
	}
	return all
}
