// Package rpcd is the ubus object `wanbeacon` as rpcd's exec plugin: what a
// router's web page asks and changes.
//
// A call is a method and JSON arguments; the answer is always one JSON object,
// of the form in docs/rpc.md. It comes within a bounded time, whether the
// daemon runs or not. A secret is never in it. The package sends nothing to
// the network, and writes no file but the configuration.
//
// Start with [Object.Call].
package rpcd

import (
	"context"
	"errors"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/control"
	"github.com/wanbeacon/wanbeacon/ddns/json"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// List is what rpcd asks each plugin for when it starts: the methods, with
// their arguments' types by example.
const List = `{"status":{},"addresses":{},"log":{},"providers":{"name":""},"get_config":{},` +
	`"set_config":{"revision":"","tables":[],"check":true,"reload":true},` +
	`"update":{"hostnames":[],"force":true},"verify":{"hostnames":[]},"import_ddns_scripts":{"apply":true,"revision":""}}`

// Object answers calls. All its fields are needed.
type Object struct {
	Path    string        // of the configuration
	Version string        // of this program
	Socket  func() string // of the daemon

	Catalogue func() (*provider.Catalogue, []error)

	// Check judges what package config does not know of a valid configuration.
	// It may add warnings.
	Check func(*config.Config) config.Problems

	// Addresses looks for addresses without the daemon.
	Addresses func(context.Context) (*control.Addresses, error)
}

// failure is the answer to a call that cannot be done at all.
type failure struct {
	Error string `json:"error"`
}

// methods are given arguments in JSON; their result is what is marshalled.
// limit is how long one may take.
var methods = []struct {
	name  string
	limit time.Duration
	call  func(*Object, context.Context, []byte) (any, error)
}{
	{"status", 3 * time.Second, (*Object).status},
	{"addresses", 3 * time.Second, (*Object).addresses},
	{"log", 3 * time.Second, (*Object).log},
	{"providers", 10 * time.Second, (*Object).providers},
	{"get_config", 10 * time.Second, (*Object).getConfig},
	{"set_config", 10 * time.Second, (*Object).setConfig},
	{"update", 12 * time.Second, (*Object).update},
	{"verify", 15 * time.Second, (*Object).verify},
	{"import_ddns_scripts", 10 * time.Second, (*Object).importDDNSScripts},
}

// Call answers one call with a JSON object. args is an object, or nothing.
func (o *Object) Call(ctx context.Context, method string, args []byte) []byte {
	v, err := o.call(ctx, method, args)
	if err != nil {
		v = failure{err.Error()}
	}
	text, err := json.Marshal(v)
	if err != nil {
		text, _ = json.Marshal(failure{err.Error()})
	}
	return text
}

func (o *Object) call(ctx context.Context, method string, args []byte) (any, error) {
	if len(args) == 0 {
		args = []byte("{}")
	}
	for _, m := range methods {
		if m.name == method {
			ctx, cancel := context.WithTimeout(ctx, m.limit)
			defer cancel()
			return m.call(o, ctx, args)
		}
	}
	return nil, errors.New("there is no such method")
}

// problem is a mistake in a file.
type problem struct {
	Path    string `json:"path"`
	Line    int    `json:"line"`
	Message string `json:"message"`
	Key     string `json:"key"`
}

// problems returns an error as mistakes, by line.
func problems(err error) []problem {
	list := []problem{}
	switch err := err.(type) {
	case nil:
	case config.Problems:
		for _, p := range err {
			list = append(list, problem(p))
		}
	case config.Problem:
		list = append(list, problem(err))
	default:
		list = append(list, problem{Message: err.Error()})
	}
	return list
}

// some returns list, or an empty one: never null.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
