package main

import (
	"context"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/publish"
)

// previewer is a provider that can say what it would send.
type previewer interface {
	publish.Provider
	publish.CNAMEWriter
	Preview([]provider.Update) []string
}

// dry is a provider that logs its requests and sends none.
type dry struct {
	previewer
	log *logger
}

func dryRun(log *logger, accounts []publish.Account) []publish.Account {
	for i, a := range accounts {
		accounts[i].Provider = dry{a.Provider.(previewer), log}
	}
	return accounts
}

// Send logs the request and takes it for done.
func (d dry) Send(_ context.Context, _ provider.Origin, updates []provider.Update) []provider.Outcome {
	for _, line := range d.Preview(updates) {
		d.log.Infof("would send: %s", line)
	}
	outcomes := make([]provider.Outcome, len(updates))
	for i := range outcomes {
		outcomes[i] = provider.Outcome{Class: provider.Updated, Pretend: true}
	}
	return outcomes
}

// SetCNAME logs where an alias would lead and takes it for done.
func (d dry) SetCNAME(_ context.Context, _ provider.Origin, hostname, target string, _ time.Duration) provider.Outcome {
	d.log.Infof("would make %s an alias of %s", hostname, target)
	return provider.Outcome{Class: provider.Updated, Pretend: true}
}

// Remove logs what would be removed.
func (d dry) Remove(_ context.Context, _ provider.Origin, updates []provider.Update) []provider.Outcome {
	outcomes := make([]provider.Outcome, len(updates))
	for i, u := range updates {
		d.log.Infof("would remove: %s %v", u.Hostname, u.Family)
		outcomes[i] = provider.Outcome{Class: provider.Updated, Pretend: true}
	}
	return outcomes
}
