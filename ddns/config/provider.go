package config

import (
	"bytes"
	"errors"
	"strings"
	"time"
)

// providerKeys are the keys that every provider table may have.
var providerKeys = []string{"type", "server", "insecure_http", "bind", "force_interval"}

// IsProviderKey reports whether every provider table may have the key. The
// others are the provider's.
func IsProviderKey(key string) bool { return contains(providerKeys, key) }

// providers reads the tables [provider.NAME].
func (t *table) providers() []Provider {
	var list []Provider
	for _, t := range t.named("provider") {
		list = append(list, t.provider())
	}
	return list
}

func (t *namedTable) provider() Provider {
	p := Provider{Name: t.name, Type: t.name, Fields: make(map[string]Secret)}
	if t.text("type", &p.Type) && p.Type == "" {
		t.fail(t.at("type"), "`type` is empty; `wanbeacon providers` lists the types")
	}
	if t.text("server", &p.Server) && p.Server == "" {
		t.fail(t.at("server"), "`server` is empty; leave it out to use the provider's own")
	}
	t.flag("insecure_http", &p.InsecureHTTP)
	t.device("bind", &p.Bind)
	t.forceInterval(&p)
	for _, key := range t.keys() {
		if !contains(providerKeys, key) {
			t.field(key, p.Fields)
		}
	}
	return p
}

func (t *namedTable) forceInterval(p *Provider) {
	const key = "force_interval"
	switch t.values[key] {
	case "off":
		return
	case false:
		t.fail(t.at(key), "`force_interval` must be a duration between double quotes, such as \"30d\", or \"off\"")
		return
	}
	t.duration(key, &p.ForceInterval, time.Second, maxDuration)
	if p.ForceInterval > 0 && p.ForceInterval < time.Hour {
		t.warn(t.at(key), "`force_interval` of less than an hour: providers block clients that send an unchanged address this often")
	}
}

// field puts the text of a key that the provider judges into fields. Its
// messages never have the value: it may be the secret.
func (t *namedTable) field(key string, fields map[string]Secret) {
	if name, twin := strings.CutSuffix(key, "_file"); twin {
		t.fieldFile(key, name, fields)
		return
	}
	switch v := t.values[key].(type) {
	case string:
		if strings.Contains(v, "\x00") {
			t.fail(t.at(key), "%s has a NUL byte in it", quote(key))
			return
		}
		fields[key] = NewSecret(v)
	case int64, float64, bool:
		// As written: 007 is no number to TOML, but 1_000 and 0x1F are.
		fields[key] = NewSecret(t.doc.raw(t.at(key)))
	case map[string]any:
		t.fail(t.at(key), "%s is a table inside %s; a provider's name has no dots, and its keys are text", quote(key), quote(t.path))
	default:
		t.fail(t.at(key), "%s must be text between double quotes, not %s", quote(key), kindOf(v))
	}
}

// fieldFile reads KEY_file, which stands for KEY.
func (t *namedTable) fieldFile(key, name string, fields map[string]Secret) {
	if name == "" || contains(providerKeys, name) {
		t.fail(t.at(key), "unknown key %s%s", quote(key), didYouMean(key, providerKeys))
		return
	}
	if _, both := t.values[name]; both {
		t.fail(t.at(key), "%s and %s are both there; keep one of them", quote(name), quote(key))
		return
	}
	var path string
	if !t.file(key, &path) {
		return
	}
	text, mode, err := readFile(path, maxSecret)
	if err != nil {
		t.fail(t.at(key), "%s: %s: %v", quote(key), printable(path), err)
		return
	}
	secret, err := secretText(text)
	if err != nil {
		t.fail(t.at(key), "%s: %s: %v", quote(key), printable(path), err)
		return
	}
	if w := openMode(path, mode); w != "" {
		t.warn(t.at(key), "%s: %s", quote(key), w)
	}
	fields[name] = NewSecret(secret)
}

// secretText returns what a KEY_file holds: its first line, or all of it if it
// is a PEM block or a JSON object, without the line end.
func secretText(text []byte) (string, error) {
	text = bytes.TrimPrefix(text, []byte(bom))
	whole := bytes.HasPrefix(text, []byte("-----BEGIN ")) || bytes.HasPrefix(text, []byte("{"))
	if i := bytes.IndexByte(text, '\n'); i >= 0 && !whole {
		text = text[:i]
	}
	text = bytes.TrimRight(text, "\r\n")
	switch {
	case len(text) == 0:
		return "", errors.New("its first line is empty; write the secret there")
	case bytes.IndexByte(text, 0) >= 0:
		return "", errors.New("has a NUL byte in it")
	}
	return string(text), nil
}
