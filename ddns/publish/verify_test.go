package publish

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/dns"
	"github.com/wanbeacon/wanbeacon/ddns/internal/dnsworld"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/witness"
)

// watched is a loop in virtual time whose provider's servers are those of a
// world.
type watched struct {
	*bench
	*dnsworld.World

	mu   sync.Mutex
	lag  func(server int) time.Duration // until a server has what was published; < 0: never
	rng  *rand.Rand
	loss float64 // of a packet, one way
}

// watch runs f with one published record in a usual world.
func watch(t *testing.T, seed uint64, f func(w *watched)) { watchWith(t, seed, func(*Plan) {}, f) }

// watchWith is watch with another plan.
func watchWith(t *testing.T, seed uint64, change func(*Plan), f func(w *watched)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30 * 365 * 24 * time.Hour)
		b := &bench{t: t, net: newSimNet(), log: new(quiet)}
		b.prov = newSimProvider(t, b.net, seed)
		b.prov.reply = func(string, int) (provider.Outcome, time.Duration) { return good("good"), 20 * time.Millisecond }
		b.prov.limits.Delay = 5 * time.Minute
		w := &watched{bench: b, World: dnsworld.Usual(), rng: rand.New(rand.NewPCG(seed, 2)), lag: func(int) time.Duration { return time.Second }}
		w.Set("home.example.org A", nil, dnsworld.Five...)
		b.plan = Plan{
			Sources:  []config.Source{{Name: "wan", Method: "auto", Interface: "auto"}},
			Records:  []Record{{Key: Key{"home.example.org", "p", config.IPv4}, Source: "wan", Enabled: true, Identity: "1"}},
			Accounts: []Account{{Name: "p", Identity: "1", Provider: servedProvider{b.prov, w}}},
			Verify:   config.Verify{Enabled: true, Interval: 10 * time.Minute, Roots: dnsworld.Roots},
			Verifier: w,
		}
		change(&b.plan)
		b.net.set(v4("8.8.4.4"))
		b.start(nil)
		f(w)
		b.stop()
	})
}

// servedProvider tells the world what was published, in the servers' time.
type servedProvider struct {
	*simProvider
	w *watched
}

func (p servedProvider) Send(ctx context.Context, from provider.Origin, updates []provider.Update) []provider.Outcome {
	outcomes := p.simProvider.Send(ctx, from, updates)
	for i, o := range outcomes {
		if !o.Class.Done() {
			continue
		}
		for n, server := range dnsworld.Five {
			if lag := p.w.lagOf(n); lag >= 0 {
				time.AfterFunc(lag, func() { p.w.Set(updates[i].Hostname+" A", []string{updates[i].Addr.String()}, server) })
			}
		}
	}
	return outcomes
}

// lags sets how long servers take from now on.
func (w *watched) lags(f func(server int) time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lag = f
}

func (w *watched) lagOf(server int) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lag(server)
}

// Verify implements Verifier.
func (w *watched) Verify(ctx context.Context, k *Check) *witness.Facts { return k.Run(ctx, w) }

// Ask loses packets as the network does, with the repetitions of the real
// exchange: three times over UDP, then TCP.
func (w *watched) Ask(ctx context.Context, server netip.AddrPort, name string, typ uint16) (*dns.Message, error) {
	for try := 1; try <= 4; try++ {
		w.mu.Lock()
		there, back := w.rng.Float64(), w.rng.Float64()
		lost := there < w.loss || back < w.loss
		w.mu.Unlock()
		if !lost {
			rest(ctx, 30*time.Millisecond)
			m, err := w.World.Ask(ctx, server, name, typ)
			if err != nil {
				<-ctx.Done()
			}
			return m, err
		}
		rest(ctx, time.Duration(try)*400*time.Millisecond)
	}
	return nil, dnsworld.ErrSilent
}

// rest sleeps unless ctx ends.
func rest(ctx context.Context, d time.Duration) {
	limited, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	<-limited.Done()
}

// Resolve is as silent as its servers are.
func (w *watched) Resolve(ctx context.Context, name string, typ uint16) (*dns.Message, string, error) {
	m, who, err := w.World.Resolve(ctx, name, typ)
	if err != nil {
		<-ctx.Done()
	}
	return m, who, err
}

func (w *watched) verdict(want witness.Verdict, note string) {
	w.t.Helper()
	synctest.Wait()
	if s := w.status(); s.Verdict != want || !strings.Contains(s.VerdictNote, note) {
		w.t.Errorf("%s: %q, want %s: %q\n%s", s.Verdict, s.VerdictNote, want, note, strings.Join(w.log.lines, "\n"))
	}
}

func (w *watched) logged(text string) (n int) {
	synctest.Wait()
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	for _, line := range w.log.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// TestSeenByAll: each server's own time is waited for, and then a steady day
// costs what the documentation says.
func TestSeenByAll(t *testing.T) {
	watch(t, 1, func(w *watched) {
		w.lags(func(n int) time.Duration { return time.Duration(n) * 10 * time.Second })
		time.Sleep(18 * time.Second) // looks at 0, 0.5, 1.5, 3.5, 7.5 and 15.5 s
		w.verdict(witness.Pending, "2 of 5 name servers so far")
		time.Sleep(50 * time.Second)
		w.verdict(witness.OK, "all 5 name servers give 8.8.4.4")
		if w.logged("ipv4 seen by all 5 name servers after ") != 1 {
			t.Error(w.log.lines)
		}
		before := w.Count()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		steady := w.Count() - before
		t.Logf("%d questions a day", steady)
		if steady > 560 || w.prov.requests() != 1 || len(w.log.lines) > 4 {
			t.Errorf("%d questions, %d requests, log %q", steady, w.prov.requests(), w.log.lines)
		}
		w.verdict(witness.OK, "all 5")
	})
}

// five is a plan with five records of one zone.
func five(p *Plan) {
	for i := range 4 {
		r := p.Records[0]
		r.Hostname = fmt.Sprintf("host%d.example.org", i)
		p.Records = append(p.Records, r)
	}
}

// TestRecordsOfAZoneShareTheWalk, and what they ask each by itself is what the
// documentation says.
func TestRecordsOfAZoneShareTheWalk(t *testing.T) {
	watchWith(t, 1, five, func(w *watched) {
		time.Sleep(10 * time.Minute)
		w.verdict(witness.OK, "all 5")
		if n := w.logged("ipv4 seen by all 5 name servers after "); n != 5 {
			t.Errorf("seen %d times", n)
		}
		walks := func() (n int) {
			for _, asked := range w.Asked {
				if asked == "11.0.0.1 org NS" {
					n++
				}
			}
			return n
		}
		first, before := walks(), w.Count()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		day, count := walks()-first, w.Count()-before
		t.Logf("%d walks at first; %d walks and %d questions a day: %d for each record", first, day, count, count/5)
		if first > 2 || day > 26 || count > 1600 || len(w.log.lines) > 12 {
			t.Errorf("%q", w.log.lines)
		}
	})
}

// TestAllRecordsOfAZoneNotice within two intervals, although only one of them
// asks for the delegation.
func TestAllRecordsOfAZoneNotice(t *testing.T) {
	for phase := range 8 {
		watchWith(t, uint64(phase), five, func(w *watched) {
			time.Sleep(2*time.Hour + time.Duration(phase)*75*time.Second)
			w.verdict(witness.OK, "all 5")
			usual := dnsworld.Records{"example.org NS": {"ns1.example.net", "ns2.example.net", "ns3.example.net", "ns4.example.net", "ns5.example.net"}, "a.nic.org A": {"11.0.1.1"}}
			w.Zone("org", dnsworld.Records{"example.org NS": {"ns7.seized.org"}, "ns7.seized.org A": {"11.0.9.9"}, "a.nic.org A": {"11.0.1.1"}}, "11.0.1.1")
			w.Mode("servfail", "11.0.9.9")
			time.Sleep(20 * time.Minute)
			if n := w.logged("diverted: example.org moved from "); n != 5 {
				t.Errorf("phase %d: %d of 5 noticed: %s", phase, n, strings.Join(w.log.lines, "\n"))
			}
			w.Zone("org", usual, "11.0.1.1")
			time.Sleep(20 * time.Minute)
			if n := w.logged("ok again: all 5"); n != 5 {
				t.Errorf("phase %d: %d of 5 are well again: %s", phase, n, strings.Join(w.log.lines, "\n"))
			}
			// One that is wrong alone is noticed, too, and bothers nobody else.
			w.Set("host2.example.org A", []string{"192.0.2.66"}, dnsworld.Five...)
			time.Sleep(20 * time.Minute)
			if n := w.logged("192.0.2.66, which was never ours"); n != 1 || w.logged("diverted: ") != 6 {
				t.Errorf("phase %d: %d noticed: %s", phase, n, strings.Join(w.log.lines, "\n"))
			}
		})
	}
}

// TestNoFalseAlarm: an ordinary provider's day, several times over.
func TestNoFalseAlarm(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			watch(t, seed, func(w *watched) {
				w.mu.Lock()
				w.loss = 0.05
				w.mu.Unlock()
				rng, hours := rand.New(rand.NewPCG(seed, 3)), rand.New(rand.NewPCG(seed, 4))
				w.lags(func(n int) time.Duration { // one is late, up to the usual delay
					if n == 3 {
						return time.Duration(rng.Int64N(int64(4*time.Minute))) + 30*time.Second
					}
					return time.Duration(rng.Int64N(int64(40 * time.Second)))
				})
				for hour := range 24 {
					time.Sleep(time.Hour - time.Minute + time.Duration(hours.Int64N(int64(2*time.Minute))))
					switch hour {
					case 2, 5, 6, 11, 17, 20:
						w.net.set(v4(fmt.Sprintf("8.8.8.%d", hour+1)))
					case 8: // ns2 has moved, and the parent's glue has not
						w.Mode("silent", "11.0.2.2")
					case 14: // ns5 gives way to another server
						w.replace()
					}
				}
				synctest.Wait()
				for _, v := range []string{"dark", "diverted", "stale", "unverifiable", "publishing it once more"} {
					if w.logged(v) > 0 {
						t.Errorf("%s:\n%s", v, strings.Join(w.log.lines, "\n"))
					}
				}
				if n := w.logged("seen by "); n != 7 {
					t.Errorf("seen %d times:\n%s", n, strings.Join(w.log.lines, "\n"))
				}
				t.Logf("%d questions", w.Count())
			})
		})
	}
}

// replace makes the parent and the zone name ns6 in place of ns5, at the same
// address.
func (w *watched) replace() {
	servers := []string{"ns1.example.net", "ns2.example.net", "ns3.example.net", "ns4.example.net", "ns6.example.org"}
	w.Zone("org", dnsworld.Records{"example.org NS": servers, "a.nic.org A": {"11.0.1.1"}, "ns6.example.org A": {dnsworld.Five[4]}}, "11.0.1.1")
	w.Set("ns6.example.org A", []string{dnsworld.Five[4]}, dnsworld.Five...)
	w.Set("example.org NS", servers, dnsworld.Five...)
}

// TestNewDelegationIsAcceptedAfterADay that it has been good for, also over a
// restart.
func TestNewDelegationIsAcceptedAfterADay(t *testing.T) {
	watch(t, 1, func(w *watched) {
		time.Sleep(10 * time.Minute)
		w.verdict(witness.OK, "all 5")
		w.replace()
		time.Sleep(25 * time.Minute)
		w.verdict(witness.OK, "example.org moved from ns1.example.net, ns2.example.net, ns3.example.net, ns4.example.net, ns5.example.net to ")
		if w.logged("example.org moved from ") != 1 {
			t.Error(w.log.lines)
		}
		saved, changed := w.loop.core.Saved()
		if !changed {
			w.loop.core.dirty = true
			saved, _ = w.loop.core.Saved()
		}
		if len(saved[0].MovedTo) != 6 || len(saved[0].Servers) != 5 {
			t.Fatalf("%+v", saved[0])
		}
		w.stop()
		w.start(saved)
		w.net.deliver()
		time.Sleep(20 * time.Hour)
		w.verdict(witness.OK, "moved from")
		time.Sleep(5 * time.Hour)
		w.verdict(witness.OK, "all 5 name servers give 8.8.4.4")
		if s := w.status(); w.logged("is the usual one now") != 1 || s.Delegation[4] != "ns6.example.org." {
			t.Error(w.log.lines, s)
		}
	})
}

// TestStaleIsPublishedOnceMore, and never in a loop; the user is told when that
// has not helped, once, and when it is over.
func TestStaleIsPublishedOnceMore(t *testing.T) {
	var mu sync.Mutex
	var told []string
	notify := func(p *Plan) {
		p.Messengers = []Messenger{{Name: "test", Deliver: func(_ context.Context, m []byte) error {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, string(m))
			return nil
		}}}
	}
	events := func(want ...string) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		ok := len(told) == len(want)
		for i := range min(len(told), len(want)) {
			ok = ok && strings.Contains(told[i], `"event":"`+want[i]+`"`)
		}
		if !ok {
			t.Errorf("told %q, want %q", told, want)
		}
	}
	watchWith(t, 1, notify, func(w *watched) {
		time.Sleep(time.Hour)
		w.lags(func(int) time.Duration { return -1 })
		w.net.set(v4("8.8.8.8"))
		time.Sleep(4 * time.Minute)
		w.verdict(witness.Pending, "8.8.4.4 (older)")
		w.prov.excuseAll(false)
		time.Sleep(2 * time.Minute)
		w.verdict(witness.Stale, "8.8.4.4 (older)")
		events() // publishing once more may help
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		events("stale")
		time.Sleep(3 * 24 * time.Hour)
		w.verdict(witness.Stale, "8.8.4.4 (older)")
		if w.prov.requests() != 3 || w.logged("publishing it once more") != 1 {
			t.Errorf("%d requests\n%s", w.prov.requests(), strings.Join(w.log.lines, "\n"))
		}
		w.lags(func(int) time.Duration { return time.Second })
		w.net.set(v4("8.8.8.9")) // another address gets another chance
		time.Sleep(time.Hour)
		w.verdict(witness.OK, "all 5")
		events("stale", "well")
	})
}

// TestStaleThatPublishingMendsIsNoEvent.
func TestStaleThatPublishingMendsIsNoEvent(t *testing.T) {
	told := make(chan string, 10)
	notify := func(p *Plan) {
		p.Messengers = []Messenger{{Name: "test", Deliver: func(_ context.Context, m []byte) error { told <- string(m); return nil }}}
	}
	watchWith(t, 1, notify, func(w *watched) {
		time.Sleep(time.Hour)
		w.lags(func(int) time.Duration { return -1 })
		w.net.set(v4("8.8.8.8"))
		time.Sleep(4 * time.Minute)
		w.prov.excuseAll(false)
		w.lags(func(int) time.Duration { return time.Second })
		time.Sleep(time.Hour)
		w.verdict(witness.OK, "all 5")
		if w.logged("publishing it once more") != 1 || len(told) != 0 {
			t.Error(w.log.lines, len(told))
		}
	})
}

// TestSeizure: the delegation moves, the old servers still being right.
func TestSeizure(t *testing.T) {
	for name, c := range map[string]struct {
		mode string
		note string
	}{
		"silent": {"silent", "no answer"}, "SERVFAIL": {"servfail", "SERVFAIL"}, "REFUSED": {"refused", "REFUSED"}, "lame": {"lame", "lame"}, "sinkhole": {"", "192.0.2.66"},
	} {
		t.Run(name, func(t *testing.T) {
			watch(t, 1, func(w *watched) {
				time.Sleep(2 * time.Hour)
				w.verdict(witness.OK, "all 5")
				org := dnsworld.Records{"example.org NS": {"ns7.seized.org"}, "ns7.seized.org A": {"11.0.9.9"}, "a.nic.org A": {"11.0.1.1"}}
				w.Zone("org", org, "11.0.1.1")
				w.Zone("example.org", dnsworld.Records{"home.example.org A": {"192.0.2.66"}}, "11.0.9.9")
				w.Mode(c.mode, "11.0.9.9")
				time.Sleep(23 * time.Minute) // two intervals and their jitter
				w.verdict(witness.Diverted, c.note)
				if w.logged("diverted: example.org moved from ns1.example.net, ") != 1 || w.prov.requests() != 1 {
					t.Error(w.log.lines)
				}
				w.Zone("org", dnsworld.Records{"example.org NS": {"ns1.example.net", "ns2.example.net", "ns3.example.net", "ns4.example.net", "ns5.example.net"}, "a.nic.org A": {"11.0.1.1"}}, "11.0.1.1")
				time.Sleep(12 * time.Minute)
				w.verdict(witness.OK, "all 5")
			})
		})
	}
}

// TestSilenceIsNoticedWithinTwoIntervals, however short they are and whenever
// it begins, although it takes its time to find out that nobody answers.
func TestSilenceIsNoticedWithinTwoIntervals(t *testing.T) {
	all := append([]string{"11.0.0.1", "11.0.1.1", "11.0.1.2", "11.0.1.3"}, dnsworld.Five...)
	for name, c := range map[string]struct {
		strike  func(w *watched)
		verdict witness.Verdict
		note    string
	}{
		"servers": {func(w *watched) { w.Mode("silent", dnsworld.Five...) }, witness.Dark, "no answer"},
		"seized": {func(w *watched) {
			w.Mode("silent", "11.0.9.8", "11.0.9.9")
			w.Zone("org", dnsworld.Records{"example.org NS": {"ns7.seized.org", "ns8.seized.org"}, "ns7.seized.org A": {"11.0.9.8"}, "ns8.seized.org A": {"11.0.9.9"},
				"ns8.seized.org AAAA": {"2a00:db8::9"}}, "11.0.1.1")
		}, witness.Diverted, "ns7.seized.org, ns8.seized.org: no answer"},
		"top-level domain": {func(w *watched) { w.Mode("silent", append(all[1:4:4], dnsworld.Five...)...) }, witness.Dark, "no answer"},
		"all DNS":          {func(w *watched) { w.Mode("silent", all...) }, witness.Unverifiable, "the resolver 192.0.2.53 does not answer"},
	} {
		for _, interval := range []time.Duration{time.Second, 4 * time.Second, time.Minute, 10 * time.Minute} {
			t.Run(name+" "+interval.String(), func(t *testing.T) {
				for phase := range 8 {
					watchWith(t, uint64(phase), func(p *Plan) { p.Verify.Interval = interval }, func(w *watched) {
						time.Sleep(10*time.Second + 3*interval)
						w.verdict(witness.OK, "all 5")
						time.Sleep(interval * time.Duration(phase) / 8)
						c.strike(w)
						time.Sleep(2 * interval)
						w.verdict(c.verdict, c.note)
					})
				}
			})
		}
	}
}

// TestWeakerVerdictEndsWithItsReason: that the address is right all the time
// does not keep the sentence from being true.
func TestWeakerVerdictEndsWithItsReason(t *testing.T) {
	watch(t, 1, func(w *watched) {
		w.Resolver = func(name string, _ uint16) ([]string, dnsmessage.RCode, error) {
			if name == "home.example.org" {
				return []string{"8.8.4.4"}, 0, nil
			}
			return nil, dnsmessage.RCodeNameError, nil
		}
		time.Sleep(30 * time.Minute)
		w.verdict(witness.OK, "all 5 name servers give 8.8.4.4")
		w.Mode("silent", "11.0.0.1")
		time.Sleep(2 * time.Hour) // nobody asks the root before the hourly walk
		w.verdict(witness.OK, "the resolver 192.0.2.53 gives 8.8.4.4; weaker")
		w.Mode("", "11.0.0.1")
		time.Sleep(11 * time.Minute)
		w.verdict(witness.OK, "all 5 name servers give 8.8.4.4")
		if w.logged("home.example.org: dark")+w.logged("unverifiable") != 0 {
			t.Error(w.log.lines)
		}
	})
}

// TestNothingIsAsked where there is nothing to verify.
func TestNothingIsAsked(t *testing.T) {
	for name, change := range map[string]func(p *Plan){
		"switched off": func(p *Plan) { p.Verify.Enabled = false },
		"unverifiable": func(p *Plan) { p.Accounts[0].Unverifiable = "a tunnel endpoint, not a DNS record" },
		"disabled":     func(p *Plan) { p.Records[0].Enabled = false },
	} {
		t.Run(name, func(t *testing.T) {
			watchWith(t, 1, change, func(w *watched) {
				time.Sleep(24 * time.Hour)
				synctest.Wait()
				if w.Count() != 0 {
					t.Error(w.Asked)
				}
				if s := w.status(); name == "unverifiable" && (s.Verdict != witness.Unverifiable || s.VerdictNote != "a tunnel endpoint, not a DNS record") {
					t.Errorf("%+v", s)
				}
			})
		})
	}
}
