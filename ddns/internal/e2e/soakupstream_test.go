package e2e

import (
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// TestSoakIdleBehindNAT: behind a router that announces changes nothing is
// polled, and no more memory is held than elsewhere. WANBEACON_IDLE as of TestSoakIdle.
func TestSoakIdleBehindNAT(t *testing.T) {
	direct := soak(t)
	idle := idleTime(t, 10*time.Minute)
	release, err := lab.Release(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, _ := natted(t, bareSite(t), lab.ProviderOptions{TLS: true}, "11.22.33.7/24")
	s.d = s.Router.Daemon(release, s.plain()+trusting(s.p)+"log_level = \"debug\"\n")
	s.settled("11.22.33.7")
	s.d.WaitLog(t.Context(), gateway2+" announces changes")
	s.silence()

	lines, before := len(s.d.Lines()), s.d.Activity()
	_, sent := s.WAN.Packets()
	select {
	case <-time.After(idle):
	case <-s.d.Ended():
		t.Fatalf("the daemon ended:\n%s", s.d.Output())
	}
	after := s.d.Activity()
	_, sentThen := s.WAN.Packets()
	n, u, d := after.Voluntary-before.Voluntary, s.usage(), direct.usage()
	t.Logf("%v idle: %d context switches, %d packets sent, %d ticks of CPU; %+v, without a NAT %+v",
		idle, n, sentThen-sent, after.CPU-before.CPU, u, d)
	for _, l := range s.d.Lines()[lines:] {
		t.Errorf("logged: %s", l.Text)
	}
	if float64(n) > 20+6*idle.Minutes() { // as of TestSoakIdle
		t.Errorf("%d wake-ups in %v", n, idle)
	}
	if idle < 15*time.Minute && sentThen-sent > 10 { // the kernel's own, of neighbours
		t.Errorf("%d packets", sentThen-sent)
	}
	if u.rss > d.rss+1024 {
		t.Errorf("%d kB, %d without a NAT", u.rss, d.rss)
	}
}
