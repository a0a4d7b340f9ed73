package usign

import (
	"bytes"
	"strings"
	"testing"
)

func TestSignAndVerify(t *testing.T) {
	k, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseKey(k.Private())
	if err != nil {
		t.Fatal(err)
	}
	message := []byte("Package: wanbeacon\n")
	sig := again.Sign(message)
	if !bytes.Equal(sig, k.Sign(message)) {
		t.Error("the key that was read back signs otherwise")
	}
	if err := Verify(k.Public(), sig, message); err != nil {
		t.Error(err)
	}
	if Verify(k.Public(), sig, append(message, '!')) == nil {
		t.Error("a changed content is taken")
	}
	other, _ := NewKey()
	if Verify(other.Public(), sig, message) == nil {
		t.Error("another key is taken")
	}
	if !strings.Contains(string(k.Public()), k.Name()) {
		t.Errorf("no %s in the public key's comment", k.Name())
	}
}

// The key was made by OpenWrt's usign -G, the signature by its usign -S.
func TestFilesOfUsign(t *testing.T) {
	if err := Verify([]byte(theirPublic), []byte(theirSignature), []byte("hello\n")); err != nil {
		t.Error(err)
	}
}

func TestRefuses(t *testing.T) {
	k, _ := NewKey()
	broken := []byte(strings.Replace(string(k.Private()), "RWRCSwAAAAA", "RWRCSwAAAAE", 1))
	for name, file := range map[string][]byte{
		"nothing":       nil,
		"no comment":    []byte("RWQ=\n"),
		"no base64":     []byte(comment + "x\n!!!\n"),
		"a public key":  k.Public(),
		"a pass phrase": broken,
	} {
		if _, err := ParseKey(file); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

const (
	theirPublic = `untrusted comment: x
RWQwQDWcB1EocdFRjDfX0zNGC/un/lARyg6oCqN9h1r9A8oAmrooWZFR
`
	theirSignature = `untrusted comment: signed by key 3040359c07512871
RWQwQDWcB1EocejX2k+Mh5V3zNEZrDMetZVy6VgcT5JT/5tjV6R839c4vBZsAO8spF2vs7Xq4WSn4U3u5mN0+Vg/o/A7E1Xaag8=
`
)
