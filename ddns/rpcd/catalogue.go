package rpcd

import (
	"context"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/json"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

type catalogueReply struct {
	Providers []providerReply `json:"providers"`
	Errors    []problem       `json:"errors"`
}

// providerReply is what a form needs to know of a provider.
type providerReply struct {
	Name          string       `json:"name"`
	Title         string       `json:"title"`
	Own           bool         `json:"own"`
	Documentation []string     `json:"documentation"`
	Notes         []string     `json:"notes"`
	Families      []string     `json:"families"`
	CanCreate     bool         `json:"can_create"`
	CanDelete     bool         `json:"can_delete"`
	CanCNAME      bool         `json:"can_cname"`
	CanSeveral    bool         `json:"can_several"`
	TTL           bool         `json:"ttl"`
	Verify        bool         `json:"verify"`
	Unverifiable  *string      `json:"unverifiable"`
	MinInterval   int64        `json:"min_interval_seconds"`
	Zones         []string     `json:"zones"`
	Server        string       `json:"server"`
	Fields        []fieldReply `json:"fields"`
	Sample        sampleReply  `json:"sample"`
}

type fieldReply struct {
	Key      string   `json:"key"`
	Label    string   `json:"label"`
	Help     *string  `json:"help"`
	Secret   bool     `json:"secret"`
	Required bool     `json:"required"`
	Default  *string  `json:"default"`
	Choices  []string `json:"choices"`
	Lines    bool     `json:"lines"`
	Also     []string `json:"also"`
}

type sampleReply struct {
	Hostname string            `json:"hostname"`
	Values   map[string]string `json:"values"`
}

func (o *Object) providers(_ context.Context, args []byte) (any, error) {
	var only struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(args, &only); err != nil {
		return nil, err
	}
	catalogue, broken := o.Catalogue()
	names := []string{only.Name}
	if only.Name == "" {
		names = catalogue.Names()
	}
	r := catalogueReply{[]providerReply{}, []problem{}}
	for _, err := range broken {
		r.Errors = append(r.Errors, problems(err)...)
	}
	for _, name := range names {
		d, err := catalogue.Lookup(name)
		if err != nil && only.Name != "" {
			return nil, err
		}
		if err != nil { // changed since Open
			r.Errors = append(r.Errors, problems(err)...)
			continue
		}
		r.Providers = append(r.Providers, describe(d))
	}
	return r, nil
}

func describe(d *provider.Definition) providerReply {
	p := providerReply{
		Name: d.Name, Title: d.Title, Own: !d.BuiltIn(),
		Documentation: some(d.Docs), Notes: some(d.Notes),
		CanCreate: d.Record.Creates, CanDelete: d.CanRemove(), CanCNAME: d.Record.CNAME, CanSeveral: d.CanSeveral(), TTL: d.HasTTL(),
		Verify: d.DNS.Unverifiable == "", Unverifiable: null(d.DNS.Unverifiable),
		MinInterval: int64(time.Duration(d.Limits.MinInterval) / time.Second),
		Zones:       some(d.DNS.Zones), Server: d.ServerKey(),
		Fields: []fieldReply{}, Sample: sampleReply{d.Sample.Hostname, d.Sample.Config},
	}
	if p.Sample.Values == nil {
		p.Sample.Values = map[string]string{}
	}
	p.Families = []string{}
	for _, f := range []config.Family{config.IPv4, config.IPv6} {
		if d.Supports(f) {
			p.Families = append(p.Families, f.String())
		}
	}
	for _, f := range d.Fields {
		p.Fields = append(p.Fields, fieldReply{f.Key, f.Label, null(f.Help), f.Secret, f.Required, null(f.Default),
			some(f.Options), f.Lines, some(f.Also)})
	}
	return p
}

func null(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
