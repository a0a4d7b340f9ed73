package seizure_test

import (
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
	"github.com/wanbeacon/wanbeacon/ddns/internal/seizure"
)

const (
	delay = 2 * time.Second // that A usually takes
	moved = "dyn.net moved from ns1.dyn.net, ns2.dyn.net, ns3.dyn.net, ns4.dyn.net, ns5.dyn.net to ns1.seized.net, ns2.seized.net; "
)

func giveBack(w *tale) { w.Delegate(seizure.Usual) }

// TestSeizedBySilence: A's delegation moves to servers that answer nothing of
// use, while A's update interface says `good`; and A comes back.
func TestSeizedBySilence(t *testing.T) {
	w := begin(t)
	for _, c := range []struct {
		name  string
		fault lab.Fault
		says  string
	}{
		{"SERVFAIL", lab.ServFail, "ns1.seized.net, ns2.seized.net: SERVFAIL"},
		{"nothing", lab.Silent, "ns1.seized.net, ns2.seized.net: no answer"},
		{"REFUSED", lab.Refused, "ns1.seized.net, ns2.seized.net: REFUSED"},
	} {
		w.happen(episode{
			name: c.name, strike: func(w *tale) { w.Seize(c.fault) },
			says:    "home.dyn.net: diverted: " + moved + c.says,
			verdict: "diverted", note: c.says, notified: "diverted", reason: "diverted: " + moved + c.says,
			repair: giveBack, well: "home.dyn.net: ipv4 ok again: all 5 name servers give ",
		})
	}
	w.end()
}

// TestSeizedWithAnswers: the new servers answer, but not as A's would.
func TestSeizedWithAnswers(t *testing.T) {
	w := begin(t)
	sinkhole := moved + "ns1.seized.net, ns2.seized.net: " + seizure.Sinkhole
	w.happen(episode{
		name: "sinkhole", strike: func(w *tale) { w.Swallow() },
		says:    "home.dyn.net: diverted: " + sinkhole,
		verdict: "diverted", note: seizure.Sinkhole, notified: "diverted", reason: "diverted: " + sinkhole,
		repair: giveBack, well: "home.dyn.net: ipv4 ok again: all 5 name servers give ",
	})
	w.happen(episode{
		name: "overload", strike: func(w *tale) { w.Overload(seizure.Office) },
		says:    "home.dyn.net: diverted: " + moved,
		verdict: "diverted", notified: "diverted", reason: "diverted: " + moved,
		repair: func(w *tale) {
			// What is answered right, if at all, is not called dark or stale.
			for _, l := range w.Daemon.Lines() {
				for _, v := range []string{"dark", "stale", "unverifiable"} {
					if strings.HasPrefix(l.Text, seizure.Office+": "+v) {
						t.Error(l.Text)
					}
				}
			}
			giveBack(w)
		},
		well: "home.dyn.net: ipv4 ok again: all 5 name servers give ",
	})
	w.happen(episode{
		name: "removed", strike: func(w *tale) { w.Remove(seizure.HomeA) },
		says:    "home.dyn.net: dark: it does not resolve: ns1.dyn.net, ns2.dyn.net, ns3.dyn.net, 2 more: no such name",
		verdict: "dark", note: "no such name", notified: "dark", reason: "dark: it does not resolve",
		repair: func(w *tale) { w.Trouble(seizure.None) }, well: "home.dyn.net: ipv4 ok again: all 5 name servers give ",
	})
	w.end()
}

// TestProviderFails: A's delegation is as ever, but A does not do its work.
func TestProviderFails(t *testing.T) {
	w := begin(t)

	// Its update interface is down, and the address stays: nothing is sent,
	// nothing is wrong. Only a new address makes A bad.
	w.A.Connections(lab.HangUpR)
	w.happen(episode{
		name: "update interface down", strike: func(w *tale) { w.move("11.22.33.8") },
		says:   "home.dyn.net: ipv4 update at a failed: ",
		reason: "",
		repair: func(w *tale) {
			w.A.Connections(lab.Serve)
			w.Daemon.Command("update") // else it waits for a minute by now
		},
		well: "home.dyn.net: ipv4 seen by all 5 name servers after ",
	})
	if n := w.requests(); n != 1 {
		t.Errorf("A was told the new address %d times", n)
	}

	w.happen(episode{
		name: "update interface in trouble", strike: func(w *tale) { w.Trouble(seizure.Error); w.move("11.22.33.7") },
		says:   `home.dyn.net: ipv4 update at a failed: "911"`,
		reason: "",
		repair: func(w *tale) { w.Trouble(seizure.None) },
		well:   "home.dyn.net: ipv4 seen by all 5 name servers after ",
	})

	for _, c := range []struct {
		name    string
		trouble seizure.Trouble
		move    string
		older   string
	}{
		{"forgets", seizure.Forgets, "11.22.33.9", "ns1.dyn.net, ns2.dyn.net, ns3.dyn.net, 2 more: 11.22.33.7 (older)"},
		{"one late", seizure.OneLate, "11.22.33.10", "ns5.dyn.net: 11.22.33.9 (older)"},
	} {
		w.happen(episode{
			name: c.name, strike: func(w *tale) { w.Trouble(c.trouble); w.move(c.move) },
			says: "home.dyn.net: stale: " + c.older + "; publishing it once more", after: delay,
			verdict: "stale", note: c.older, notified: "stale", reason: "stale: " + c.older,
			repair: func(w *tale) { w.Trouble(seizure.None) },
			well:   "home.dyn.net: ipv4 ok again: all 5 name servers give " + c.move,
		})
		if n := w.requests(); n != 2 {
			t.Errorf("A was told the address %d times; once and, when it was stale, once more would be right", n)
		}
	}
	w.end()
}

// TestBlindAndBack: what the router cannot see is nobody's fault; and A comes
// back after everything of it was gone, while the address changed.
func TestBlindAndBack(t *testing.T) {
	w := begin(t)
	w.Router.ResolvConf("nameserver " + seizure.Resolver() + "\n")
	w.Daemon.Mark()
	unblock := w.BlockDNS(seizure.NameServers()...)
	// The ISP's resolver still tells: that is weaker, but enough.
	w.until("the resolver is asked", func() bool {
		r, _ := w.Daemon.Status().Record(seizure.HomeA, "ipv4")
		return r.Verdict == "ok" && strings.Contains(r.VerdictNote, "weaker, as only the resolver "+seizure.Resolver()+" could be asked")
	})
	struck := lab.Now()
	all := w.BlockDNS(seizure.Resolver())
	blind := w.log("home.dyn.net: unverifiable: outgoing DNS is blocked: no root server answers, and the resolver " + seizure.Resolver() + " does not answer")
	w.within("blocked: noticed", struck, blind.At, 0, 2*interval)
	w.hold(failAfter + interval)
	if a := w.Daemon.Status().Aliases[0]; a.Target != seizure.HomeA {
		t.Errorf("blocked: the alias leads to %+v", a)
	}
	w.reached("blocked", seizure.HomeA, lab.Now(), ttl+slack) // nothing is wrong for others
	all()
	unblock()
	w.log("home.dyn.net: ipv4 ok again: all 5 name servers give ")
	w.wellKnown(seizure.HomeA)
	w.noMore("blocked")
	w.Router.ResolvConf("nameserver 127.0.0.1\n")

	w.happen(episode{
		name: "comes back", strike: func(w *tale) {
			w.Seize(lab.Silent)
			w.A.Connections(lab.HangUpR)
		},
		says:    "home.dyn.net: diverted: " + moved,
		verdict: "diverted", notified: "diverted", reason: "diverted: " + moved,
		repair: func(w *tale) {
			w.Daemon.Mark()
			w.move("11.22.33.8")
			w.log("home.duckdns.org: ipv4 11.22.33.8 published at b")
			w.reached("a new address while A is gone", seizure.HomeB, lab.Now(), ttl+slack)
			w.A.Connections(lab.Serve)
			w.Daemon.Command("update") // the back-off may be a minute by now
			w.log("home.dyn.net: ipv4 11.22.33.8 published at a")
			w.Delegate(seizure.Usual)
		},
		well: "home.dyn.net: ipv4 ok again: all 5 name servers give 11.22.33.8",
	})
	w.end()
}

// TestRedirected: whoever the router asks, somebody else answers. Nobody is
// told, and the alias stays, as nothing is wrong for others.
func TestRedirected(t *testing.T) {
	w := begin(t)
	w.Router.ResolvConf("nameserver " + seizure.Resolver() + "\n")
	w.Daemon.Mark()
	for to, why := range map[string]string{
		seizure.Resolver(): "what answers in place of the name servers has no authority",
		seizure.Poser():    "something answers even where no name server is",
	} {
		back := w.RedirectDNS(to)
		w.until("the resolver is asked", func() bool {
			r, _ := w.Daemon.Status().Record(seizure.HomeA, "ipv4")
			return r.Verdict == "ok" && strings.Contains(r.VerdictNote, "weaker, as only the resolver "+seizure.Resolver()+" could be asked: outgoing DNS is redirected: "+why)
		})
		back()
	}

	struck := lab.Now()
	back := w.RedirectDNS(seizure.Liar())
	blind := w.log("home.dyn.net: unverifiable: outgoing DNS is redirected: what answers in place of the name servers has no authority, and the resolver " +
		seizure.Resolver() + " gives an address to names that cannot exist")
	w.within("redirected: noticed", struck, blind.At, 0, 2*interval)
	w.hold(failAfter + interval)
	if a := w.Daemon.Status().Aliases[0]; a.Target != seizure.HomeA {
		t.Errorf("redirected: the alias leads to %+v", a)
	}
	w.reached("redirected", seizure.HomeA, lab.Now(), ttl+slack)
	back()
	w.log("home.dyn.net: ipv4 ok again: all 5 name servers give ")
	w.wellKnown(seizure.HomeA)
	w.noMore("redirected")
	w.end()
}

// TestPeopleWithALastingMemory are reached again, too, within fail_after, the
// alias's own TTL and ten seconds, although their resolver was told where the
// alias leads at the worst moment.
func TestPeopleWithALastingMemory(t *testing.T) {
	w := begin(t)
	w.Seize(lab.ServFail)
	noticed := w.log("home.dyn.net: diverted: ")
	w.hold(failAfter - early)
	if a, err := w.Patient.Look(seizure.Alias); err != nil {
		t.Error(a, err)
	}
	w.reachedThrough(w.Patient, "memory", seizure.HomeB, noticed.At, failAfter+aliasTTL+slack)
	w.end()
}
