package e2e

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// TestSoakIdleOfSources: what each way to an address costs while nothing
// changes, side by side: memory, wake-ups, packets. WANBEACON_IDLE as of
// TestSoakIdle, one minute if it is not there.
func TestSoakIdleOfSources(t *testing.T) {
	if os.Getenv("WANBEACON_SOAK") != "1" {
		t.Skip("NOT RUN: takes long, and is part of `make soak` (WANBEACON_SOAK=1)")
	}
	idle := idleTime(t, time.Minute)
	release, err := lab.Release(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const quietly = "[verify]\nenabled = false\n"
	start := func(s *site, config, addr string) *site {
		s.d = s.Router.Daemon(release, config+quietly)
		s.settled(addr)
		return s
	}
	plain := func() *site {
		s := bareSite(t)
		s.p = s.provider(lab.ProviderOptions{TLS: true})
		s.Resolver(s.Router, "127.0.0.1", nil, s.p.Zone)
		s.online("11.22.33.7")
		return s
	}
	var above *lab.Gateway
	list := []struct {
		name string
		site *site
	}{
		{"interface", func() *site {
			s := plain()
			return start(s, s.plain()+trusting(s.p), "11.22.33.7")
		}()},
		{"host by mac", func() *site {
			s := plain()
			bridge, host := s.lanOf()
			host.NS.IP("link", "set", host.Name, "down")
			host.NS.IP("link", "set", host.Name, "address", "02:11:22:33:44:55", "addrgenmode", "eui64")
			host.Up()
			bridge.Add("2a00:db8:30:1::1/64", "nodad")
			host.Add("2a00:db8:30:1:11:22ff:fe33:4455/64", "nodad")
			if err := host.NS.Do(func() error { // the kernel learns where it is
				c, err := net.Dial("udp6", "[2a00:db8:30:1::1]:9")
				if err == nil {
					defer c.Close()
					_, err = c.Write([]byte("here"))
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			return start(s, "[source.nas]\nmethod = \"host\"\ninterface = \"br-lan\"\nmac = \"02:11:22:33:44:55\"\n"+
				s.plain(`source = "nas"`, v6)+trusting(s.p), "2a00:db8:30:1:11:22ff:fe33:4455")
		}()},
		{"upstream that announces", func() *site {
			s, g := natted(t, bareSite(t), lab.ProviderOptions{TLS: true}, "11.22.33.7/24")
			start(s, s.plain()+trusting(s.p)+"log_level = \"debug\"\n", "11.22.33.7")
			s.d.WaitLog(t.Context(), gateway2+" announces changes")
			above = g
			return s
		}()},
		{"echo", func() *site {
			s := bareSite(t)
			s.p = s.provider(lab.ProviderOptions{})
			e := s.Echo(s.ISP, "11.22.33.7")
			s.Resolver(s.Router, "127.0.0.1", e.Hosts, s.p.Zone)
			s.ISPLink.Flush(4)
			s.ISPLink.Add(gateway2 + "/24")
			s.WAN.Add(inside + "/24")
			s.WAN.DefaultVia(gateway2)
			return start(s, "[source.wan]\nmethod = \"echo\"\ninterface = \"wan\"\n"+s.trustingEcho(e), "11.22.33.7")
		}()},
		{"two WANs, all_sources", func() *site {
			s := bareSite(t)
			s.powerDNS("lan.test")
			s.online("11.22.33.7")
			lte, isp2 := s.AddWAN("lte", "isp2")
			isp2.Add("11.22.44.1/24")
			lte.Add("11.22.44.8/24")
			lte.DefaultVia("11.22.44.1", "metric", "700")
			s.d = s.Router.Daemon(release, "[source.wan]\nmethod = \"interface\"\ninterface = \"wan\"\n[source.lte]\nmethod = \"interface\"\ninterface = \"lte\"\n"+
				"[provider.pdns]\nserver = \"http://"+server+":8081\"\ninsecure_http = true\nzone = \"lan.test\"\ntoken = \"s3cret-word\"\n"+
				record("home.lan.test", "pdns", "source = [\"wan\", \"lte\"]", "all_sources = true")+quietly)
			s.published("11.22.33.7 11.22.44.8")
			return s
		}()},
	}
	for _, c := range list {
		c.site.silence()
	}
	type state struct {
		lines int
		lab.Activity
		sent uint64
	}
	look := func(s *site) state {
		_, sent := s.WAN.Packets()
		return state{len(s.d.Lines()), s.d.Activity(), sent}
	}
	before := make([]state, len(list))
	for i, c := range list {
		before[i] = look(c.site)
	}
	<-time.After(idle)
	for i, c := range list {
		was, is := before[i], look(c.site)
		n, u := is.Voluntary-was.Voluntary, c.site.usage()
		t.Logf("%-24s %v idle: %d kB resident, %d threads; %d context switches, %d ticks of CPU, %d packets sent",
			c.name, idle, u.rss, u.threads, n, is.CPU-was.CPU, is.sent-was.sent)
		for _, l := range c.site.d.Lines()[was.lines:] {
			t.Errorf("%s: logged: %s", c.name, l.Text)
		}
		// Go's runtime alone wakes up about twice a minute, as of TestSoakIdle. Echo
		// services and a silent router above are asked at intervals, for which
		// packets are the measure: how often a question wakes it up varies.
		if c.name == "echo" {
			if sent := is.sent - was.sent; float64(sent) > 40+10*idle.Minutes() {
				t.Errorf("%s: %d packets in %v", c.name, sent, idle)
			}
		} else if float64(n) > 20+6*idle.Minutes() {
			t.Errorf("%s: %d wake-ups in %v", c.name, n, idle)
		}
	}
	// After a quiet time a change behind the second NAT is not delayed by what
	// bounds flapping.
	s := list[2].site
	changed := lab.Now()
	above.Readdress("11.22.33.7/24", "11.22.33.99/24")
	done := lab.Now()
	r := s.settled("11.22.33.99")
	t.Logf("a change behind the second NAT: the request came %v after it began, %v after it was complete", since(changed, r.FirstByte), since(done, r.FirstByte))
}
