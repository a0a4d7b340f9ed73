package publish

import (
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// everywhere is a core with one record that has the addresses of wan, lte and
// sat.
func everywhere(t *testing.T, now time.Time, saved []Saved) (*Core, *entry) {
	c := NewCore(new(quiet), func() float64 { return 0 })
	r := Record{Key: Key{host, "p", config.IPv4}, Source: "wan", Fallbacks: []string{"lte", "sat"}, All: true, Enabled: true, Identity: "1"}
	c.Configure(now, []Record{r}, []Account{{Name: "p", Identity: "1", Provider: newSimProvider(t, newSimNet(), 1)}}, saved)
	return c, c.entries[0]
}

// letters says whose addresses these are.
func letters(a Addrs) (s string) {
	for _, one := range a.All() {
		s += string("WLS"[one.As4()[3]-1])
	}
	return s
}

// setOf is the addresses of letters.
func setOf(s string) Addrs {
	var list []netip.Addr
	for _, c := range s {
		list = append(list, links("WLS")[map[rune]int{'W': 0, 'L': 1, 'S': 2}[c]].Addr)
	}
	return addrsOf(list)
}

func TestAddressesOfAllSources(t *testing.T) {
	for _, c := range []struct {
		name  string
		saved string // published before the start
		steps []step
	}{
		{"all that have an address", "", []step{{0, "WLS", "WLS"}}},
		{"one more at once", "", []step{{0, "W--", "W"}, {time.Second, "WL-", "WL"}, {time.Hour, "WLS", "WLS"}}},
		{"not one without a way out", "", []step{{0, "Wl-", "W"}}},
		{"none", "", []step{{0, "---", ""}, {time.Hour, "-L-", "L"}}},
		{"a loss soon after the start", "WL", []step{{0, "WL-", "WL"}, {time.Second, "-L-", "WL"}, {failover, "", "L"}}},
		{"a redial", "", []step{{0, "WL-", "WL"}, {time.Hour, "-L-", "WL"}, {4 * time.Second, "WL-", "WL"}, {time.Hour, "", "WL"}}},
		{"a loss, and back when it has been good for long enough", "", []step{
			{0, "WL-", "WL"}, {time.Hour, "-L-", "WL"}, {failover - 1, "", "WL"}, {1, "", "L"},
			{time.Hour, "WL-", "L"}, {failback - 1, "", "L"}, {1, "", "WL"}}},
		{"flapping is not good", "", []step{
			{0, "WL-", "WL"}, {time.Hour, "-L-", "WL"}, {failover, "", "L"}, {time.Hour, "WL-", "L"}, {failback - 1, "-L-", "L"},
			{time.Second, "WL-", "L"}, {failback - 1, "", "L"}, {1, "", "WL"}}},
		{"the last one stays what it was", "", []step{
			{0, "WL-", "WL"}, {time.Hour, "-L-", "WL"}, {failover, "", "L"}, {time.Hour, "---", ""}, {time.Hour, "", ""}, {0, "-L-", "L"}}},
		{"back sooner when the last one has failed", "", []step{
			{0, "WL-", "WL"}, {time.Hour, "-L-", "WL"}, {failover, "", "L"}, {time.Hour, "WL-", "L"}, {time.Second, "W--", "WL"},
			{failover, "", "W"}}},
		{"an outage of all: they come back one after the other", "", []step{
			{0, "WL-", "WL"}, {time.Hour, "---", ""}, {time.Hour, "W--", "WL"}, {failback - 1, "WL-", "WL"}, {time.Hour, "", "WL"}}},
		{"an outage of all, and one does not come back", "", []step{
			{0, "WL-", "WL"}, {time.Hour, "---", ""}, {time.Hour, "W--", "WL"}, {failback - 1, "", "WL"}, {1, "", "W"}}},
		{"a restart: they come one after the other", "WL", []step{{0, "W--", "WL"}, {failback - 1, "WL-", "WL"}, {time.Hour, "", "WL"}}},
		{"a restart, and one does not come", "WL", []step{{0, "W--", "WL"}, {failback - 1, "", "WL"}, {1, "", "W"}}},
		{"the route alone is gone", "", []step{{0, "WL-", "WL"}, {time.Hour, "wL-", "WL"}, {failover, "", "L"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
			var saved []Saved
			if c.saved != "" {
				saved = savedSet(now.Add(-time.Hour), c.saved)
			}
			core, e := everywhere(t, now, saved)
			last := links("---")
			for i, s := range c.steps {
				now = now.Add(s.after)
				if s.links != "" {
					last = links(s.links)
				} else if letters(e.wanted) != s.want && (e.chooseAt.IsZero() || e.chooseAt.After(now)) {
					t.Errorf("step %d: not looked at before %v", i, e.chooseAt)
				}
				core.apply(last, now)
				if got := letters(e.wanted); got != s.want {
					t.Errorf("step %d: %q, want %q", i, got, s.want)
				}
			}
		})
	}
}

// savedSet is the saved state of a record with the addresses of letters.
func savedSet(at time.Time, letters string) []Saved {
	s := Saved{Hostname: host, Provider: "p", Family: "ipv4", Identity: "1", Published: at}
	for i, c := range letters {
		a := SavedAddr{map[rune]string{'W': "wan", 'L': "lte", 'S': "sat"}[c], setOf(string(c)).first}
		if i == 0 {
			s.Source, s.Address = a.Source, a.Address
		} else {
			s.More = append(s.More, a)
		}
	}
	return []Saved{s}
}

// TestNewAddressOfOneSource: it stands in the place of that source's old one,
// at once, and the request names all.
func TestNewAddressOfOneSource(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	core, e := everywhere(t, now, savedSet(now.Add(-time.Hour), "WL"))
	core.Observe(now, links("WL-"))
	if jobs := core.Due(now); len(jobs) != 0 {
		t.Fatalf("a request for what is published: %v", jobs[0].Updates)
	}
	renewed := links("WL-")
	renewed[1].Addr = ip("9.9.9.9")
	now = now.Add(time.Hour)
	core.Observe(now, renewed)
	jobs := core.Due(now)
	if len(jobs) != 1 {
		t.Fatalf("%d requests", len(jobs))
	}
	u := jobs[0].Updates[0]
	if u.Addr != ip("8.8.8.1") || !slices.Equal(u.More, []netip.Addr{ip("9.9.9.9")}) || !slices.Equal(u.Published, setOf("WL").All()) {
		t.Errorf("%+v", u)
	}
	changes := core.Finish(now, jobs[0], []provider.Outcome{good("good")})
	if len(changes) != 1 || changes[0].Old.String() != "8.8.8.1 8.8.8.2" || changes[0].New.String() != "8.8.8.1 9.9.9.9" {
		t.Errorf("changes %+v", changes)
	}
	if e.published != e.wanted || core.state(e) != Published {
		t.Errorf("published %v of %v", e.published, e.wanted)
	}
	saved, _ := core.Saved()
	want := savedSet(now, "WL")
	want[0].More[0].Address = ip("9.9.9.9")
	want[0].Before = []netip.Addr{ip("8.8.8.2")}
	if !reflect.DeepEqual(saved, want) {
		t.Errorf("saved %+v\nwant  %+v", saved, want)
	}
	if taken := Taken([]Record{e.Record}, saved); !reflect.DeepEqual(taken, map[string][]netip.Addr{"wan": {ip("8.8.8.1")}, "lte": {ip("9.9.9.9")}}) {
		t.Errorf("taken %v", taken)
	}
	// The way to one address alone: it is what the first source has, and the
	// provider is told what there was.
	now = now.Add(time.Hour)
	one := e.Record
	one.All = false
	core.Configure(now, []Record{one}, []Account{core.accounts["p"].Account}, nil)
	jobs = core.Due(now)
	if len(jobs) != 1 || jobs[0].Updates[0].Addr != ip("8.8.8.1") || jobs[0].Updates[0].More != nil || len(jobs[0].Updates[0].Published) != 2 {
		t.Errorf("%+v", jobs)
	}
}

// TestSetUnderRandomEvents: what is wanted is what the lines have had within
// the last minute, has all that has been good for a minute, and is empty only
// if no line is good.
func TestSetUnderRandomEvents(t *testing.T) {
	for seed := range uint64(50) {
		rng := rand.New(rand.NewPCG(seed, 3))
		now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
		core, e := everywhere(t, now, nil)
		up, since := []byte("---"), [3]time.Time{now, now, now}
		anySince := now
		for range 500 {
			d := time.Duration(rng.Int64N(int64([]time.Duration{time.Second, 10 * time.Second, 2 * time.Minute}[rng.IntN(3)])))
			end := now.Add(d)
			for !e.chooseAt.IsZero() && e.chooseAt.Before(end) { // as the loop's timer does
				now = later(now, e.chooseAt)
				core.Due(now)
				if !e.chooseAt.After(now) && !e.chooseAt.IsZero() {
					t.Fatalf("seed %d: it is to be looked at again at once", seed)
				}
			}
			now = end
			i := rng.IntN(3)
			was := string(up)
			up[i] = "-WLS"[(1+i)*rng.IntN(2)]
			if string(up) != was {
				since[i] = now
			}
			if was == "---" {
				anySince = now
			}
			core.apply(links(string(up)), now)
			got := letters(e.wanted)
			for n, c := range "WLS" {
				has := slices.Contains([]rune(got), c)
				good := up[n] != '-'
				switch {
				case has && string(up) == "---":
					t.Fatalf("seed %d: %s though there is none", seed, got)
				case has && !good && now.Sub(since[n]) > failover && now.Sub(anySince) > failback:
					t.Fatalf("seed %d: %s has %c, gone for %v", seed, got, c, now.Sub(since[n]))
				case !has && good && now.Sub(since[n]) >= failback:
					t.Fatalf("seed %d: %s lacks %c, good for %v", seed, got, c, now.Sub(since[n]))
				}
			}
			if got == "" && string(up) != "---" {
				t.Fatalf("seed %d: nothing though there is %s", seed, up)
			}
		}
	}
}
