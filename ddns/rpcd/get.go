package rpcd

import (
	"context"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/json"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

type configReply struct {
	Path     string          `json:"path"`
	Revision string          `json:"revision"`
	Config   map[string]any  `json:"config"`
	Defaults json.RawMessage `json:"defaults"`
	Errors   []problem       `json:"errors"`
	Warnings []problem       `json:"warnings"`
}

// defaults are what package config fills in; a test compares them with it.
const defaults = `{"daemon":{"state_dir":"/var/lib/wanbeacon","socket":"/var/run/wanbeacon.sock","log_level":"info",` +
	`"providers_dir":"/etc/wanbeacon/providers.d","ca_file":"","timeout":"20s"},` +
	`"source":{"method":"auto","interface":"auto","allow_private":false},` +
	`"provider":{"insecure_http":false,"force_interval":"off"},` +
	`"record":{"source":"wan","all_sources":false,"families":["ipv4"],"enabled":true,"remove_on_exit":false},` +
	`"alias":{"fail_after":"5m","return_after":"30m"},` +
	`"verify":{"enabled":true,"interval":"10m","resolver":"","roots":[]},"notify":{}}`

func (o *Object) getConfig(context.Context, []byte) (any, error) {
	text, revision, err := config.Read(o.Path)
	r := configReply{Path: o.Path, Revision: revision, Defaults: json.RawMessage(defaults), Errors: problems(err)}
	if err == nil {
		var tree map[string]any
		if tree, err = config.Tree(o.Path, text); err == nil {
			catalogue, _ := o.Catalogue()
			r.Config = open(tree, catalogue)
		}
	}
	if revision == "" {
		r.Warnings = []problem{}
		return r, nil
	}
	warnings, err := o.judged()
	r.Errors, r.Warnings = problems(err), some(warnings)
	return r, nil
}

// judged reads the file as the daemon would. The error is Problems.
func (o *Object) judged() (warnings []problem, err error) {
	cfg, err := config.Load(o.Path)
	if err != nil {
		return nil, err
	}
	return o.check(cfg)
}

// check completes what package config found of a configuration.
func (o *Object) check(cfg *config.Config) (warnings []problem, err error) {
	if found := o.Check(cfg); len(found) > 0 {
		err = found
	}
	for _, w := range cfg.Warnings {
		warnings = append(warnings, problem(w))
	}
	return warnings, err
}

// hidden stands for a secret.
var hidden = map[string]any{"set": true}

// open returns the file's tables without its secrets. What is not of their
// shape is left out; the errors tell of it.
func open(tree map[string]any, catalogue *provider.Catalogue) map[string]any {
	c := map[string]any{}
	for _, kind := range []string{"daemon", "verify", "notify"} {
		c[kind] = table(tree[kind])
	}
	if n := c["notify"].(map[string]any); n["url"] != nil && n["url"] != "" {
		n["url"] = hidden // whoever knows it can write there
	}
	for _, kind := range []string{"source", "provider"} {
		named := map[string]any{}
		for name, v := range table(tree[kind]) {
			if t, ok := v.(map[string]any); ok {
				named[name] = t
			}
		}
		c[kind] = named
	}
	for name, v := range c["provider"].(map[string]any) {
		hide(name, v.(map[string]any), catalogue)
	}
	for _, kind := range []string{"record", "alias"} {
		list := []any{}
		switch v := tree[kind].(type) {
		case []map[string]any:
			for _, t := range v {
				list = append(list, t)
			}
		case []any:
			for _, t := range v {
				list = append(list, table(t))
			}
		}
		c[kind] = list
	}
	return c
}

func table(v any) map[string]any {
	t, ok := v.(map[string]any)
	if !ok {
		return map[string]any{}
	}
	return t
}

// hide takes the secrets out of a provider's table.
func hide(name string, t map[string]any, catalogue *provider.Catalogue) {
	if typ, ok := t["type"].(string); ok {
		name = typ
	}
	d, _ := catalogue.Lookup(name)
	for key, v := range t {
		text, isText := v.(string)
		switch {
		case isText && text == "", config.IsProviderKey(key) && !strings.Contains(text, "@"):
		case isText && strings.HasSuffix(key, "_file"):
		case d == nil || d.Secret(key, text):
			t[key] = hidden
		}
	}
}
