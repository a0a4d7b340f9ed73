// Package seizure is the world in which a provider's zone is taken away: a
// root, two top-level domains, two dynamic-DNS providers and a user's own zone
// at real name servers of several makes, servers that are not what they pretend
// to be, and a resolver in a neutral place. It re-enacts what happened to the
// users of No-IP on 30 June 2014. The tests here and `make demo-seizure` use
// it; it is never linked into wanbeacon.
//
//	w := seizure.New(tb)
//	w.Online("11.22.33.7")
//	d := w.Start(binary, seizure.Pace{Interval: "4s", FailAfter: "6s", ReturnAfter: "6s"})
//	w.Delegate(seizure.Seized) // the registry moves A's zone
//	w.Neutral.Look(seizure.Alias)
//
// Provider A (dyndns2) has its zone dyn.net at five servers: four addresses of
// a BIND, and a Knot. Provider B (the protocol of Duck DNS) has duckdns.org at
// a Knot. The user's zone example.org is at another BIND that takes updates
// with a TSIG key. Root: Knot. The top-level domains net and org: NSD.
package seizure

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// The names that are published.
const (
	HomeA  = "home.dyn.net"
	Office = "office.dyn.net" // at A, too
	HomeB  = "home.duckdns.org"
	Alias  = "home.example.org"
)

// Where things are.
const (
	gateway  = "11.22.33.1"
	root     = "45.67.89.10"
	tld      = "45.67.89.11"
	most     = "45.67.89.21 45.67.89.22 45.67.89.23 45.67.89.24" // of A's servers
	fifth    = "45.67.89.25"                                     // A's, of another make
	serverB  = "45.67.89.41"
	frontA   = "45.67.89.61"
	frontB   = "45.67.89.62"
	own      = "45.67.89.71"
	resolver = "45.67.89.53" // the ISP's
	liar     = "45.67.89.54" // gives one address to every name
	poser    = "45.67.89.55" // asks the ISP's, and claims authority
	neutral  = "45.67.90.2"
	patient  = "45.67.90.3"

	// Sinkhole is what the new servers answer when they answer one address to
	// everything.
	Sinkhole = "45.67.91.99"
)

var seizers = []string{"45.67.89.31", "45.67.89.32"}

const secret = "c2VjcmV0IG9mIHRoZSByb3V0ZXIsIDMyIGJ5dGVzLi4="

// keep is how long the neutral resolver keeps what it was told.
const keep = 5 * time.Second

// World is all of it.
type World struct {
	*lab.Lab
	A, B    *lab.Provider
	Seizers []*lab.NameServer // who the zone is moved to
	Neutral *lab.Recursor     // where people are who want to reach the user
	Patient *lab.Recursor     // keeps what it was told for as long as that may be kept
	ISPs    *lab.Recursor     // the router's, when asked for it
	Daemon  *lab.Daemon

	top      *lab.Authority
	serversA []*lab.Authority // four addresses, and the fifth
	serverB  *lab.Authority
	local    *lab.NameServer
	serial   int
	front    front
}

// New makes the world. The router has no address yet.
func New(tb lab.TB) *World {
	tb.Helper()
	w := &World{Lab: lab.New(tb), serial: 1}
	w.ISPLink.Add(gateway + "/24")
	world := w.World()
	w.ISP.Link("core0").Add("45.67.89.1/24")
	net := world.Link("net0")
	addrs := append(strings.Fields(most), append(seizers, root, tld, fifth, serverB, frontA, frontB, own, resolver, liar, poser)...)
	for _, addr := range addrs {
		net.Add(addr + "/24")
	}
	net.DefaultVia("45.67.89.1")
	w.authorities(world)
	for _, addr := range seizers {
		w.Seizers = append(w.Seizers, w.NameServer(world, addr))
	}
	w.fronts(world)

	away := w.Namespace("neutral")
	here, there := w.Wire(away, "eth0", world, "neutral0")
	there.Add("45.67.90.1/24")
	here.Add(neutral + "/24")
	here.Add(patient + "/24")
	here.DefaultVia("45.67.90.1")
	w.Neutral = away.Recursor(neutral, root, keep)
	w.Patient = away.Recursor(patient, root, time.Hour)
	w.ISPs = world.Recursor(resolver, root, keep)
	world.Liar(liar, Sinkhole)
	w.NameServer(world, poser).Handle(w.pose)
	return w
}

func soa(serial int) string {
	return fmt.Sprintf("$TTL 5\n@ IN SOA ns hostmaster %d 3600 600 86400 2\n", serial)
}

// authorities starts the name servers that are what they seem.
func (w *World) authorities(world *lab.Namespace) {
	world.Authority("Knot", root, map[string]lab.AuthorityZone{".": {Text: soa(1) + "@ IN NS a.root\na.root IN A " + root +
		"\nnet IN NS ns.net.\norg IN NS ns.net.\nns.net. IN A " + tld + "\n"}})
	w.top = world.Authority("NSD", tld, map[string]lab.AuthorityZone{
		"net": {Text: soa(1) + "@ IN NS ns\nns IN A " + tld + "\n" + Usual},
		"org": {Text: soa(1) + "@ IN NS ns.net.\nduckdns IN NS ns1.duckdns\nns1.duckdns IN A " + serverB + "\nexample IN NS ns.example\nns.example IN A " + own + "\n"},
	})
	zoneA := soa(1)
	for i, addr := range append(strings.Fields(most), fifth) {
		zoneA += fmt.Sprintf("@ IN NS ns%d\nns%d IN A %s\n", i+1, i+1, addr)
	}
	w.serversA = []*lab.Authority{
		world.Authority("BIND", most, map[string]lab.AuthorityZone{"dyn.net": {Text: zoneA, Updates: true}}),
		world.Authority("Knot", fifth, map[string]lab.AuthorityZone{"dyn.net": {Text: zoneA, Updates: true}}),
	}
	w.serverB = world.Authority("Knot", serverB, map[string]lab.AuthorityZone{"duckdns.org": {Text: soa(1) + "@ IN NS ns1\nns1 IN A " + serverB + "\n", Updates: true}})
	world.Authority("BIND", own, map[string]lab.AuthorityZone{"example.org": {Text: soa(1) + "@ IN NS ns\nns IN A " + own + "\n", Key: secret}})
}

// Delegations of A's zone in its top-level domain.
var (
	Usual  = delegation("dyn", append(strings.Fields(most), fifth))
	Seized = delegation("seized", seizers)
)

// delegation is one to servers ns1.ZONE.net and so on.
func delegation(zone string, addrs []string) string {
	text := ""
	for i, addr := range addrs {
		text += fmt.Sprintf("dyn IN NS ns%d.%s\nns%d.%s IN A %s\n", i+1, zone, i+1, zone, addr)
	}
	return text
}

// Delegate is what a registry does to A's zone.
func (w *World) Delegate(to string) {
	w.Helper()
	w.serial++
	w.top.Rewrite("net", soa(w.serial)+"@ IN NS ns\nns IN A "+tld+"\n"+to)
}

// Online gives the router this address alone.
func (w *World) Online(addr string) {
	w.Helper()
	w.WAN.Flush(4)
	w.WAN.Add(addr + "/24")
	w.WAN.DefaultVia(gateway)
}

// BlockDNS is what some ISPs do: no name server can be reached from the router,
// and, if the resolver goes too, nobody at all. It returns the way back.
func (w *World) BlockDNS(addrs ...string) (unblock func()) {
	w.Helper()
	for _, addr := range addrs {
		w.Router.IP("route", "add", "blackhole", addr)
	}
	return func() {
		w.Helper()
		for _, addr := range addrs {
			w.Router.IP("route", "del", "blackhole", addr)
		}
	}
}

// RedirectDNS is what other ISPs do: whoever the router asks, their own
// resolver answers. It returns the way back.
func (w *World) RedirectDNS(to string) (back func()) {
	w.Helper()
	w.ISP.Run("nft", fmt.Sprintf(`table ip seizure { chain prerouting { type nat hook prerouting priority -100;
 iifname != "core0" udp dport 53 dnat to %s; iifname != "core0" tcp dport 53 dnat to %s; }; }`, to, to))
	return func() {
		w.Helper()
		w.ISP.Run("nft", "delete table ip seizure")
	}
}

// Liar is the address of a resolver that gives the Sinkhole to every name.
func Liar() string { return liar }

// Poser is the address of a resolver that pretends to be whom it is asked for.
func Poser() string { return poser }

// Own is the address of the user's own name server.
func Own() string { return own }

// NameServers are the addresses of all authoritative servers.
func NameServers() []string {
	return append(strings.Fields(most), fifth, root, tld, serverB, own)
}

// Resolver is that of the router's ISP.
func Resolver() string { return resolver }

// Pace is how fast the clock of the configuration goes.
type Pace struct{ Interval, FailAfter, ReturnAfter string }

// definition is provider A's: it is quick, so that what takes it minutes in the
// world takes seconds here.
const definition = `title = "A"
family = "dyndns2"
docs = ["https://a.example/"]
[url]
ipv4 = "https://members.dyn.net/nic/update?hostname={hostnames}&myip={ipv4}"
[request]
auth = "basic"
[hosts]
list = true
[dns]
delay = "2s"
[limits]
server_error_wait = "2s"
[[field]]
key = "username"
label = "User name"
required = true
[[field]]
key = "password"
label = "Password"
secret = true
required = true
[sample]
hostname = "home.dyn.net"
config = { username = "u", password = "p" }
`

// Start starts the daemon, and makes it publish HomeA, Office and HomeB, and
// keep Alias. What is notified goes into a file, one line an event.
func (w *World) Start(binary string, p Pace, env ...string) {
	w.Helper()
	config := fmt.Sprintf(`[daemon]
state_dir = "$DIR/state"
socket = "$DIR/socket"
providers_dir = "$DIR/providers.d"

[provider.a]
username = "user"
password = "s3cret-word"
server = %q
insecure_http = true

[provider.b]
type = "duckdns"
token = "t0ken-word"
server = %q
insecure_http = true

[provider.own]
type = "rfc2136"
server = "%s:53"
zone = "example.org"
key_name = %q
key_secret = %q

[[record]]
hostname = %q
provider = "a"

[[record]]
hostname = %q
provider = "a"

[[record]]
hostname = %q
provider = "b"

[[alias]]
hostname = %q
provider = "own"
targets = [%q, %q]
fail_after = %q
return_after = %q

[verify]
interval = %q
roots = [%q]

[notify]
command = ["/bin/sh", "-c", "cat >>$DIR/notified"]
`, w.A.URL, w.B.URL, own, lab.UpdateKey, secret, HomeA, Office, HomeB, Alias, HomeA, HomeB, p.FailAfter, p.ReturnAfter, p.Interval, root)
	w.Daemon = w.Router.Prepare(binary, config, env...)
	dir := filepath.Join(w.Daemon.Dir, "providers.d")
	err := os.Mkdir(dir, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "a.toml"), []byte(definition), 0o644)
	}
	if err != nil {
		w.Fatalf("seizure: %v", err)
	}
	w.Daemon.Start()
}
