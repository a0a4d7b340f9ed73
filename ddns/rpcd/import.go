package rpcd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/importer"
	"github.com/wanbeacon/wanbeacon/ddns/json"
)

// ddnsScripts is where OpenWrt's other client has its settings. A test has
// them elsewhere.
var ddnsScripts = "/etc/config/ddns"

type importReply struct {
	Found     bool        `json:"found"`
	File      string      `json:"file"`
	Config    string      `json:"config"`
	Notes     []noteReply `json:"notes"`
	Adds      []string    `json:"adds"`
	Skips     []skipReply `json:"skips"`
	Providers int         `json:"providers"`
	Records   int         `json:"records"`
	saved
}

type noteReply struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
}

type skipReply struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

func (o *Object) importDDNSScripts(ctx context.Context, args []byte) (any, error) {
	var a struct {
		Apply    bool   `json:"apply"`
		Revision string `json:"revision"`
	}
	if err := json.Unmarshal(args, &a); err != nil {
		return nil, err
	}
	r := &importReply{File: ddnsScripts, Notes: []noteReply{}, Adds: []string{}, Skips: []skipReply{}}
	r.Errors, r.Warnings = []problem{}, []problem{}
	ours, revision, err := config.Read(o.Path)
	if err != nil {
		return nil, err
	}
	r.Revision = revision
	theirs, err := importer.ReadFile(ddnsScripts)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ddnsScripts, err)
	}
	r.Found = true
	catalogue, _ := o.Catalogue()
	result, err := importer.DDNSScripts(theirs, importer.Options{Catalogue: catalogue, ReadFile: importer.ReadFile, Getenv: os.LookupEnv})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ddnsScripts, err)
	}
	for _, n := range result.Notes {
		r.Notes = append(r.Notes, noteReply(n))
	}
	m := merger{importReply: r}
	if err := m.merge(o.Path, ours, result.Config); err != nil {
		return nil, err
	}
	shown := make([]config.Edit, len(m.edits))
	for i, e := range m.edits {
		set := map[string]any{}
		for k, v := range e.Set {
			set[k] = v
		}
		if name, ok := strings.CutPrefix(e.Table, "provider."); ok {
			hide(name, set, catalogue)
		}
		for k, v := range set {
			if _, isSecret := v.(map[string]any); isSecret {
				set[k] = "[secret]"
			}
		}
		shown[i] = config.Edit{Table: e.Table, Set: set}
	}
	text, err := config.Rewrite(o.Path, nil, shown)
	if err != nil {
		return nil, err
	}
	r.Config = string(text)
	if a.Apply {
		c := change{Revision: a.Revision, Reload: true}
		s, err := o.save(ctx, c, func(text []byte) ([]byte, error) { return config.Rewrite(o.Path, text, m.edits) })
		if err != nil {
			return nil, err
		}
		r.saved = *s
	}
	return r, nil
}
