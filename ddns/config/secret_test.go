package config

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

const hidden = "hunter2"

// holder has Secrets wherever a struct can have them.
type holder struct {
	Exported   Secret
	unexported Secret
	Pointer    *Secret
	List       []Secret
	Map        map[string]Secret
	Any        any
	inner      struct{ s []Secret }
}

func newHolder() holder {
	s := NewSecret(hidden)
	h := holder{s, s, &s, []Secret{s}, map[string]Secret{"k": s}, s, struct{ s []Secret }{[]Secret{s}}}
	return h
}

// leaks reports whether text has the secret in any form that is easily undone.
func leaks(text string) bool {
	for _, form := range []string{hidden, fmt.Sprintf("%x", hidden), fmt.Sprintf("%X", hidden), fmt.Sprintf("%v", []byte(hidden)), fmt.Sprintf("% x", hidden)} {
		if strings.Contains(strings.Trim(text, "[]"), strings.Trim(form, "[]")) {
			return true
		}
	}
	return false
}

func TestSecretIsNeverFormatted(t *testing.T) {
	s := NewSecret(hidden)
	for _, verb := range strings.Split("v +v #v s +s q #q x X #x d p T t c U e g b o 10.3s -5v", " ") {
		got := fmt.Sprintf("%"+verb, s)
		if leaks(got) {
			t.Errorf("%%%s gives %s", verb, got)
		}
		if !strings.ContainsAny(verb, "pT") && got != masked {
			t.Errorf("%%%s gives %s, want %s", verb, got, masked)
		}
		for _, v := range []any{&s, newHolder(), []Secret{s}, map[string]Secret{"k": s}, errors.Join(fmt.Errorf("a: %"+verb, s))} {
			if got := fmt.Sprintf("%"+verb, v); leaks(got) {
				t.Errorf("%%%s of %T gives %s", verb, v, got)
			}
		}
	}
	for _, got := range []string{fmt.Sprint(s), fmt.Sprintln(s, newHolder()), s.String(), s.GoString(), fmt.Sprintf("%d %[1]s", s)} {
		if leaks(got) {
			t.Error(got)
		}
	}
}

func TestSecretIsNeverMarshalled(t *testing.T) {
	s := NewSecret(hidden)
	h := newHolder()
	for name, marshal := range map[string]func(any) ([]byte, error){
		"json":        json.Marshal,
		"json indent": func(v any) ([]byte, error) { return json.MarshalIndent(v, "", " ") },
		"toml":        func(v any) ([]byte, error) { return toml.Marshal(map[string]any{"v": v}) },
		"xml":         xml.Marshal,
		"gob": func(v any) ([]byte, error) {
			var b bytes.Buffer
			err := gob.NewEncoder(&b).Encode(v)
			return b.Bytes(), err
		},
	} {
		for _, v := range []any{s, &s, h, &h, []Secret{s}, map[string]Secret{"k": s}} {
			got, err := marshal(v)
			if leaks(string(got)) || err != nil && leaks(err.Error()) {
				t.Errorf("%s of %T gives %s, %v", name, v, got, err)
			}
		}
	}
	if got, err := json.Marshal(map[string]Secret{"password": s}); err != nil || string(got) != `{"password":"[secret]"}` {
		t.Errorf("%s, %v", got, err)
	}
	if got, err := s.MarshalText(); err != nil || string(got) != masked {
		t.Errorf("%s, %v", got, err)
	}
}

func TestConfigCanBePrinted(t *testing.T) {
	c := mustParse(t, "[provider.p]\npassword = '"+hidden+"'\n[[record]]\nhostname = 'a.example.net'\nprovider = 'p'\n")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, c) + fmt.Sprintf(verb, *c); leaks(got) {
			t.Errorf("%s gives %s", verb, got)
		}
	}
	if got, err := json.Marshal(c); err != nil || leaks(string(got)) {
		t.Errorf("%s, %v", got, err)
	}
	if got := c.Providers[0].Fields["password"].Reveal(); got != hidden {
		t.Errorf("Reveal gives %q", got)
	}
}

func TestSecretComparesByItsText(t *testing.T) {
	a, b, other := NewSecret(hidden), NewSecret(hidden), NewSecret("x")
	if !a.Equal(b) || !reflect.DeepEqual(a, b) || a.Equal(other) || reflect.DeepEqual(a, other) {
		t.Error("not by its text")
	}
	if !(Secret{}).IsZero() || !NewSecret("").IsZero() || a.IsZero() || (Secret{}).Reveal() != "" || !(Secret{}).Equal(NewSecret("")) {
		t.Error("the empty one")
	}
}
