package netwatch

import "strings"

// Flags are an address's IFA_F_* bits, all 32 of them (linux/if_addr.h).
type Flags uint32

// The bits. The lowest means Secondary for IPv4 (another address of the same
// subnet came first) and Temporary for IPv6 (RFC 8981, a privacy address).
const (
	Secondary      Flags = 1 << iota
	NoDAD                // duplicate address detection was not wanted
	Optimistic           // usable although detection still runs (RFC 4429)
	DADFailed            // another host has it
	HomeAddress          // Mobile IPv6
	Deprecated           // preferred lifetime over: not for new connections
	Tentative            // duplicate address detection still runs: not ours yet
	Permanent            // configured, or at least not bound to expire
	ManageTempAddr       // the kernel makes temporary addresses beside it
	NoPrefixRoute        // came without a route for its prefix
	MCAutoJoin
	StablePrivacy // RFC 7217

	Temporary = Secondary
)

var flagNames = [...]string{
	"secondary/temporary", "nodad", "optimistic", "dadfailed", "home", "deprecated",
	"tentative", "permanent", "mngtmpaddr", "noprefixroute", "autojoin", "stable-privacy",
}

// String gives the names that iproute2 uses, with commas between: "deprecated,permanent".
func (f Flags) String() string {
	var names []string
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}
