package vendors

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// peer is one of Debian's dynamic DNS clients, run once.
type peer struct {
	program string
	debian  string // package
	args    []string
	head    string // of its configuration
}

// Words in what follows: DIR is a directory of the run, CA the authority's file.
var (
	ddclient = peer{
		program: "ddclient", debian: "ddclient libio-socket-ssl-perl",
		args: []string{"-daemon=0", "-file", "DIR/config", "-cache", "DIR/cache", "-pid", "DIR/pid", "-noquiet", "-verbose", "-force"},
		head: "syslog=no\nssl=yes\nssl_ca_file=CA\n",
	}
	inadyn = peer{
		program: "inadyn", debian: "inadyn",
		args: []string{"--once", "--force", "--foreground", "--no-pidfile", "--cache-dir=DIR", "--config=DIR/config", "--loglevel=debug"},
		head: "ca-trust-file = \"CA\"\nallow-ipv6 = true\n",
	}
)

// run lets the peer publish once, as its configuration says.
func (p peer) run(t *testing.T, config string) (output string) {
	t.Helper()
	dir := t.TempDir()
	fill := strings.NewReplacer("DIR", dir, "CA", web.caFile).Replace
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(fill(p.head+config)), 0o600); err != nil {
		t.Fatal(err)
	}
	var args []string
	for _, arg := range p.args {
		args = append(args, fill(arg))
	}
	path, err := exec.LookPath(p.program)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + p.program)
	}
	if err != nil {
		t.Fatalf("%s is missing: apt-get install %s", p.program, p.debian)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s does not end:\n%s", p.program, out)
	}
	if err != nil {
		return fmt.Sprintf("%s\n%v", out, err)
	}
	return string(out)
}

// reasons are differences, each with what explains it.
type reasons map[string]string

// common are the differences that all requests of a peer have.
var common = map[string]reasons{
	"ddclient": {
		"User-Agent ddclient": "each program says its own name",
		"no Accept":           "optional (RFC 9110 section 12.5.1); a few servers answer HTML without it",
	},
	"inadyn": {
		"User-Agent inadyn": "each program says its own name",
		"no Accept":         "as ddclient",
		"HTTP/1.0":          "so that no answer is chunked, which it cannot read; vendors answer both",
	},
}

// differences compares the peer's calls with ours by their meaning.
func differences(ours, peers []call) []string {
	var list []string
	add := func(format string, args ...any) {
		if text := fmt.Sprintf(format, args...); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	for _, c := range peers[min(len(ours), len(peers)):] {
		add("one more: %s %s", c.method, c.path)
	}
	for _, c := range ours[min(len(ours), len(peers)):] {
		add("one less: %s %s", c.method, c.path)
	}
	for i := range min(len(ours), len(peers)) {
		a, b := ours[i], peers[i]
		if a.proto != b.proto {
			add("%s", b.proto)
		}
		for _, pair := range [][3]string{
			{"method", a.method, b.method}, {"host", a.host, b.host}, {"path", a.path, b.path},
			{"credentials", a.user + ":" + a.password, b.user + ":" + b.password},
		} {
			if pair[1] != pair[2] {
				add("%s %s, not %s", pair[0], pair[2], pair[1])
			}
		}
		compareParams(add, "", params(a.query), params(b.query))
		compareHeaders(add, a.header, b.header)
		compareBodies(add, a, b)
	}
	return list
}

func params(query map[string][]string) map[string]any {
	flat := map[string]any{}
	for key, values := range query {
		flat[key] = strings.Join(values, " and ")
	}
	return flat
}

// compareParams compares what parameters or members of JSON objects mean.
func compareParams(add func(string, ...any), prefix string, a, b map[string]any) {
	keys := maps.Clone(a)
	maps.Copy(keys, b)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		mine, have := a[key]
		theirs, has := b[key]
		switch {
		case !has:
			add("no %s%s", prefix, key)
		case !have:
			add("%s%s=%v", prefix, key, theirs)
		case !reflect.DeepEqual(mine, theirs):
			add("%s%s=%v, not %v", prefix, key, theirs, mine)
		}
	}
}

func compareHeaders(add func(string, ...any), a, b http.Header) {
	keys := a.Clone()
	maps.Copy(keys, b)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		mine, theirs := a.Get(key), b.Get(key)
		basic := strings.HasPrefix(mine, "Basic ") && strings.HasPrefix(theirs, "Basic ")
		switch {
		case mine == theirs, basic, key == "Connection", key == "Content-Length":
		case key == "X-Nfsn-Authentication" && theirs != "": // verified by the vendor; never the same twice
		case theirs == "":
			add("no %s", key)
		case key == "User-Agent":
			program, _, _ := strings.Cut(theirs, "/")
			add("User-Agent %s", program)
		default:
			add("%s %s", key, theirs)
		}
	}
}

// compareBodies compares bodies; of a list, as GoDaddy has it, the only element.
func compareBodies(add func(string, ...any), a, b call) {
	object := func(text string) map[string]any {
		var list []map[string]any
		if json.Unmarshal([]byte(text), &list) == nil && len(list) == 1 {
			return list[0]
		}
		var one map[string]any
		json.Unmarshal([]byte(text), &one)
		return one
	}
	mine, theirs := object(a.body), object(b.body)
	if strings.HasPrefix(b.header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		one, err := url.ParseQuery(a.body)
		two, err2 := url.ParseQuery(b.body)
		if err == nil && err2 == nil {
			mine, theirs = params(one), params(two)
		}
	}
	if mine != nil && theirs != nil {
		compareParams(add, "member ", mine, theirs)
	} else if a.body != b.body {
		add("body %q, not %q", b.body, a.body)
	}
}

// explain fails the test for differences without a reason, and for reasons in
// why without a difference.
func explain(t *testing.T, found []string, usual, why reasons) {
	t.Helper()
	for _, difference := range found {
		reason := why[difference]
		if reason == "" {
			reason = usual[difference]
		}
		if reason == "" {
			t.Errorf("without a reason: %q", difference)
		} else {
			t.Logf("%s: %s", difference, reason)
		}
	}
	for _, difference := range slices.Sorted(maps.Keys(why)) {
		if !slices.Contains(found, difference) {
			t.Errorf("no more: %q", difference)
		}
	}
}
