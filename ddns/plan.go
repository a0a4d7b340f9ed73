package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/outside"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/publish"
)

// loadPlan reads and validates the configuration and turns it into what is to
// be published. The error is all problems found, as config.Problems. A plan
// without an error can be run.
func loadPlan(path, salt string) (*config.Config, publish.Plan, error) {
	cfg, err := config.Load(path)
	if err != nil {
		return nil, publish.Plan{}, err
	}
	plan, problems := newPlan(cfg, salt)
	if len(problems) > 0 {
		return nil, publish.Plan{}, problems
	}
	return cfg, plan, nil
}

func newPlan(cfg *config.Config, salt string) (publish.Plan, config.Problems) {
	b := planner{cfg: cfg, salt: salt, providers: map[string]*provider.Provider{}}
	catalogue, broken := provider.Open(cfg.Daemon.ProvidersDir)
	for _, err := range broken {
		// A user's definition that is broken stops nothing unless it is used;
		// then Lookup says so.
		cfg.Warnings = append(cfg.Warnings, cfg.Problem("daemon.providers_dir", "%v", err))
	}
	b.plan.Sources, b.plan.Outside = cfg.Sources, newOutside(cfg)
	b.plan.Verify, b.plan.Verifier = cfg.Verify, newLookout(cfg)
	for _, p := range cfg.Providers {
		b.account(p, catalogue)
	}
	for _, r := range cfg.Records {
		b.record(r)
	}
	for _, a := range cfg.Aliases {
		b.alias(a)
	}
	b.plan.Messengers = messengers(cfg)
	sort.SliceStable(b.problems, func(i, j int) bool { return b.problems[i].Line < b.problems[j].Line })
	return b.plan, b.problems
}

func newOutside(cfg *config.Config) *outside.Asker {
	return outside.New(provider.Options{Version: version, CAFile: cfg.Daemon.CAFile, Timeout: cfg.Daemon.Timeout})
}

// planner collects a plan and the problems on the way.
type planner struct {
	cfg       *config.Config
	salt      string
	plan      publish.Plan
	providers map[string]*provider.Provider
	problems  config.Problems
}

func (b *planner) problem(key, format string, args ...any) {
	b.problems = append(b.problems, b.cfg.Problem(key, format, args...))
}

func (b *planner) account(p config.Provider, catalogue *provider.Catalogue) {
	table := "provider." + p.Name
	def, err := catalogue.Lookup(p.Type)
	if err != nil {
		b.problem(table+".type", "%v", err)
		return
	}
	d := b.cfg.Daemon
	made, bad := provider.New(def, p, provider.Options{Version: version, CAFile: d.CAFile, Timeout: d.Timeout})
	for _, f := range bad {
		b.problem(table+"."+f.Key, "%s", f.Message)
	}
	if len(bad) > 0 {
		return
	}
	b.providers[p.Name] = made
	b.plan.Accounts = append(b.plan.Accounts, publish.Account{
		Name: p.Name, Bind: p.Bind, Provider: made,
		Unverifiable: made.Unverifiable(),
		Identity:     b.digest(b.identity(p), p.Bind, fmt.Sprint(p.InsecureHTTP, d.Timeout), d.CAFile),
	})
}

// identity names the account at the provider: everything that decides whose
// records are updated, and with what right.
func (b *planner) identity(p config.Provider) string {
	parts := []string{p.Type, p.Server}
	keys := make([]string, 0, len(p.Fields))
	for k := range p.Fields {
		keys = append(keys, k)
	}
	sort.Sort(sort.StringSlice(keys))
	for _, k := range keys {
		parts = append(parts, k, p.Fields[k].Reveal())
	}
	return b.digest(parts...)
}

// digest is a keyed hash, so that the saved state gives no password away.
func (b *planner) digest(parts ...string) string {
	h := hmac.New(sha256.New, []byte(b.salt))
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (b *planner) record(r config.Record) {
	key := fmt.Sprintf("record[%d].", r.Index)
	p, ok := b.providers[r.Provider]
	if !ok {
		return // the account's own problem has been reported
	}
	if err := p.CheckHost(r.Hostname); err != nil {
		b.problem(key+"hostname", "%v", err)
	}
	if r.TTL > 0 && !p.HasTTL() {
		b.problem(key+"ttl", "provider %q has no way to set a TTL; remove this line", r.Provider)
	}
	if r.AllSources && !p.CanSeveral() {
		b.problem(key+"all_sources", "provider %q has one address of each family at a name: remove this line, and the first of the sources that has one is published, or take a provider that can write several, such as rfc2136, cloudflare or desec-api (\"wanbeacon providers\" shows which)", r.Provider)
	}
	if r.RemoveOnExit && !p.CanRemove() {
		b.problem(key+"remove_on_exit", "provider %q has no way to remove an address; remove this line", r.Provider)
	}
	acct, _ := b.cfg.Provider(r.Provider)
	for _, f := range r.Families {
		if !p.Supports(f) {
			b.problem(key+"families", "provider %q cannot publish %s addresses", r.Provider, f)
			continue
		}
		b.plan.Records = append(b.plan.Records, publish.Record{
			Key:    publish.Key{Hostname: r.Hostname, Provider: r.Provider, Family: f},
			Source: r.Source, Fallbacks: r.Fallbacks, All: r.AllSources, TTL: r.TTL, Force: acct.ForceInterval, Enabled: r.Enabled,
			OnChange: r.OnChange, RemoveOnExit: r.RemoveOnExit,
			Identity: b.digest(b.identity(acct), r.Hostname, r.TTL.String()),
		})
	}
}

// aliasTTL is that of an alias's CNAME, where the provider lets one set it: what
// resolvers keep delays a move.
const aliasTTL = time.Minute

func (b *planner) alias(a config.Alias) {
	key := fmt.Sprintf("alias[%d].", a.Index)
	p, ok := b.providers[a.Provider]
	if !ok {
		return
	}
	if !p.CanCNAME() {
		b.problem(key+"provider", "provider %q cannot write a CNAME; an alias needs one that can, such as rfc2136, cloudflare or desec-api (\"wanbeacon providers\" shows which)", a.Provider)
		return
	}
	if err := p.CheckCNAME(a.Hostname); err != nil {
		b.problem(key+"hostname", "%v", err)
	}
	if !b.cfg.Verify.Enabled {
		b.problem(key+"targets", "an alias follows what the DNS shows of its targets: set verify.enabled = true")
	}
	acct, _ := b.cfg.Provider(a.Provider)
	to := publish.Alias{Hostname: a.Hostname, Provider: a.Provider, Targets: a.Targets, FailAfter: a.FailAfter, ReturnAfter: a.ReturnAfter,
		Identity: b.digest(b.identity(acct), a.Hostname)}
	if p.HasTTL() {
		to.TTL = aliasTTL
	}
	b.plan.Aliases = append(b.plan.Aliases, to)
}
