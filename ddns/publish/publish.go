// Package publish decides when an address is published, and does so once.
//
// [Core] is the reconciler: a state machine over values that compares what is
// wanted with what each provider last accepted, and keeps every promise of
// being a good client: back-off, the providers' own waits, blocks, limits, one
// request per record at a time. It has no clock, socket or file; time comes in
// as an argument. [Loop] is the thin edge around it: one goroutine that owns
// the Core, feeds it snapshots of the kernel's view and outcomes of requests,
// runs the requests beside it and saves the state. [Store] is the file.
//
// Start with [NewLoop] to run it, with [NewCore] to understand it.
package publish

import (
	"context"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// Key names one address record: a name and a family at one provider. The same
// name at two providers is two records.
type Key struct {
	Hostname string
	Provider string
	Family   config.Family
}

// Label says which of a name's records it is, in one word.
func (k Key) Label() string {
	if k.Family == 0 {
		return "alias"
	}
	return k.Family.String()
}

// Record is one address record to keep published.
type Record struct {
	Key
	Source       string
	Fallbacks    []string // sources to use where Source has no address or no way out, in order of preference
	All          bool     // the addresses of all these sources are published, not of the first one
	TTL          time.Duration
	Force        time.Duration // re-send an unchanged address this often; 0: never
	Enabled      bool
	OnChange     []string // argv
	RemoveOnExit bool
	Identity     string // changes when the name, the account or the TTL does
}

// Account is one [provider.NAME] of the configuration, ready to be used.
type Account struct {
	Name     string
	Bind     string // device that every request leaves through; "": the source's
	Identity string // changes when anything in the table does
	Provider Provider

	Unverifiable string // why the DNS cannot confirm what is published; "": it can
}

// Provider is what publishing needs of a provider.
type Provider interface {
	// Limits gives the provider's own pace.
	Limits() provider.Limits
	// Group says which updates share a request, by index.
	Group([]provider.Update) [][]int
	// Send makes one request for one group; one outcome per update.
	Send(context.Context, provider.Origin, []provider.Update) []provider.Outcome
	// Remove takes the records away, where the protocol can.
	Remove(context.Context, provider.Origin, []provider.Update) []provider.Outcome
}

// State is what the user is told about a record, in one word.
type State string

// The states of a record.
const (
	Waiting   State = "waiting"   // no address; the last published one stands
	Pending   State = "pending"   // due, held by a limit or by another request
	Updating  State = "updating"  // a request is under way
	Published State = "published" // the provider has the wanted address
	Retrying  State = "retrying"  // failed; next attempt is scheduled
	Blocked   State = "blocked"   // refused; needs the user
	Disabled  State = "disabled"
)

// Pace of requests. Waits that a provider names are in its catalogue file.
const (
	// The first change after a quiet while goes out at once. A link that
	// flaps is then told again when it has been steady for a moment, and at
	// the latest after settle, with what holds by then.
	settle = 2 * time.Second
	steady = 500 * time.Millisecond

	// After a change of the way out, an attempt that never reached the
	// provider (no route yet, resolver not ready, connection refused) is
	// repeated at this pace for this long, before back-off begins.
	quickRetry  = time.Second
	quickPeriod = 30 * time.Second

	networkBackoff    = 5 * time.Second
	networkBackoffMax = 15 * time.Minute

	unknownBackoff    = 30 * time.Second
	unknownBackoffMax = 30 * time.Minute

	refusalWaitMax = 6 * time.Hour   // doubling of servererror and toomany
	tooManyDefault = 5 * time.Minute // when neither the reply nor the provider names a wait

	endpointTries = 3 // "not found" on the update URL before the record is blocked

	parallel = 4 // requests of one account at a time, once one has succeeded

	remindAfter = time.Hour // a repeated failure is logged again this late
)
