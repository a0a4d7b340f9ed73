package adb

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"reflect"
	"strings"
	"testing"
)

func TestValuesSurvive(t *testing.T) {
	for name, v := range map[string]Value{
		"nothing":               nil,
		"a small number":        uint64(7),
		"the largest in place":  uint64(1<<28 - 1),
		"a number of 32 bits":   uint64(1 << 28),
		"a number of 64 bits":   uint64(1 << 40),
		"a text":                "wanbeacon",
		"a text of 255 bytes":   strings.Repeat("a", 255),
		"a text of 256 bytes":   strings.Repeat("b", 256),
		"a text of 65536 bytes": strings.Repeat("c", 65536),
		"an object with a gap":  Object{"name", nil, uint64(3)},
		"arrays of objects":     Array{Object{"a", Array{"x", "y"}}, Object{"b"}},
		"a text twice":          Object{"same", "same", Object{"same"}},
	} {
		payload, _ := Encode(v)
		got, err := Decode(payload)
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("%s: got %#v, %v", name, got, err)
		}
	}
}

func TestEmptyValuesAreNothing(t *testing.T) {
	for _, v := range []Value{"", Object{}, Array{}, Object{nil, "", nil}} {
		payload, _ := Encode(v)
		if got, err := Decode(payload); err != nil || got != nil {
			t.Errorf("%#v: got %#v, %v", v, got, err)
		}
	}
}

func TestEqualDataIsStoredOnce(t *testing.T) {
	once, _ := Encode(Object{"a long enough text"})
	twice, _ := Encode(Object{"a long enough text", "a long enough text"})
	if len(twice) != len(once)+4 {
		t.Errorf("%d and %d bytes", len(once), len(twice))
	}
}

func TestReservedIsItsOwn(t *testing.T) {
	zeroes := string(make([]byte, 20))
	payload, at := Encode(Object{zeroes, Reserved(20), zeroes})
	copy(payload[at:], "the unique identity!")
	got, err := Decode(payload)
	if want := (Object{zeroes, "the unique identity!", zeroes}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v", got, err)
	}
}

func sample() *File {
	payload, _ := Encode(Object{"x"})
	return &File{Schema: SchemaPackage, ADB: payload, Data: []Data{{1, 1, []byte("hello")}, {2, 1, bytes.Repeat([]byte("z"), 1000)}}}
}

func TestFileSurvives(t *testing.T) {
	f := sample()
	f.Signatures = [][]byte{[]byte("a"), []byte("bb")}
	for name, b := range map[string][]byte{"plain": f.Bytes(), "compressed": f.Compressed()} {
		got, err := Parse(b)
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := sample().Bytes()
	swap := sample()
	swap.ADB = nil
	for name, b := range map[string][]byte{
		"nothing":                nil,
		"another file":           []byte("\x1f\x8b\x08\x00 not this one"),
		"a file cut off":         good[:len(good)-8],
		"a header alone":         good[:8],
		"a block before the ADB": append(append([]byte{}, good[:8]...), appendBlock(nil, blockSig, []byte("x"))...),
		"a second ADB":           appendBlock(append([]byte{}, good...), blockADB, []byte("12345678")),
		"a signature after data": appendBlock(append([]byte{}, good...), blockSig, []byte("x")),
		"a block of no size":     append(append([]byte{}, good...), 0, 0, 0, 0, 0, 0, 0, 0),
	} {
		if _, err := Parse(b); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestSignatures(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	a, b := sample(), sample()
	if err := a.Sign(key); err != nil {
		t.Fatal(err)
	}
	if err := b.Sign(key); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Errorf("two signatures of the same differ (%v)", err)
	}
	if err := a.Verify(&key.PublicKey); err != nil {
		t.Error(err)
	}
	if a.Verify(&other.PublicKey) == nil {
		t.Error("another key's signature is taken")
	}
	a.ADB[len(a.ADB)-1] ^= 1
	if a.Verify(&key.PublicKey) == nil {
		t.Error("a changed content is taken")
	}
	wrong, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if sample().Sign(wrong) == nil {
		t.Error("a key on another curve is taken")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample().Bytes())
	f.Add(sample().Compressed())
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Parse(b)
		if err != nil {
			return
		}
		if v, err := Decode(file.ADB); err == nil {
			again, _ := Encode(v)
			if w, err := Decode(again); err != nil || !sameValue(v, w) {
				t.Errorf("%#v became %#v, %v", v, w, err)
			}
		}
	})
}

// sameValue takes empty and absent as the same, as the form does.
func sameValue(a, b Value) bool {
	x, _ := Encode(a)
	y, _ := Encode(b)
	return bytes.Equal(x, y)
}
