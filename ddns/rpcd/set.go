package rpcd

import (
	"context"
	"errors"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/control"
	"github.com/wanbeacon/wanbeacon/ddns/json"
)

// change is set_config's arguments.
type change struct {
	Revision string       `json:"revision"`
	Tables   []tableReply `json:"tables"`
	Check    bool         `json:"check"`
	Reload   bool         `json:"reload"`
}

type tableReply struct {
	Table  string         `json:"table"`
	Set    map[string]any `json:"set"`
	Rename string         `json:"rename"`
	Remove bool           `json:"remove"`
}

// saved is what became of a change.
type saved struct {
	Saved       bool      `json:"saved"`
	Revision    string    `json:"revision"`
	Stale       bool      `json:"stale"`
	Errors      []problem `json:"errors"`
	Warnings    []problem `json:"warnings"`
	Running     bool      `json:"running"`
	Reloaded    bool      `json:"reloaded"`
	ReloadError *string   `json:"reload_error"`
}

func (o *Object) setConfig(ctx context.Context, args []byte) (any, error) {
	c := change{Reload: true}
	if err := json.Unmarshal(args, &c); err != nil {
		return nil, err
	}
	edits := make([]config.Edit, len(c.Tables))
	for i, t := range c.Tables {
		edits[i] = config.Edit{Table: t.Table, Set: plain(t.Set), Rename: t.Rename, Remove: t.Remove}
	}
	return o.save(ctx, c, func(text []byte) ([]byte, error) { return config.Rewrite(o.Path, text, edits) })
}

// plain returns values as package config takes them. A secret that comes back
// as it was shown is no change.
func plain(set map[string]any) map[string]any {
	values := map[string]any{}
	for key, v := range set {
		if shown, ok := v.(map[string]any); ok && len(shown) == 1 && shown["set"] == true {
			continue
		}
		values[key] = number(v)
	}
	return values
}

func number(v any) any {
	switch v := v.(type) {
	case json.Number:
		return config.Number(v)
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = number(e)
		}
		return list
	}
	return v
}

// save rewrites the file, if it still is the one that the change is meant for
// and if the result is valid, and has the daemon read it.
func (o *Object) save(ctx context.Context, c change, rewrite func([]byte) ([]byte, error)) (*saved, error) {
	unlock, err := lock(o.Path)
	if err != nil {
		return nil, err
	}
	defer unlock()
	text, revision, err := config.Read(o.Path)
	r := &saved{Revision: revision, Errors: []problem{}, Warnings: []problem{}}
	if err == nil && revision != c.Revision {
		r.Stale = true
		err = config.Problem{Path: o.Path, Message: "the file has been changed meanwhile; read it again"}
	}
	if err != nil {
		r.Errors = problems(err)
		return r, nil
	}
	daemon := o.client() // where the daemon is that has the old file
	fresh, err := rewrite(text)
	var cfg *config.Config
	if err == nil {
		cfg, err = config.Parse(o.Path, fresh)
	}
	if err == nil {
		r.Warnings, err = o.check(cfg)
		r.Warnings = some(r.Warnings)
	}
	if err == nil && !c.Check && (revision == "" || string(fresh) != string(text)) {
		if err = replace(o.Path, daemon.Socket, fresh); err != nil {
			err = config.Problem{Path: o.Path, Message: err.Error()}
		}
	}
	if err != nil {
		r.Errors = problems(err)
		return r, nil
	}
	if c.Check {
		return r, nil
	}
	r.Saved, r.Revision = true, cfg.Revision
	if c.Reload {
		o.reload(ctx, daemon, r)
	}
	return r, nil
}

// reload has the daemon read the file.
func (o *Object) reload(ctx context.Context, daemon control.Client, r *saved) {
	in, err := daemon.Reload(ctx)
	r.Running = !errors.Is(err, control.ErrNotRunning)
	switch {
	case err == nil && in.Error == nil:
		r.Reloaded = true
	case err == nil:
		r.ReloadError = in.Error
	case r.Running:
		text := err.Error()
		r.ReloadError = &text
	}
}
