package main

import (
	"context"

	"github.com/wanbeacon/wanbeacon/ddns/provider"
	"github.com/wanbeacon/wanbeacon/ddns/publish"
)

// previewer is a provider that can say what it would send.
type previewer interface {
	publish.Provider
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

// Remove logs what would be removed.
func (d dry) Remove(_ context.Context, _ provider.Origin, updates []provider.Update) []provider.Outcome {
	outcomes := make([]provider.Outcome, len(updates))
	for i, u := range updates {
		d.log.Infof("would remove: %s %v", u.Hostname, u.Family)
		outcomes[i] = provider.Outcome{Class: provider.Updated, Pretend: true}
	}
	return outcomes
}
