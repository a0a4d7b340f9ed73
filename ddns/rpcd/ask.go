package rpcd

import (
	"context"
	"errors"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/control"
	"github.com/wanbeacon/wanbeacon/ddns/json"
)

// What the daemon answers.

type statusReply struct {
	Running bool    `json:"running"`
	Error   *string `json:"error"`
	control.Status
}

func (o *Object) client() control.Client { return control.Client{Socket: o.Socket()} }

func (o *Object) status(ctx context.Context, _ []byte) (any, error) {
	s, err := o.client().Status(ctx)
	if err == nil {
		return statusReply{Running: true, Status: *s}, nil
	}
	text := err.Error()
	r := statusReply{Running: !errors.Is(err, control.ErrNotRunning), Error: &text}
	r.Version = o.Version
	r.FillRecords(nil, nil)
	r.Config.Path = o.Path
	if _, err := o.judged(); err != nil {
		text := err.Error()
		r.Config.Error = &text
	}
	_, r.Config.Revision, _ = config.Read(o.Path)
	return r, nil
}

func (o *Object) addresses(ctx context.Context, _ []byte) (any, error) {
	a, err := o.client().Addresses(ctx)
	if errors.Is(err, control.ErrNotRunning) {
		return o.Addresses(ctx)
	}
	return a, err
}

type logReply struct {
	Running bool `json:"running"`
	control.Log
}

func (o *Object) log(ctx context.Context, _ []byte) (any, error) {
	r := logReply{Running: true}
	l, err := o.client().Log(ctx)
	switch {
	case errors.Is(err, control.ErrNotRunning):
		r.Running, r.Lines = false, []control.LogLine{}
	case err != nil:
		return nil, err
	default:
		r.Log = *l
	}
	return r, nil
}

// hosts are the arguments of update and verify.
type hosts struct {
	Hostnames []string `json:"hostnames"`
	Force     bool     `json:"force"`
}

// outcomeWait is how long the outcome of an update is waited for; a page waits
// no longer than 20 s.
const outcomeWait = 10 * time.Second

func (o *Object) update(ctx context.Context, args []byte) (any, error) {
	var h hosts
	if err := json.Unmarshal(args, &h); err != nil {
		return nil, err
	}
	wait, cancel := context.WithTimeout(ctx, outcomeWait)
	defer cancel()
	s, err := o.client().Update(wait, h.Hostnames, h.Force)
	switch {
	case wait.Err() != nil:
		return o.status(ctx, nil)
	case err != nil:
		return nil, err
	}
	return statusReply{Running: true, Status: *s}, nil
}

func (o *Object) verify(ctx context.Context, args []byte) (any, error) {
	var h hosts
	if err := json.Unmarshal(args, &h); err != nil {
		return nil, err
	}
	return o.client().Ask(ctx, "verify", h.Hostnames)
}
