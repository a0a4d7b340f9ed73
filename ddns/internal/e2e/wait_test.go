package e2e

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// As a service: a wrong configuration at the start is told in log and status,
// the daemon lives, and a reload puts the right one in force.
func TestWaitForAConfiguration(t *testing.T) {
	for name, wrong := range map[string]string{
		"not TOML":             "[[record]\n",
		"an unknown key":       "[daemon]\nsocket = \"$DIR/socket\"\nstate_dir = \"$DIR/state\"\ncolour = 1\n",
		"a provider not known": "[provider.nobody]\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, lab.ProviderOptions{})
			s.online("11.22.33.7")
			s.prepare(wrong)
			s.d.Start("-wait")
			s.d.WaitLog(t.Context(), "nothing is published until the configuration is put right")
			s.d.WaitLog(t.Context(), "started with")
			if e := s.d.Status().Config.Error; !strings.Contains(e, "config.toml:") {
				t.Errorf("status: config.error is %q", e)
			}
			s.d.Mark()
			s.d.Signal(unix.SIGHUP)
			s.d.WaitLog(t.Context(), "config.toml:")

			s.d.Reload(s.plain())
			s.settled("11.22.33.7")
			if c := s.d.Status().Config; c.Error != "" || c.Revision == "" {
				t.Errorf("status: config is %+v", c)
			}
			s.d.Stop()
			if got := len(s.p.Requests()); got != 1 {
				t.Errorf("%d requests", got)
			}
			s.d.Start("-wait") // what was published is known
			s.d.WaitLog(t.Context(), "started with")
			s.quiet()
		})
	}
}

func TestWrongConfigurationEndsARunWithoutWait(t *testing.T) {
	s := newSite(t, lab.ProviderOptions{})
	s.prepare("[[record]\n")
	if r := s.d.Command("run"); r.Status != 1 || !strings.Contains(r.Stderr, "config.toml:1:") {
		t.Errorf("exit %d\n%s", r.Status, r.Stderr)
	}
}
