// Package witness says what the world's DNS answers about a name.
//
// It finds the delegation of a name from the root down, asks each
// authoritative server directly, and judges what they say against what was
// published. It believes no cache: a resolver is asked only where outgoing DNS
// is blocked or redirected, and the verdict then says that it is weaker. It
// publishes nothing, keeps no file and has no clock.
//
// Two plain functions do the work. [Check.Run] collects [Facts] through an
// [Asker], with a bounded number of questions; [Judge] makes a [Verdict] of
// them. [Net] is the Asker of real sockets.
//
//	facts := check.Run(ctx, &witness.Net{})
//	verdict, note := witness.Judge(facts, expected)
package witness

import (
	"net/netip"
	"strings"
	"time"
)

// Verdict is what verification says about a record, in one word.
type Verdict string

// The verdicts.
const (
	OK           Verdict = "ok"           // every authoritative server that answers gives what was published
	Pending      Verdict = "pending"      // published less than the provider's usual delay ago
	Stale        Verdict = "stale"        // servers of the usual delegation give an older value of ours
	Dark         Verdict = "dark"         // the name does not resolve
	Diverted     Verdict = "diverted"     // other servers than before, or a value that was never ours
	Unverifiable Verdict = "unverifiable" // nothing can be said; the reason is given
)

// Bad reports whether a verdict is an alarm: the world does not reach us.
func (v Verdict) Bad() bool { return v == Dark || v == Diverted }

// Delegation is a zone and the names of the servers that its parent names,
// sorted, without the last dot.
type Delegation struct {
	Zone    string
	Servers []string
}

// Equal reports whether two delegations are of the same servers.
func (d Delegation) Equal(other Delegation) bool {
	return d.Zone == other.Zone && strings.Join(d.Servers, " ") == strings.Join(other.Servers, " ")
}

// String is "example.org: ns1.example.net ns2.example.net".
func (d Delegation) String() string { return zoneName(d.Zone) + ": " + strings.Join(d.Servers, " ") }

// Facts are what one check found.
type Facts struct {
	// Parent is the delegation of the zone that answers for the name, as the
	// zone's parent has it. Child is the zone's own set of servers; nil: it was
	// not asked for, or no server told.
	Parent Delegation
	Child  []string
	Above  Above

	// Chain are the names that CNAME and DNAME led to, in order. Broken says
	// why the chain cannot be followed to its end.
	Chain  []string
	Broken string

	// Servers are those of Zone, the one at the end of the chain, each with
	// what it said; in a light check only one.
	Zone    string
	Servers []Server

	// Resolver is who was asked in place of the authoritative servers; "":
	// nobody. Why tells the reason: outgoing DNS is blocked, or redirected.
	Resolver string
	Why      string

	Queries int // questions asked
	Light   bool
}

// Above is the zone's parent and where its servers are.
type Above struct {
	Zone  string
	Addrs []netip.AddrPort
}

// Server is one authoritative server, or a resolver, and what it said.
type Server struct {
	Name   string // "" for a resolver
	Addr   netip.AddrPort
	Said   Reply
	Values []string // addresses as text, or names without the last dot; with Values only
	Detail string   // for people, where Said is not enough
}

// Reply is the kind of a server's answer.
type Reply uint8

// The kinds of answers.
const (
	Silent    Reply = iota // no answer within the time, or a connection refused
	Values                 // it gives what was asked for
	NoData                 // the name is there, without such a record
	NoName                 // there is no such name
	ServFail               // the server cannot tell
	Refused                // the server does not want to tell
	Lame                   // it does not say that it has authority, or leads elsewhere
	Garbage                // what it says makes no sense
	NoAddress              // the server's own name has no address
	Unasked                // the check had no more questions to spend
)

var replies = [...]string{"no answer", "an answer", "no such record", "no such name", "SERVFAIL", "REFUSED",
	"no authority (lame)", "a broken answer", "no address", "not asked"}

func (r Reply) String() string { return replies[r] }

// Expected is what is known about a record before the check.
type Expected struct {
	Want  string   // what was published, as a server's Values have it; of several, with blanks between them
	Older []string // what was published before
	Whole bool     // nothing that was published before may be beside it

	// Known is the delegation last seen good; the zero one: none yet.
	Known Delegation

	Age   time.Duration // since the publication
	Delay time.Duration // the provider's usual one

	Unverifiable string // why the DNS cannot tell; "": it can
}

// zoneName shows a zone to people.
func zoneName(zone string) string {
	if zone == "" {
		return "the root"
	}
	return zone
}
