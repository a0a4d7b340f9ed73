package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/address"
	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/control"
	"github.com/wanbeacon/wanbeacon/ddns/publish"
	"github.com/wanbeacon/wanbeacon/netwatch"
)

// daemon is the running program as its users see it: it answers the control
// socket and reloads the configuration.
type daemon struct {
	log     *logger
	path    string
	salt    string
	dry     bool
	brief   bool // run -once
	started time.Time
	loop    *publish.Loop
	follow  func([]netwatch.MAC) // of the watcher

	socket, stateDir string // in use; a reload does not change them

	// unread: the file could not be read at the start, and nothing is published
	// or saved. When it can be read, end begins anew with errAgain.
	unread bool
	end    context.CancelCauseFunc

	reloads chan chan struct{} // asked for at the socket; closed when done

	mu       sync.Mutex
	revision string
	failed   error // the last reload's; nil: the file is in force
}

// load reads the configuration and makes it the one in force.
func (d *daemon) load() (*config.Config, publish.Plan, error) {
	cfg, plan, err := loadPlan(d.path, d.salt)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failed = err
	if err != nil {
		return nil, plan, err
	}
	for _, w := range cfg.Warnings {
		d.log.Warnf("%v", w)
	}
	d.revision = cfg.Revision
	if d.dry {
		plan.Accounts = dryRun(d.log, plan.Accounts)
	}
	if d.dry || d.brief {
		plan.Verify.Enabled = false
	}
	return cfg, plan, nil
}

// reload puts the configuration file in force, or says what is wrong with it
// and keeps the one before.
func (d *daemon) reload(ctx context.Context) {
	cfg, plan, err := d.load()
	if err != nil {
		before := "configuration not reloaded, the one before stays in force:"
		if d.unread {
			before = "the configuration is still wrong:"
		}
		d.tell(before, err)
		return
	}
	if d.unread {
		d.end(errAgain)
		return
	}
	d.log.setLevel(cfg.Daemon.LogLevel)
	if cfg.Daemon.Socket != d.socket || cfg.Daemon.StateDir != d.stateDir {
		d.log.Warnf("socket and state_dir change with the next start of wanbeacon, not with a reload")
	}
	if err := d.loop.Reload(ctx, plan); err != nil {
		return // stopping
	}
	d.follow(address.Hosts(plan.Sources))
	d.log.Infof("configuration reloaded: %s", count(len(plan.Records), "address record"))
}

// tell logs what is wrong with the configuration, a line each.
func (d *daemon) tell(headline string, problems error) {
	d.log.Errorf("%s", headline)
	for _, line := range strings.Split(problems.Error(), "\n") {
		d.log.Errorf("%s", line)
	}
}

// Status implements control.Backend.
func (d *daemon) Status(ctx context.Context) (*control.Status, error) {
	records, aliases, answers, err := d.loop.Status(ctx)
	if err != nil {
		return nil, err
	}
	s := &control.Status{Version: version, Uptime: int64(time.Since(d.started).Seconds()), Config: d.config()}
	s.FillRecords(records, answers)
	s.FillAliases(aliases)
	return s, nil
}

// config tells which configuration is in force.
func (d *daemon) config() control.Config {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := control.Config{Path: d.path, Revision: d.revision}
	if d.failed != nil {
		text := d.failed.Error()
		c.Error = &text
	}
	return c
}

// Reload implements control.Backend.
func (d *daemon) Reload(ctx context.Context) (*control.Config, error) {
	done := make(chan struct{})
	select {
	case d.reloads <- done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	<-done
	c := d.config()
	return &c, nil
}

// Log implements control.Backend.
func (d *daemon) Log(context.Context) (*control.Log, error) { return d.log.ring.Log(), nil }

// Addresses implements control.Backend.
func (d *daemon) Addresses(ctx context.Context) (*control.Addresses, error) {
	_, list, answers, err := d.loop.Explain(ctx)
	if err != nil {
		return nil, err
	}
	a := new(control.Addresses)
	a.FillAddresses(list, answers)
	return a, nil
}

// Verify implements control.Backend.
func (d *daemon) Verify(ctx context.Context, hosts []string) (*control.Verification, error) {
	findings, unknown, err := d.loop.Look(ctx, hostnames(hosts))
	if err == nil {
		err = unknownHosts(unknown)
	}
	if err != nil {
		return nil, err
	}
	v := new(control.Verification)
	v.FillFindings(findings)
	return v, nil
}

// hostnames are hosts as records have them.
func hostnames(hosts []string) []string {
	for i, h := range hosts {
		hosts[i] = strings.ToLower(strings.TrimSuffix(h, "."))
	}
	return hosts
}

func unknownHosts(unknown []string) error {
	if len(unknown) == 0 {
		return nil
	}
	return fmt.Errorf("no record has the hostname %s; \"wanbeacon status\" lists them", strings.Join(unknown, ", "))
}

// Update implements control.Backend.
func (d *daemon) Update(ctx context.Context, hosts []string, force bool) (*control.Status, error) {
	hosts = hostnames(hosts)
	// The client waits 30 s; it is to get the status even if a request hangs.
	wait, cancel := context.WithTimeout(ctx, 25*time.Second)
	defer cancel()
	unknown, err := d.loop.Update(wait, hosts, force)
	if err == nil {
		err = unknownHosts(unknown)
	}
	if err != nil {
		return nil, err
	}
	return d.Status(ctx)
}
