package provider

import (
	"net/netip"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// Class says what an answer, or the lack of one, means for what comes next.
type Class string

// The classes. The permanent ones are final until the user changes something.
const (
	Updated     Class = "updated"      // done: the provider stored the address
	Unchanged   Class = "unchanged"    // done: it had that address already
	BadAuth     Class = "badauth"      // permanent: user, password or token is wrong
	NoHost      Class = "nohost"       // permanent: not a hostname of this account
	NotFQDN     Class = "notfqdn"      // permanent: not a full hostname
	Abuse       Class = "abuse"        // permanent: the provider has blocked the host
	BadAgent    Class = "badagent"     // permanent: the provider refuses this program
	PaidFeature Class = "paid-feature" // permanent: the account does not include this
	WrongOwner  Class = "wrong-owner"  // permanent: the hostname is somebody else's
	InvalidIP   Class = "invalid-ip"   // permanent: the provider refuses the address
	BadRequest  Class = "badrequest"   // permanent: the provider does not understand the request
	ServerError Class = "servererror"  // passing: the provider's own fault
	TooMany     Class = "toomany"      // passing: too many requests
	Network     Class = "network"      // passing: no complete answer came
	Unknown     Class = "unknown"      // passing: an answer that nobody knows
)

// errorClasses are the classes that reply patterns may name, besides Updated
// and Unchanged, in the order in which they are tried.
var errorClasses = []Class{
	BadAuth, Abuse, BadAgent, PaidFeature, WrongOwner, NotFQDN, NoHost,
	InvalidIP, BadRequest, TooMany, ServerError,
}

// Done reports whether the provider now has the address.
func (c Class) Done() bool { return c == Updated || c == Unchanged }

// Permanent reports whether the same request would fail again until the
// configuration, or something at the provider's, has been changed.
func (c Class) Permanent() bool {
	switch c {
	case BadAuth, NoHost, NotFQDN, Abuse, BadAgent, PaidFeature, WrongOwner, InvalidIP, BadRequest:
		return true
	}
	return false
}

// Outcome is what became of one update.
type Outcome struct {
	_     [0]func() // never compared: == would be code
	Class Class

	// Text is the peer's words, quoted, or our own: one line of at most 200
	// characters, control characters escaped, never a secret.
	Text string

	// Wait is how long nothing more may be sent for this record, or, with
	// Account, for this account. 0: neither peer nor catalogue named a time.
	Wait time.Duration

	Account  bool   // holds for every record of the account
	Warning  string // for the user, beside a success: as Text
	Sent     bool   // bytes of the request may have reached the peer
	NoPath   bool   // with Network: no route, no source address yet, or the name did not resolve
	Pretend  bool   // nothing was sent, only looked at: a dry run
	Partly   bool   // with a failure: some of several addresses may have been written, or taken away
	Endpoint bool   // with Unknown: 404, the update URL itself is probably wrong
}

// Update is one address to publish, or, for Remove, to take away.
type Update struct {
	_        [0]func()     // never compared: == would be code
	Hostname string        // in lower case, no trailing dot; may begin with "*."
	Family   config.Family // of Addr
	Addr     netip.Addr
	TTL      time.Duration // 0: the provider's default

	// More are further addresses of the same record, in order, of the same
	// family: only where CanSeveral.
	More []netip.Addr

	// Published is what was published last, none if that is not known, and what
	// attempts that failed since may have left there: it tells our records from
	// others of the same name and type.
	Published []netip.Addr

	// Other is the record's current address of the other family, zero if it
	// has none, for providers that want to be told both each time.
	Other netip.Addr
}

// Origin says where packets should leave from. Its zero value leaves that to
// the kernel. It is not applied to loopback, private, unique-local and
// link-local destinations unless the account has `bind`.
type Origin struct {
	Device string     // bind the socket to this device, as with SO_BINDTODEVICE
	Addr   netip.Addr // source address, for destinations of its family

	// Unrouted: the device has no default route at present. A socket that is
	// bound to it would look for any destination on the wire and fail only
	// after seconds, so the kernel is asked for the route first.
	Unrouted bool
}
