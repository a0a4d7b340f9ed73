package config

import (
	"errors"
	"net/netip"
	"strings"
)

// normalHostname returns a full host name in lower case without its trailing
// dot. Labels are as RFC 1123 2.1 has them, "_" allowed too; the first may be
// "*". The total length is bounded as in RFC 1035 2.3.4.
func normalHostname(s string) (string, error) {
	name := strings.ToLower(strings.TrimSuffix(s, "."))
	switch {
	case name == "":
		return "", errors.New("is empty; write the whole name, such as home.example.net")
	case strings.ContainsAny(name, ", \t"):
		return "", errors.New("is more than one name; write one table for each")
	case strings.Contains(name, "://"), strings.Contains(name, "/"):
		return "", errors.New("is a URL; write the name alone, such as home.example.net")
	case strings.Contains(name, "@"):
		return "", errors.New("has an @; write the whole name, such as example.net or home.example.net")
	}
	for i := range len(name) {
		if name[i] >= 0x80 {
			return "", errors.New("has other letters than a to z; write its xn-- form, as your provider shows it")
		}
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return "", errors.New("is an address; write a name, such as home.example.net")
	}
	if len(name) > 253 {
		return "", errors.New("is longer than 253 characters")
	}
	labels := strings.Split(strings.TrimPrefix(name, "*."), ".")
	for _, label := range labels {
		if err := checkLabel(label); err != nil {
			return "", err
		}
	}
	if len(labels) < 2 {
		return "", errors.New("is not a whole name; add the domain, such as home.example.net")
	}
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return "", errors.New("ends in a number; a domain does not")
	}
	return name, nil
}

func checkLabel(label string) error {
	switch {
	case label == "":
		return errors.New("has two dots in a row, or begins with one")
	case len(label) > 63:
		return errors.New("has more than 63 characters between two dots")
	case label[0] == '-' || label[len(label)-1] == '-':
		return errors.New("has a - beside a dot or at an end")
	case label == "*":
		return errors.New("has a * that is not alone at the beginning")
	}
	for i := range len(label) {
		if !isBare(label[i]) {
			return errors.New("has " + quote(label[i:i+1]) + " in it; a name has letters, digits, - and dots")
		}
	}
	return nil
}

// hostname reads a host name.
func (t *table) hostname(key, what string, to *string) bool {
	if _, isList := t.values[key].([]any); isList {
		t.has(key)
		t.fail(t.at(key), "%s must be one name between double quotes; write one [[%s]] for each name", quote(key), what)
		return false
	}
	var s string
	if !t.text(key, &s) {
		return false
	}
	name, err := normalHostname(s)
	switch {
	case s == "":
		t.fail(t.at(key), "%s %v", quote(key), err)
		return false
	case err != nil:
		t.fail(t.at(key), "%s: %s %v", quote(key), quote(s), err)
		return false
	}
	*to = name
	return true
}
