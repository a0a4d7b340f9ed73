package publish

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

func record(addr string) []Saved {
	return []Saved{{Hostname: host, Provider: "p", Family: "ipv4", Source: "wan", Identity: "1",
		Address: ip(addr), Published: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}}
}

func TestStateSurvives(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "state")
	s, saved, warning, err := OpenStore(dir, "salt")
	if err != nil || warning != "" || saved != nil {
		t.Fatalf("fresh: %v %q %v", saved, warning, err)
	}
	known := record("8.8.4.4")
	known[0].Before, known[0].Zone, known[0].Servers = []netip.Addr{netip.MustParseAddr("8.8.8.8")}, "example", []string{"ns1.example", "ns2.example"}
	known[0].MovedTo, known[0].MovedAt = []string{"example", "ns3.example"}, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	want := append(known, Saved{Hostname: "x.example", Provider: "q", Family: "ipv6", Identity: "2",
		Blocked: provider.Abuse, Reason: "abuse", BlockedAs: "2"})
	if err := s.Save(want); err != nil {
		t.Fatal(err)
	}
	again, got, warning, err := OpenStore(dir, "other salt")
	if err != nil || warning != "" || !reflect.DeepEqual(got, want) || again.Salt() != "salt" {
		t.Errorf("got %+v, salt %q, %q, %v", got, again.Salt(), warning, err)
	}
	if info, err := os.Stat(filepath.Join(dir, "state.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestBrokenStateIsSetAside(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "cut": `{"version": 1, "records": [{"host`, "binary": "\x00\xff\x00", "other version": `{"version": 99}`,
		"wrong type": `{"version": 1, "records": 7}`, "bad address": `{"version":1,"records":[{"address":"1.2.3"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "state.json")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			s, saved, warning, err := OpenStore(dir, "salt")
			if err != nil || saved != nil || !strings.Contains(warning, "state.json.broken") {
				t.Fatalf("%v, %q, %v", saved, warning, err)
			}
			if kept, err := os.ReadFile(path + ".broken"); err != nil || string(kept) != text {
				t.Errorf("set aside: %q, %v", kept, err)
			}
			if err := s.Save(record("8.8.4.4")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestUnwritableStateIsNoReasonToStop(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, saved, _, err := OpenStore(filepath.Join(file, "dir"), "salt")
	if err == nil || saved != nil {
		t.Errorf("%v, %v", saved, err)
	}
	if err := s.Save(record("8.8.4.4")); err == nil {
		t.Error("saved below a file")
	}
}

// TestStateSurvivesAKillAtEveryStep saves in a process of its own that is
// killed at each of its system calls on the way, by strace, and looks at what
// a power cut would have left: the old state or the new one.
func TestStateSurvivesAKillAtEveryStep(t *testing.T) {
	if os.Getenv("WANBEACON_SAVE_IN") != "" {
		s, _, _, err := OpenStore(os.Getenv("WANBEACON_SAVE_IN"), "salt")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Save(record("8.8.8.8")); err != nil {
			t.Fatal(err)
		}
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Fatal("please install strace (Debian package strace)")
	}
	killed := 0
	for _, call := range []string{"openat", "write", "fsync", "close", "renameat,rename,renameat2"} {
		for n := 1; n <= 40; n++ {
			dir := t.TempDir()
			s, _, _, err := OpenStore(dir, "salt")
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Save(record("8.8.4.4")); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(strace, "-f", "-qq", "-P", dir, "-P", filepath.Join(dir, "state.json.new"), "-P", filepath.Join(dir, "state.json"),
				"-e", "trace="+call, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n), "-o", "/dev/null",
				os.Args[0], "-test.run=^TestStateSurvivesAKillAtEveryStep$")
			cmd.Env = append(os.Environ(), "WANBEACON_SAVE_IN="+dir)
			out, err := cmd.CombinedOutput()
			_, saved, warning, err2 := OpenStore(dir, "salt")
			if err2 != nil || warning != "" {
				t.Fatalf("%s %d: %v %q", call, n, err2, warning)
			}
			isOld, isNew := reflect.DeepEqual(saved, record("8.8.4.4")), reflect.DeepEqual(saved, record("8.8.8.8"))
			if err == nil { // it came through: there is no n-th call any more
				if !isNew {
					t.Fatalf("%s: not saved: %+v\n%s", call, saved, out)
				}
				break
			}
			killed++
			if !isOld && !isNew {
				t.Errorf("killed at %s %d: %+v\n%s", call, n, saved, out)
			}
		}
	}
	if killed < 5 {
		t.Errorf("killed %d times only: strace did not inject", killed)
	}
}

func TestBlockThatLastsIsRestored(t *testing.T) {
	saved := []Saved{{Hostname: host, Provider: "p", Family: "ipv4", Identity: "1", Blocked: provider.BadAgent, Reason: "badagent", BlockedAs: "1"}}
	r := Record{Key: Key{host, "p", config.IPv4}, Identity: "1"}
	if e := restore(r, saved, time.Now()); !e.blocked || e.class != provider.BadAgent {
		t.Errorf("%+v", e)
	}
	r.Identity = "2"
	if e := restore(r, saved, time.Now()); e.blocked {
		t.Errorf("still blocked after its configuration changed: %+v", e)
	}
}

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"version":1,"salt":"s","records":[{"hostname":"h","provider":"p","family":"ipv4","address":"8.8.4.4"}]}`))
	f.Add([]byte(`{"version":1,"records":null}`))
	f.Add([]byte("\x00"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := decode(text)
		if err != nil {
			return
		}
		for _, s := range file.Records {
			e := restore(Record{Key: Key{s.Hostname, s.Provider, config.IPv4}, Identity: "1"}, file.Records, time.Now())
			if e.published.IsValid() && !e.published.first.Is4() {
				t.Errorf("an IPv4 record was restored with %v", e.published)
			}
		}
	})
}

func TestSavedOnlyWhenSomethingPublishedChanged(t *testing.T) {
	c := NewCore(new(quiet), func() float64 { return 0 })
	p := newSimProvider(t, newSimNet(), 1)
	c.Configure(time.Now(), []Record{{Key: Key{host, "p", config.IPv4}, Source: "wan", Enabled: true, Identity: "1"}},
		[]Account{{Name: "p", Provider: p}}, nil)
	e := c.entries[0]
	do := func(addr string, o provider.Outcome) bool {
		e.wanted.first, e.sent, e.accepted, e.forced = ip(addr), time.Time{}, time.Time{}, true
		jobs := c.Due(time.Now())
		if len(jobs) != 1 {
			t.Fatalf("%d jobs", len(jobs))
		}
		c.Finish(time.Now(), jobs[0], []provider.Outcome{o})
		e.notBefore = time.Time{}
		_, changed := c.Saved()
		return changed
	}
	if !do("8.8.4.4", good("good")) {
		t.Error("a new address was not saved")
	}
	if do("8.8.4.4", good("nochg")) {
		t.Error("saved although nothing changed")
	}
	if do("8.8.8.8", fail(provider.ServerError, 0)) {
		t.Error("a failure was saved")
	}
	if !do("8.8.8.8", fail(provider.Abuse, 0)) {
		t.Error("a lasting block was not saved")
	}
	if list, _ := c.Saved(); list != nil {
		t.Error("saved twice")
	}
}
