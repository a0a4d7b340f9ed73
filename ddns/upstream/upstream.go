// Package upstream asks the router above this one for the address that it has
// outside, and listens for its notices that the address has changed.
//
// It speaks what home routers and carriers' NATs speak: NAT-PMP (RFC 6886), PCP
// (RFC 6887) and UPnP IGD 1 and 2. It believes one host alone, the gateway of
// the default route: everything from elsewhere is passed over, and a notice is
// never believed by itself but only makes it ask. It leaves no port mapping
// behind, decides nothing about what is published, and does not wake up while
// the gateway is known to announce changes, except to renew what announces them.
//
// Start with [Watch].
package upstream

import (
	"net/netip"
	"time"
)

// Gateway is the router that is asked, and where it is.
type Gateway struct {
	Device string     // kernel device that leads there
	Link   int        // the device's index
	Local  netip.Addr // our IPv4 address on it
	Addr   netip.Addr // the gateway's IPv4 address
	Addr6  netip.Addr // its link-local IPv6 address, where known: its announcements may come from there
}

// Finding is what the gateway said last.
type Finding struct {
	Addr      netip.Addr // its outside address, which may itself be private; zero: none
	By        string     // "NAT-PMP", "PCP" or "UPnP"; "" if nothing answers
	Announced bool       // the gateway's own notice led to this
	Events    bool       // the gateway is known to announce changes
	Err       error      // why there is no address
	Round     int        // how often it had been asked to look again
}

// Ports of NAT-PMP and PCP (RFC 6887 section 19), and of SSDP.
const (
	serverPort = 5351
	clientPort = 5350 // announcements; also ours for UPnP's call-backs, so that one firewall rule does
	ssdpPort   = 1900
)

// Pace of looking without a notice. The pause doubles each time.
const (
	firstPoll  = 10 * time.Second // after a start
	noticePoll = time.Second / 5  // after a notice: the address may have been on its way out
	slowPoll   = 2 * time.Minute  // at most, while no notice of the gateway has ever come through
	quietPoll  = 30 * time.Minute // at most, when one has
	absentPoll = time.Hour        // at most, while nothing answers at all
)

// nextPoll is the pause after a pause.
func nextPoll(pause time.Duration, answers, events bool) time.Duration {
	limit := slowPoll
	switch {
	case !answers:
		limit = absentPoll
	case events:
		limit = quietPoll
	}
	return min(2*pause, limit)
}
