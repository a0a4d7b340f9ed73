// Package lab is wanbeacon's test laboratory: a router, its provider of
// internet access and the world behind it in network namespaces, with real
// servers in them (DHCP, router advertisements, a dynamic-DNS provider with
// its authoritative name server), and the real wanbeacon binary on the router.
// Nothing in it is a mock: sockets, kernel events and processes are real. It
// is for tests, the demo and the benchmark; it is never linked into wanbeacon.
//
// Start with New:
//
//	func TestMain(m *testing.M) { lab.Main(m) }
//
//	func TestFollowsTheWAN(t *testing.T) {
//		l := lab.New(t)
//		l.ISPLink.Add("11.22.33.1/24")
//		p := l.Provider(l.ISP, lab.ProviderOptions{Zone: "dyn.test", Addr: "11.22.33.1"})
//		l.Resolver(l.Router, "127.0.0.1", nil, p.Zone)
//		p.Account("user", "secret", "home.dyn.test")
//		l.WAN.Add("11.22.33.7/24")
//		l.WAN.DefaultVia("11.22.33.1")
//		d := l.Router.Daemon(binary, config)
//		r := p.NextRequest(t.Context())
//		...
//	}
//
// Nothing leaves the namespaces, so any address can be used in them. What
// wanbeacon shall publish has to look public: 11.22.33.0/24 and 2a00:db8::/32
// here, as documentation and benchmarking ranges need allow_private.
//
// # Root or not
//
// As root it runs as it is. Without root, Main starts the test binary again
// as root of a user namespace of its own. By hand the same is
//
//	unshare --user --map-root-user --net --mount \
//		sh -c 'mount -t tmpfs tmpfs /run && ip link set lo up && exec go test ./...'
//
// The tmpfs is for /run/netns, where `ip netns` bind-mounts what it makes. A
// tun device needs /dev/net/tun readable and writable by the user.
//
// # Cleaning up
//
// Namespaces are named wb-PID-N-ROLE. They go at the end of the test, and each
// New removes those of processes that are no more. Every process started in a
// namespace dies with the process that started it, even by SIGKILL, because it
// is started by a thread that lives as long as the namespace (PR_SET_PDEATHSIG);
// whatever else is in a namespace is killed before it is removed.
//
// # Showing that nothing was sent
//
// Waiting for a while proves little and costs time. Use a sentinel: after the
// event that must not cause a request, cause one that must, and look at what
// came before it:
//
//	l.WAN.Add("10.1.2.3/24")                   // must not be published
//	l.WAN.Add("11.22.33.8/24")                 // must be: the sentinel
//	before, _ := p.Until(ctx, lab.Says("11.22.33.8"))
//	if len(before) != 0 { ... }
//
// The kernel hands both events to wanbeacon in order, on one socket, so the
// request for the sentinel cannot leave before the decision about the first.
// Where the cause is no kernel event (a reload, a restart) do the same with an
// address change after it. Provider.NoRequestWithin is for the rest: it fails
// at the very request, but passes only after the full time.
package lab
