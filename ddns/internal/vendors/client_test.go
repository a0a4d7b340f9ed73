package vendors

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// version is what our User-Agent says.
const version = "1.2.3"

// client is wanbeacon's side: a configuration with one account.
type client struct {
	*provider.Provider
	t       *testing.T
	records []config.Record
	current map[string]netip.Addr // by hostname and family: published
	vendor  *vendor
}

// configure reads a configuration as a user writes it.
func configure(t *testing.T, v *vendor, text string) *client {
	t.Helper()
	cfg, err := config.Parse("config.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	cat, broken := provider.Open("")
	if len(broken) > 0 {
		t.Fatal(broken)
	}
	account := cfg.Providers[0]
	def, err := cat.Lookup(account.Type)
	if err != nil {
		t.Fatal(err)
	}
	p, problems := provider.New(def, account, provider.Options{Version: version, CAFile: web.caFile, Timeout: 10 * time.Second})
	if len(problems) > 0 {
		t.Fatalf("configuration refused: %v", problems)
	}
	for _, r := range cfg.Records {
		if err := p.CheckHost(r.Hostname); err != nil {
			t.Fatal(err)
		}
	}
	return &client{p, t, cfg.Records, map[string]netip.Addr{}, v}
}

// sender is Provider.Send or Provider.Remove.
type sender func(context.Context, provider.Origin, []provider.Update) []provider.Outcome

// publish sends addresses for every record that has their family, as the
// publisher does, and returns the outcomes in the order of the records, IPv4
// first.
func (c *client) publish(addrs ...string) []provider.Outcome {
	c.t.Helper()
	return c.each(c.updates(addrs), c.Send)
}

// remove takes addresses away.
func (c *client) remove(addrs ...string) []provider.Outcome {
	c.t.Helper()
	outcomes := c.each(c.updates(addrs), c.Remove)
	clear(c.current)
	return outcomes
}

func (c *client) updates(addrs []string) []provider.Update {
	c.t.Helper()
	var updates []provider.Update
	for _, r := range c.records {
		for _, text := range addrs {
			addr := netip.MustParseAddr(text)
			f := config.FamilyOf(addr)
			if !slices.Contains(r.Families, f) {
				continue
			}
			if !c.Supports(f) {
				c.t.Fatalf("%v is not supported", f)
			}
			u := provider.Update{Hostname: r.Hostname, Family: f, Addr: addr, TTL: r.TTL}
			other := config.IPv4 + config.IPv6 - f
			u.Other = c.current[r.Hostname+other.String()]
			if last := c.current[r.Hostname+f.String()]; last.IsValid() {
				u.Published = []netip.Addr{last}
			}
			updates = append(updates, u)
		}
	}
	return updates
}

// each makes the groups of updates into requests.
func (c *client) each(updates []provider.Update, act sender) []provider.Outcome {
	outcomes := make([]provider.Outcome, len(updates))
	for _, group := range c.Group(updates) {
		members := make([]provider.Update, len(group))
		for i, j := range group {
			members[i] = updates[j]
		}
		for i, o := range act(c.t.Context(), provider.Origin{}, members) {
			outcomes[group[i]] = o
			if o.Class.Done() {
				c.current[members[i].Hostname+members[i].Family.String()] = members[i].Addr
			}
		}
	}
	return outcomes
}

// wants publishes and compares the outcomes: one class for all, or one each.
func (c *client) wants(classes []provider.Class, addrs ...string) {
	c.t.Helper()
	c.compare(c.publish(addrs...), classes)
}

func (c *client) compare(outcomes []provider.Outcome, classes []provider.Class) {
	c.t.Helper()
	if len(outcomes) == 0 {
		c.t.Error("nothing was sent")
	}
	for i, o := range outcomes {
		if want := classes[min(i, len(classes)-1)]; o.Class != want {
			c.t.Errorf("outcome %d: %s (%s), want %s", i+1, o.Class, o.Text, want)
		}
	}
}

// calls is how many requests the vendor got since the last time.
func (c *client) calls(want int) {
	c.t.Helper()
	if calls := c.vendor.take(); len(calls) != want {
		c.t.Errorf("%d requests, want %d:", len(calls), want)
		for _, call := range calls {
			c.t.Logf("%v", call)
		}
	}
}

// One class for all updates.
var (
	updated   = []provider.Class{provider.Updated}
	unchanged = []provider.Class{provider.Unchanged}
	badAuth   = []provider.Class{provider.BadAuth}
	noHost    = []provider.Class{provider.NoHost}
)
