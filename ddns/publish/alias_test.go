package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/json"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// views is what the DNS shows and the zone that an alias is written to.
type views struct {
	mu      sync.Mutex
	says    map[string]witness.Reply // by name of a target; Values: the right answer
	blocked bool                     // no DNS leaves the router

	alias   string // what the CNAME leads to
	asked   []string
	outcome provider.Outcome
}

func (w *views) Verify(_ context.Context, k *Check) *witness.Facts {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := &witness.Facts{Parent: witness.Delegation{Zone: "example.net", Servers: []string{"ns.example.net"}}, Zone: "example.net"}
	if w.blocked {
		f.Why = "outgoing DNS is blocked"
		return f
	}
	s := witness.Server{Name: "ns.example.net", Said: w.says[k.Name], Values: []string{k.want}}
	if k.Name == "home.example.org" {
		s.Said, s.Values = witness.Values, []string{w.alias}
	}
	if s.Said != witness.Values {
		s.Values = nil
	}
	f.Servers = []witness.Server{s}
	return f
}

func (w *views) say(name string, r witness.Reply) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.says[name] = r
}

// zone is a provider that can write CNAME.
type zone struct {
	*simProvider
	w *views
}

func (z zone) SetCNAME(_ context.Context, _ provider.Origin, hostname, target string, _ time.Duration) provider.Outcome {
	z.w.mu.Lock()
	defer z.w.mu.Unlock()
	z.w.asked = append(z.w.asked, target)
	if z.w.outcome.Class.Done() {
		z.w.alias = target
	}
	return z.w.outcome
}

const (
	first  = "home.a.example.net"
	second = "home.b.example.net"
)

// withAlias runs f with an alias of two records, in virtual time.
func withAlias(t *testing.T, f func(b *bench, w *views, events func() []Event)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30 * 365 * 24 * time.Hour)
		w := &views{says: map[string]witness.Reply{first: witness.Values, second: witness.Values}, outcome: provider.Outcome{Class: provider.Updated, Text: "good"}}
		b := &bench{t: t, net: newSimNet(), log: new(quiet)}
		b.prov = newSimProvider(t, b.net, 1)
		b.prov.reply = func(string, int) (provider.Outcome, time.Duration) {
			return provider.Outcome{Class: provider.Updated, Text: "good", Sent: true}, time.Millisecond
		}
		var mu sync.Mutex
		var told []Event
		b.plan = Plan{
			Sources: []config.Source{{Name: "wan", Method: "auto", Interface: "auto"}},
			Records: []Record{
				{Key: Key{first, "p", config.IPv4}, Source: "wan", Enabled: true, Identity: "1"},
				{Key: Key{second, "p", config.IPv4}, Source: "wan", Enabled: true, Identity: "1"},
			},
			Accounts: []Account{{Name: "p", Identity: "1", Provider: b.prov}, {Name: "z", Identity: "1", Provider: zone{b.prov, w}}},
			Aliases: []Alias{{Hostname: "home.example.org", Provider: "z", Targets: []string{first, second},
				FailAfter: 5 * time.Minute, ReturnAfter: 30 * time.Minute, Identity: "1"}},
			Verify: config.Verify{Enabled: true, Interval: time.Minute}, Verifier: w,
			Messengers: []Messenger{{Name: "test", Deliver: func(_ context.Context, m []byte) error {
				mu.Lock()
				defer mu.Unlock()
				var e Event
				if err := json.Unmarshal(m, &e); err != nil {
					t.Error(err)
				}
				told = append(told, e)
				return nil
			}}},
		}
		b.net.set(v4("8.8.4.4"))
		b.start(nil)
		f(b, w, func() []Event {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			list := told
			told = nil
			return list
		})
		b.stop()
	})
}

func (w *views) mustLead(t *testing.T, to string, asked ...string) {
	t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.alias != to || !slices.Equal(w.asked, asked) {
		t.Fatalf("it leads to %q after requests for %v; want %q, %v", w.alias, w.asked, to, asked)
	}
}

func kinds(events []Event) string {
	var list []string
	for _, e := range events {
		list = append(list, e.Event+" "+e.Hostname)
	}
	return strings.Join(list, ", ")
}

func TestAliasMovesAndReturns(t *testing.T) {
	withAlias(t, func(b *bench, w *views, events func() []Event) {
		time.Sleep(time.Minute)
		w.mustLead(t, first, first)
		if got := kinds(events()); got != "" {
			t.Fatalf("events while all is well: %s", got)
		}

		w.say(first, witness.ServFail)
		time.Sleep(5 * time.Minute)
		w.mustLead(t, first, first)
		if got := kinds(events()); got != "dark "+first {
			t.Fatalf("events after the target went dark: %s", got)
		}
		time.Sleep(3 * time.Minute)
		w.mustLead(t, second, first, second)
		list := events()
		if kinds(list) != "moved home.example.org" || list[0].Target != second || list[0].OldTarget != first || !strings.Contains(list[0].Message, "SERVFAIL") {
			t.Fatalf("events after the move: %+v", list)
		}

		w.say(first, witness.Values)
		time.Sleep(30 * time.Minute)
		w.mustLead(t, second, first, second)
		if got := kinds(events()); got != "well "+first {
			t.Fatalf("events after the target is back: %s", got)
		}
		time.Sleep(3 * time.Minute)
		w.mustLead(t, first, first, second, first)

		w.say(first, witness.ServFail)
		w.say(second, witness.NoName)
		time.Sleep(24 * time.Hour)
		w.mustLead(t, first, first, second, first)
	})
}

func TestAliasStaysWhenTheDNSIsBlocked(t *testing.T) {
	withAlias(t, func(b *bench, w *views, events func() []Event) {
		time.Sleep(time.Minute)
		w.mustLead(t, first, first)
		w.mu.Lock()
		w.blocked = true
		w.mu.Unlock()
		time.Sleep(24 * time.Hour)
		w.mustLead(t, first, first)
		if got := kinds(events()); got != "" {
			t.Fatalf("events: %s", got)
		}
	})
}

func TestAliasIsMadeEvenIfNothingCanBeVerified(t *testing.T) {
	withAlias(t, func(b *bench, w *views, _ func() []Event) {
		w.mu.Lock()
		w.blocked = true
		w.mu.Unlock()
		time.Sleep(4 * time.Minute)
		w.mustLead(t, "")
		time.Sleep(2 * time.Minute)
		w.mustLead(t, first, first)
	})
}

func TestAliasSurvivesARestart(t *testing.T) {
	withAlias(t, func(b *bench, w *views, events func() []Event) {
		time.Sleep(time.Minute)
		w.say(first, witness.ServFail)
		time.Sleep(10 * time.Minute)
		w.mustLead(t, second, first, second)
		b.stop()
		b.loop.core.dirty = true
		saved, _ := b.loop.core.Saved()
		b.start(saved)
		time.Sleep(24 * time.Hour)
		w.mustLead(t, second, first, second)
	})
}

func TestAliasIsRetriedWhenItsProviderFails(t *testing.T) {
	withAlias(t, func(b *bench, w *views, _ func() []Event) {
		w.mu.Lock()
		w.outcome = provider.Outcome{Class: provider.ServerError, Text: "500"}
		w.mu.Unlock()
		time.Sleep(time.Minute)
		w.mustLead(t, "", first)
		w.mu.Lock()
		w.outcome = provider.Outcome{Class: provider.Updated, Text: "good"}
		w.mu.Unlock()
		time.Sleep(31 * time.Minute)
		w.mustLead(t, first, first, first)
	})
}

func TestAliasIsBlockedByARefusal(t *testing.T) {
	withAlias(t, func(b *bench, w *views, events func() []Event) {
		w.mu.Lock()
		w.outcome = provider.Outcome{Class: provider.BadAuth, Text: "badauth", Account: true}
		w.mu.Unlock()
		time.Sleep(24 * time.Hour)
		w.mustLead(t, "", first)
		if got := kinds(events()); got != "blocked home.example.org" {
			t.Fatalf("events: %s", got)
		}
		_, aliases, _, err := b.loop.Status(context.Background())
		if err != nil || len(aliases) != 1 || aliases[0].State != Blocked || aliases[0].Reason != "badauth" {
			t.Fatalf("status: %+v, %v", aliases, err)
		}
	})
}

func TestBlockedRecordIsToldOnceAndWhenItIsWell(t *testing.T) {
	withAlias(t, func(b *bench, w *views, events func() []Event) {
		time.Sleep(time.Minute)
		refuse := true
		b.prov.mu.Lock()
		b.prov.reply = func(string, int) (provider.Outcome, time.Duration) {
			if refuse {
				return provider.Outcome{Class: provider.NoHost, Text: "nohost", Sent: true}, time.Millisecond
			}
			return provider.Outcome{Class: provider.Updated, Text: "good", Sent: true}, time.Millisecond
		}
		b.prov.mu.Unlock()
		b.net.set(v4("8.8.8.8"))
		time.Sleep(time.Hour)
		if got := kinds(events()); strings.Count(got, "blocked "+first) != 1 || strings.Count(got, "blocked "+second) != 1 {
			t.Fatalf("events: %s", got)
		}
		b.prov.mu.Lock()
		refuse = false
		for _, k := range b.prov.keys {
			k.blocked = false // the user asks by force
		}
		b.prov.mu.Unlock()
		b.loop.Update(context.Background(), nil, true)
		time.Sleep(time.Minute)
		if got := kinds(events()); strings.Count(got, "well "+first) != 1 {
			t.Fatalf("events: %s", got)
		}
	})
}

// TestMessagesAreRepeatedAndDelayNothing has a way to the user that fails.
func TestMessagesAreRepeatedAndDelayNothing(t *testing.T) {
	for name, fails := range map[string]int{"twice": 2, "for good": 100} {
		t.Run(name, func(t *testing.T) {
			withAlias(t, func(b *bench, w *views, events func() []Event) {
				b.stop()
				var mu sync.Mutex
				tries := 0
				b.plan.Messengers = append(b.plan.Messengers, Messenger{Name: "bad", Deliver: func(ctx context.Context, m []byte) error {
					mu.Lock()
					defer mu.Unlock()
					if tries++; tries <= fails {
						return errors.New("no way")
					}
					return nil
				}})
				w.say(first, witness.ServFail)
				b.start(nil)
				time.Sleep(2 * time.Minute)
				b.net.set(v4("8.8.8.8"))
				time.Sleep(time.Minute)
				if got := b.status(); got.Published.String() != "8.8.8.8" {
					t.Fatalf("published %v", got.Published)
				}
				time.Sleep(3 * time.Minute)
				if got := kinds(events()); got != "dark "+first {
					t.Fatalf("the good way was told: %s", got)
				}
				time.Sleep(time.Hour)
				mu.Lock()
				defer mu.Unlock()
				if want := min(fails+1, 1+len(notifyAgain)); tries != want {
					t.Fatalf("%d tries, want %d", tries, want)
				}
			})
		})
	}
}

// TestAliasNeverFlaps has a provider that fails at random for a week.
func TestAliasNeverFlaps(t *testing.T) {
	withAlias(t, func(b *bench, w *views, _ func() []Event) {
		time.Sleep(time.Minute)
		for hour := range 7 * 24 {
			w.say(first, []witness.Reply{witness.NoName, witness.ServFail, witness.Silent}[hour%3])
			time.Sleep(time.Duration(1+hour*13%20) * time.Minute)
			w.say(first, witness.Values)
			time.Sleep(time.Duration(1+hour*11%20) * time.Minute)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		// It is never well for 30 minutes: it is left once, and not gone back to.
		if got := fmt.Sprint(w.asked); got != fmt.Sprint([]string{first, second}) {
			t.Fatalf("moves: %v", got)
		}
	})
}
