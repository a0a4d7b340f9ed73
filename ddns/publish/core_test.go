package publish

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// bench is one loop with one provider in virtual time.
type bench struct {
	t    *testing.T
	net  *simNet
	prov *simProvider
	plan Plan
	loop *Loop
	log  *quiet
	stop func()
}

const host = "home.example.net"

// inVirtualTime runs f with a loop that has one IPv4 record; script answers
// request number n, from 1.
func inVirtualTime(t *testing.T, script func(n int) provider.Outcome, f func(b *bench)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30 * 365 * 24 * time.Hour) // to a clock that looks set
		b := &bench{t: t, net: newSimNet(), log: new(quiet)}
		b.prov = newSimProvider(t, b.net, 1)
		b.prov.reply = func(_ string, n int) (provider.Outcome, time.Duration) { return script(n), time.Millisecond }
		b.plan = Plan{
			Sources:  []config.Source{{Name: "wan", Method: "auto", Interface: "auto"}},
			Records:  []Record{{Key: Key{host, "p", config.IPv4}, Source: "wan", Enabled: true, Identity: "1"}},
			Accounts: []Account{{Name: "p", Identity: "1", Provider: b.prov}},
		}
		b.net.set(v4("8.8.4.4"))
		b.start(nil)
		f(b)
		b.stop()
	})
}

func (b *bench) start(saved []Saved) {
	b.loop = NewLoop(b.log, nil, saved, b.plan, b.net.ch)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { b.loop.Run(ctx); close(done) }()
	b.stop = func() { cancel(); <-done }
	synctest.Wait()
}

func (b *bench) status() RecordStatus {
	b.t.Helper()
	records, _, _, err := b.loop.Status(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	return records[0]
}

// after lets time pass and checks how many requests there have been in all.
func (b *bench) after(d time.Duration, want int) {
	b.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	if got := b.prov.requests(); got != want {
		b.t.Errorf("%v later: %d requests, want %d: %v", d, got, want, b.prov.sent)
	}
}

func always(o provider.Outcome) func(int) provider.Outcome {
	return func(int) provider.Outcome { return o }
}

func fail(c provider.Class, wait time.Duration) provider.Outcome {
	return provider.Outcome{Class: c, Text: string(c), Wait: wait, Sent: true}
}

func TestPublishesOnceAndNeverAgain(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.after(time.Second, 1)
		for range 100 { // a renewal that changes nothing
			b.net.set(v4("8.8.4.4"))
			time.Sleep(time.Second)
		}
		b.after(100*24*time.Hour, 1)
		if s := b.status(); s.State != Published || s.Published.first != ip("8.8.4.4") {
			t.Errorf("%+v", s)
		}
	})
}

func TestChangeAfterQuietGoesOutAtOnce(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.after(time.Minute, 1)
		b.net.set(v4("8.8.8.8"))
		b.after(2*time.Millisecond, 2)
	})
}

func TestRemovalAndReturnSendNothing(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.after(time.Minute, 1)
		b.net.set()
		b.after(59*time.Second, 1)
		if s := b.status(); s.State != Waiting || s.Published.first != ip("8.8.4.4") {
			t.Errorf("while the address is away: %+v", s)
		}
		b.net.set(v4("8.8.4.4"))
		b.after(time.Minute, 1)
	})
}

func TestThereAndBackWithinTwoSeconds(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.after(time.Minute, 1)
		b.net.set(v4("8.8.8.8"))
		time.Sleep(time.Second)
		b.net.set(v4("8.8.4.4"))
		b.after(time.Minute, 3) // one for each; none twice
		if s := b.status(); s.Published.first != ip("8.8.4.4") || s.State != Published {
			t.Errorf("%+v", s)
		}
	})
}

func TestHundredEventsInASecond(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.after(time.Minute, 1)
		for i := range 100 {
			b.net.set(v4(fmt.Sprintf("8.8.8.%d", i+1)))
			time.Sleep(10 * time.Millisecond)
		}
		b.after(time.Minute, 3) // the first and what finally holds
		if s := b.status(); s.Published.first != ip("8.8.8.100") {
			t.Errorf("%+v", s)
		}
	})
}

func TestEndlessFlappingIsBounded(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.after(time.Minute, 1)
		for i := range 600 { // a minute
			b.net.set(v4(fmt.Sprintf("8.8.8.%d", i%250+1)))
			time.Sleep(100 * time.Millisecond)
		}
		if n := b.prov.requests(); n > 1+60/2+1 {
			t.Errorf("%d requests in a minute", n)
		}
	})
}

func TestWaitsAfterFailures(t *testing.T) {
	m, h := time.Minute, time.Hour
	for _, c := range []struct {
		name    string
		outcome provider.Outcome
		gaps    []time.Duration // between attempts, a tenth of jitter allowed
		state   State
	}{
		{"911 doubles to six hours", fail(provider.ServerError, 0), []time.Duration{30 * m, h, 2 * h, 4 * h, 6 * h, 6 * h}, Retrying},
		{"911 with the usual wait named", fail(provider.ServerError, 30*m), []time.Duration{30 * m, h, 2 * h}, Retrying},
		{"503 with Retry-After", fail(provider.ServerError, 2*m), []time.Duration{2 * m, 2 * m}, Retrying},
		{"429 with Retry-After", fail(provider.TooMany, 1800*time.Second), []time.Duration{30 * m, 30 * m}, Retrying},
		{"429 without", fail(provider.TooMany, 0), []time.Duration{5 * m, 10 * m, 20 * m}, Retrying},
		{"words nobody knows", fail(provider.Unknown, 0), []time.Duration{30 * time.Second, m, 2 * m, 4 * m, 8 * m, 16 * m, 30 * m, 30 * m}, Retrying},
		{"no reply", fail(provider.Network, 0), []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, 80 * time.Second, 160 * time.Second, 320 * time.Second, 640 * time.Second, 15 * m, 15 * m}, Retrying},
	} {
		t.Run(c.name, func(t *testing.T) {
			inVirtualTime(t, always(c.outcome), func(b *bench) {
				for i, gap := range c.gaps {
					time.Sleep(gap / 100)
					synctest.Wait()
					if s := b.status(); s.State != c.state || s.NextAttempt.IsZero() || s.Attempts != i+1 {
						t.Errorf("after attempt %d: %+v", i+1, s)
					}
					time.Sleep(time.Until(b.status().NextAttempt) + time.Millisecond)
					synctest.Wait()
				}
				for i, gap := range c.gaps {
					if got := b.prov.times[i+1].Sub(b.prov.times[i]); got < gap*89/100 || got > gap*111/100+10*time.Millisecond {
						t.Errorf("wait %d was %v, want %v", i+1, got, gap)
					}
				}
			})
		})
	}
}

func TestBlocks(t *testing.T) {
	for _, class := range []provider.Class{provider.BadAuth, provider.NoHost, provider.NotFQDN, provider.Abuse, provider.BadAgent,
		provider.PaidFeature, provider.WrongOwner, provider.InvalidIP, provider.BadRequest} {
		t.Run(string(class), func(t *testing.T) {
			inVirtualTime(t, always(fail(class, 0)), func(b *bench) {
				b.after(time.Second, 1)
				b.net.set(v4("8.8.8.8"))
				b.after(1000*time.Hour, 1)
				if s := b.status(); s.State != Blocked || s.ErrorClass != string(class) || !s.NextAttempt.IsZero() {
					t.Errorf("%+v", s)
				}
				b.update(false)
				b.after(time.Hour, 1)
				b.prov.excuseAll(true)
				b.update(true)
				forced := 2
				if lasting(class) {
					forced = 1 // the provider's own block
				}
				b.after(time.Hour, forced)
				b.prov.excuseAll(true)
				b.plan.Records[0].Identity, b.plan.Accounts[0].Identity = "2", "2"
				if err := b.loop.Reload(context.Background(), b.plan); err != nil {
					t.Fatal(err)
				}
				b.after(time.Hour, forced+1)
			})
		})
	}
}

func (b *bench) update(force bool) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := b.loop.Update(ctx, nil, force); err != nil {
		b.t.Error(err)
	}
}

func TestForceSendsUnchangedOnce(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.after(time.Minute, 1)
		b.update(false)
		b.after(time.Minute, 1)
		b.prov.excuseAll(false)
		b.update(true)
		b.after(time.Hour, 2)
	})
}

func TestForceNeverShortensAProvidersWait(t *testing.T) {
	inVirtualTime(t, always(fail(provider.ServerError, 0)), func(b *bench) {
		b.after(time.Minute, 1)
		b.update(true)
		b.after(28*time.Minute, 1)
	})
}

func TestMissingEndpointBlocksAfterThree(t *testing.T) {
	o := fail(provider.Unknown, 0)
	o.Endpoint = true
	inVirtualTime(t, always(o), func(b *bench) {
		b.after(24*time.Hour, 3)
		if s := b.status(); s.State != Blocked || s.ErrorClass != "badrequest" {
			t.Errorf("%+v", s)
		}
	})
}

func TestUpdateGoesOutWhenTheRouteComes(t *testing.T) {
	there := false
	script := func(int) provider.Outcome {
		if there {
			return good("good")
		}
		return provider.Outcome{Class: provider.Network, Text: "no route", NoPath: true}
	}
	inVirtualTime(t, script, func(b *bench) {
		b.plan.Sources[0] = config.Source{Name: "wan", Method: "interface", Interface: "wan"}
		b.net.mu.Lock()
		b.net.routes(false)
		b.net.mu.Unlock()
		b.loop.Reload(context.Background(), b.plan)
		b.net.set(v4("8.8.8.8"))
		time.Sleep(20 * time.Minute) // back-off has grown
		synctest.Wait()
		before := b.prov.requests()
		there = true
		b.net.mu.Lock()
		b.net.routes(true)
		b.net.mu.Unlock()
		b.net.deliver()
		b.after(2*time.Millisecond, before+1)
		if s := b.status(); s.State != Published {
			t.Errorf("%+v", s)
		}
	})
}

func TestLateResolverIsTriedEverySecondAtFirst(t *testing.T) {
	start := time.Time{}
	script := func(int) provider.Outcome {
		if start.IsZero() {
			start = time.Now()
		}
		if time.Since(start) > 5*time.Second {
			return good("good")
		}
		return provider.Outcome{Class: provider.Network, Text: "name not resolved", NoPath: true}
	}
	inVirtualTime(t, script, func(b *bench) {
		time.Sleep(7 * time.Second)
		synctest.Wait()
		if s := b.status(); s.State != Published {
			t.Errorf("two seconds after the resolver came: %+v", s)
		}
	})
}

func TestHangingProviderDelaysNobodyElse(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.after(time.Minute, 1)
		slow := newSimProvider(t, b.net, 2)
		slow.reply = func(string, int) (provider.Outcome, time.Duration) { return good("good"), time.Hour }
		b.plan.Records = slices.Insert(b.plan.Records, 0, Record{Key: Key{"slow.example.net", "slow", config.IPv4}, Source: "wan", Enabled: true, Identity: "1"})
		b.plan.Accounts = append(b.plan.Accounts, Account{Name: "slow", Identity: "1", Provider: slow})
		b.loop.Reload(context.Background(), b.plan)
		time.Sleep(time.Minute)
		b.net.set(v4("8.8.8.8"))
		b.after(2*time.Millisecond, 2)
		began := time.Now()
		b.stop()
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("stopping took %v", took)
		}
		b.stop = func() {}
	})
}

// tenRecords restarts the loop with ten names in the account.
func (b *bench) tenRecords() {
	b.stop()
	for i := range 9 {
		b.plan.Records = append(b.plan.Records, Record{Key: Key{fmt.Sprintf("h%d.example.net", i), "p", config.IPv4}, Source: "wan", Enabled: true, Identity: "1"})
	}
	b.prov.mu.Lock()
	b.prov.sent, b.prov.times, b.prov.keys = nil, nil, map[string]*simKey{}
	b.prov.mu.Unlock()
	b.net.deliver()
	b.start(nil)
}

func TestWrongPasswordIsTriedOnceForAllRecords(t *testing.T) {
	o := fail(provider.BadAuth, 0)
	o.Account = true
	inVirtualTime(t, always(o), func(b *bench) {
		b.tenRecords()
		b.after(time.Hour, 1)
		records, _, _, _ := b.loop.Status(context.Background())
		for _, r := range records {
			if r.State != Blocked || r.ErrorClass != "badauth" {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestTooManyHoldsForTheAccount(t *testing.T) {
	o := fail(provider.TooMany, time.Hour)
	o.Account = true
	script := func(n int) provider.Outcome {
		if n == 1 {
			return o
		}
		return good("good")
	}
	inVirtualTime(t, script, func(b *bench) {
		b.tenRecords()
		b.after(59*time.Minute, 1)
		b.after(5*time.Minute, 11)
	})
}

func TestOneRequestUntilTheAccountHasProvedGood(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.prov.reply = func(string, int) (provider.Outcome, time.Duration) { return good("good"), time.Second }
		b.tenRecords()
		b.after(500*time.Millisecond, 1)
		b.after(time.Second, 1+parallel)
		b.after(time.Minute, 10)
	})
}

func TestUnansweredRequestLeavesDoubt(t *testing.T) {
	script := func(n int) provider.Outcome {
		if n == 2 {
			return fail(provider.Network, 0) // it may have been heard
		}
		return good("good")
	}
	inVirtualTime(t, script, func(b *bench) {
		b.after(time.Minute, 1)
		b.net.set(v4("8.8.8.8"))
		b.after(time.Millisecond*2, 2)
		b.net.set(v4("8.8.4.4")) // back to what was accepted last: must be said again
		b.after(time.Minute, 3)
	})
}

func TestMinimumIntervalHoldsOverARestart(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.prov.limits.MinInterval = 5 * time.Minute
		b.after(time.Minute, 1)
		saved := []Saved{{Hostname: host, Provider: "p", Family: "ipv4", Identity: "1", Address: ip("8.8.4.4"), Published: time.Now().Add(-time.Minute)}}
		b.stop()
		b.net.set(v4("8.8.8.8"))
		b.start(saved)
		if s := b.status(); s.State != Pending || s.NextAttempt.IsZero() {
			t.Errorf("%+v", s)
		}
		b.after(3*time.Minute+50*time.Second, 1)
		b.after(20*time.Second, 2)
	})
}

func TestForcedRefresh(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.plan.Records[0].Force = 25 * 24 * time.Hour
		b.loop.Reload(context.Background(), b.plan)
		b.after(24*24*time.Hour, 1)
		b.prov.excuseAll(false)
		b.after(2*24*time.Hour, 2)
		b.net.set() // due again while there is no address: put off
		b.prov.excuseAll(false)
		b.after(60*24*time.Hour, 2)
		b.net.set(v4("8.8.4.4"))
		b.after(time.Second, 3)
	})
}

func TestClockJumpForcesNothing(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.after(time.Second, 1)
		b.stop()
		b.plan.Records[0].Force = 25 * 24 * time.Hour
		for _, when := range []time.Time{time.Unix(100, 0), time.Now().Add(1000 * time.Hour)} {
			b.start([]Saved{{Hostname: host, Provider: "p", Family: "ipv4", Identity: "1", Address: ip("8.8.4.4"), Published: when}})
			b.net.deliver()
			b.after(20*24*time.Hour, 1)
			b.stop()
		}
		b.stop = func() {}
	})
}

func TestReloadTouchesOnlyWhatChanged(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.plan.Records = append(b.plan.Records, Record{Key: Key{"other.example.net", "p", config.IPv4}, Source: "wan", Enabled: true, Identity: "1"})
		b.loop.Reload(context.Background(), b.plan)
		b.after(time.Minute, 2)
		b.loop.Reload(context.Background(), b.plan)
		b.after(time.Minute, 2)
		b.prov.excuseAll(false)
		b.plan.Records[1].Identity = "2"
		b.loop.Reload(context.Background(), b.plan)
		b.after(time.Minute, 3)
		if last := b.prov.sent[2]; !strings.HasPrefix(last, "other.") {
			t.Errorf("the third request was for %s", last)
		}
	})
}

func TestFamiliesDoNotWaitForEachOther(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.plan.Records = append(b.plan.Records, Record{Key: Key{host, "p", config.IPv6}, Source: "wan", Enabled: true, Identity: "1"})
		b.loop.Reload(context.Background(), b.plan)
		b.after(time.Minute, 1)
		records, _, _, _ := b.loop.Status(context.Background())
		if records[1].State != Waiting || records[1].Error != "" {
			t.Errorf("the family without an address: %+v", records[1])
		}
		b.net.set(v4("8.8.4.4"), netwatch.Addr{Addr: ip("2a02:99::1"), Bits: 64, Flags: netwatch.Tentative})
		b.after(time.Second, 1)
		b.net.set(v4("8.8.4.4"), netwatch.Addr{Addr: ip("2a02:99::1"), Bits: 64})
		b.after(2*time.Millisecond, 2)
	})
}

func TestStaleRequestIsGivenUp(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.after(time.Minute, 1)
		b.prov.mu.Lock()
		b.prov.reply = func(_ string, n int) (provider.Outcome, time.Duration) {
			if n == 2 {
				return good("good"), 20 * time.Second // its address has gone: nobody answers
			}
			return good("good"), time.Millisecond
		}
		b.prov.mu.Unlock()
		b.net.set(v4("8.8.8.8"))
		time.Sleep(time.Second)
		b.net.set(v4("9.9.9.10"))
		b.after(2*time.Second, 3)
		if s := b.status(); s.Published.first != ip("9.9.9.10") {
			t.Errorf("%+v", s)
		}
	})
}

func TestRemovesOnExit(t *testing.T) {
	inVirtualTime(t, always(good("good")), func(b *bench) {
		b.plan.Records[0].RemoveOnExit = true
		b.loop.Reload(context.Background(), b.plan)
		b.after(time.Second, 1)
		b.stop()
		if len(b.prov.removed) != 1 || b.prov.removed[0].Addr != ip("8.8.4.4") {
			t.Errorf("removed %+v", b.prov.removed)
		}
		b.stop = func() {}
	})
}

func TestRepeatedFailureIsLoggedOnceAnHour(t *testing.T) {
	inVirtualTime(t, always(fail(provider.Network, 0)), func(b *bench) {
		time.Sleep(10 * time.Hour)
		synctest.Wait()
		b.log.mu.Lock()
		defer b.log.mu.Unlock()
		n := 0
		for _, l := range b.log.lines {
			if strings.Contains(l, "failed") {
				n++
			}
		}
		if n < 2 || n > 11 {
			t.Errorf("%d lines in ten hours:\n%s", n, strings.Join(b.log.lines, "\n"))
		}
	})
}

func TestTaken(t *testing.T) {
	r := []Record{{Key: Key{host, "p", config.IPv4}, Source: "wan"}}
	s := []Saved{{Hostname: host, Provider: "p", Family: "ipv4", Address: ip("8.8.4.4")}, {Hostname: "gone", Provider: "p", Family: "ipv4", Address: ip("8.8.8.8")}}
	if got := Taken(r, s); len(got) != 1 || !slices.Equal(got["wan"], []netip.Addr{ip("8.8.4.4")}) {
		t.Errorf("got %v", got)
	}
}
