package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"math"
	"math/rand"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"testing/quick"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/json"
)

type class string

type base struct {
	Base string `json:"base"`
}

// sample has every form that the package knows.
type sample struct {
	base
	Plain    string
	Name     string            `json:"name"`
	Class    class             `json:"class,omitempty"`
	Hidden   string            `json:"-"`
	Bool     bool              `json:"bool,omitempty"`
	Int      int               `json:"int"`
	Int8     int8              `json:"int8,omitempty"`
	Uint16   uint16            `json:"uint16,omitzero"`
	Float    float64           `json:"float"`
	Float32  float32           `json:"float32,omitempty"`
	Addr     netip.Addr        `json:"addr,omitzero"`
	Time     time.Time         `json:"time,omitzero"`
	Always   time.Time         `json:"always"`
	AddrPtr  *netip.Addr       `json:"addr_ptr"`
	Text     *string           `json:"text,omitempty"`
	Texts    []string          `json:"texts"`
	Few      []int             `json:"few,omitempty"`
	Map      map[string]string `json:"map"`
	Maps     map[class][]bool  `json:"maps,omitempty"`
	Structs  []inner           `json:"structs"`
	Struct   inner             `json:"struct,omitempty"`
	Pointer  *inner            `json:"pointer"`
	Any      any               `json:"any"`
	unexport int
}

type inner struct {
	A string `json:"a"`
	B []any  `json:"b,omitempty"`
}

// Generate makes samples with odd texts and round values.
func (sample) Generate(r *rand.Rand, size int) reflect.Value {
	text := func() string {
		const odd = "a\"\\/<>&\x00\x1f\b\f\n\r\t\x7fé\u2028\u2029\xff\xed\xa0\x80😀"
		b := make([]byte, r.Intn(12))
		for i := range b {
			b[i] = odd[r.Intn(len(odd))]
		}
		return string(b)
	}
	addr := func() netip.Addr {
		switch r.Intn(3) {
		case 0:
			return netip.Addr{}
		case 1:
			return netip.AddrFrom4([4]byte{203, 0, 113, byte(r.Int())})
		}
		return netip.MustParseAddr("fe80::1%eth0")
	}
	when := func() time.Time {
		return []time.Time{{}, time.Time{}.UTC(), time.Unix(r.Int63n(1<<33), r.Int63n(1e9)).UTC(), time.Unix(5, 0).In(time.FixedZone("", 5400))}[r.Intn(4)]
	}
	number := func() float64 {
		return []float64{0, 1, -1.5, 1e20, 1e21, 1e-6, 9e-7, math.MaxFloat64, r.NormFloat64(), math.SmallestNonzeroFloat64}[r.Intn(10)]
	}
	in := func() inner {
		return inner{text(), []any{text(), number(), true, nil, map[string]any{text(): []any{}}}[:r.Intn(6)]}
	}
	s := sample{base: base{text()}, Plain: text(), Name: text(), Hidden: text(), Class: class(text()), Bool: r.Intn(2) == 0, Int: int(r.Uint64()), Int8: int8(r.Intn(3)),
		Uint16: uint16(r.Intn(3)), Float: number(), Float32: float32(r.Intn(2)) * 1.1, Addr: addr(), Time: when(), Always: when(), Struct: in(), unexport: 1}
	if r.Intn(2) == 0 {
		a, t, i := addr(), text(), in()
		s.AddrPtr, s.Text, s.Pointer = &a, &t, &i
		s.Texts, s.Few = []string{text(), text()}, []int{r.Int()}
		s.Map, s.Maps = map[string]string{text(): text(), text(): ""}, map[class][]bool{"x": {true}, "y": nil}
		s.Structs, s.Any = []inner{in(), in()}, in().B
	} else if r.Intn(2) == 0 {
		s.Texts, s.Few, s.Map, s.Maps, s.Structs = []string{}, []int{}, map[string]string{}, map[class][]bool{}, []inner{}
	}
	return reflect.ValueOf(s)
}

// reference is what encoding/json writes without escaping for HTML.
func reference(t *testing.T, v any, prefix, indent string, lines bool) string {
	t.Helper()
	var b bytes.Buffer
	e := stdjson.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if lines {
		var out bytes.Buffer
		stdjson.Indent(&out, text, prefix, indent)
		text = out.Bytes()
	}
	// The reference writes U+FFFD as an escape when it replaces what is not UTF-8.
	return strings.ReplaceAll(string(text), `\ufffd`, "\ufffd")
}

func TestWritesAndReadsWhatEncodingJSONDoes(t *testing.T) {
	err := quick.Check(func(s sample) bool {
		got, err := json.Marshal(&s)
		if want := reference(t, s, "", "", false); err != nil || string(got) != want {
			t.Errorf("Marshal: %v\n%s\nwant\n%s", err, got, want)
			return false
		}
		lines, err := json.MarshalIndent(s, "-", "  ")
		if want := reference(t, s, "-", "  ", true); err != nil || string(lines) != want {
			t.Errorf("MarshalIndent: %v\n%s\nwant\n%s", err, lines, want)
			return false
		}
		var ours, theirs sample
		d := stdjson.NewDecoder(bytes.NewReader(got))
		d.UseNumber()
		if err := json.Unmarshal(got, &ours); err != nil {
			t.Errorf("Unmarshal: %v\n%s", err, got)
			return false
		}
		if err := d.Decode(&theirs); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(ours)
		if err != nil {
			t.Fatal(err)
		}
		a, b := string(again), reference(t, theirs, "", "", false)
		if a != b {
			t.Errorf("Unmarshal of %s\n%s\nwant\n%s", got, a, b)
		}
		return a == b
	}, &quick.Config{MaxCount: 500})
	if err != nil {
		t.Error(err)
	}
}

func TestReadsIntoWhatIsThere(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.1")
	s := sample{Name: "kept", Int: 7, AddrPtr: &addr, Map: map[string]string{"kept": "1"}}
	err := json.Unmarshal([]byte(` {"int": -3, "addr_ptr": null, "map": {"new":"2"}, "NAME": "x", "unexport": 9, "any": [1.50, {"k":"\ud83d\ude00\ud83d"}]} `), &s)
	if err != nil {
		t.Fatal(err)
	}
	want := sample{Name: "kept", Int: -3, Map: map[string]string{"kept": "1", "new": "2"},
		Any: []any{json.Number("1.50"), map[string]any{"k": "😀\ufffd"}}}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("%+v\nwant\n%+v", s, want)
	}
}

func TestRawMessagesStayText(t *testing.T) {
	var reply struct {
		Result json.RawMessage `json:"result,omitempty"`
		Error  string          `json:"error,omitempty"`
	}
	if err := json.Unmarshal([]byte(`{"result": {"b": [1.0, "<"], "a": null}}`), &reply); err != nil || string(reply.Result) != `{"a":null,"b":[1.0,"<"]}` {
		t.Fatalf("%s %v", reply.Result, err)
	}
	if text, err := json.Marshal(reply); err != nil || string(text) != `{"result":{"a":null,"b":[1.0,"<"]}}` {
		t.Errorf("%s %v", text, err)
	}
	reply.Result, reply.Error = nil, "no"
	if text, err := json.Marshal(reply); err != nil || string(text) != `{"error":"no"}` {
		t.Errorf("%s %v", text, err)
	}
}

func TestErrorsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		``:                             "not JSON: byte 0 should be a value",
		`{"int": 1} x`:                 "not JSON: byte 11 should be nothing more",
		`{"int": 1`:                    "not JSON: byte 9 should be a comma or the end of the list",
		`{"int": "1"}`:                 "int: should be a int",
		`{"int8": 128}`:                "int8: should be a int8",
		`{"int": 1.0}`:                 "int: should be a int",
		`{"name": 1}`:                  "name: should be a string",
		`{"structs": [{}, {"a": []}]`:  "not JSON: byte 27 should be a comma or the end of the list",
		`{"structs": [{}, {"a": []}]}`: "structs: 1: a: should be a string",
		`{"map": {"k": false}}`:        "map: k: should be a string",
		`[]`:                           "should be a json_test.sample",
		`{"addr": "x"}`:                `addr: ParseAddr("x"): unable to parse IP`,
	} {
		var s sample
		if err := json.Unmarshal([]byte(text), &s); err == nil || err.Error() != want {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
	for _, v := range []any{func() {}, []byte("x"), map[int]string{1: ""}, math.NaN(), struct{ C chan int }{make(chan int)}} {
		if text, err := json.Marshal(v); err == nil {
			t.Errorf("%T written as %s", v, text)
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	nest := func(n int) string { return strings.Repeat(`[{"a":`, n/2) + "1" + strings.Repeat("}]", n/2) }
	v, _, err := json.Read(nest(json.MaxDepth))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(v); err != nil || string(text) != nest(json.MaxDepth) {
		t.Errorf("%s %v", text, err)
	}
	for _, text := range []string{nest(json.MaxDepth + 2), strings.Repeat("[", 1<<20)} {
		if _, _, err := json.Read(text); !errors.Is(err, json.ErrDeep) {
			t.Error(err)
		}
	}
	type loop struct{ Next *loop }
	ring := &loop{}
	ring.Next = ring
	if _, err := json.Marshal(ring); !errors.Is(err, json.ErrDeep) {
		t.Error(err)
	}
}

// FuzzRead compares with encoding/json: the same texts are JSON, and mean the
// same, and what is written of a tree is read back as the same tree.
func FuzzRead(f *testing.F) {
	for _, s := range []string{`{"a": [1, -0.5e+3, "\u00e9\ud83d\ude00\ud800x\n"], "b": null, "a": true}`, `[]`, `{}`, `"é"`, "\"\xff\"", `01`, `-`, `1.`, `1e`, `.5`,
		`[1,]`, `{"a"}`, `{"a":1,}`, `{,}`, `nul`, `truefalse`, `"\x"`, `"\u12g4"`, "\"\n\"", ` 1 2`, "\ufeff1", `"\ud800\ud800\udc00"`, `"\udc00\u"`, "\v1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, rest, err := json.Read(text)
		if errors.Is(err, json.ErrDeep) {
			return
		}
		d := stdjson.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var want any
		if wantErr := d.Decode(&want); wantErr != nil {
			// A stream's decoder wants to see where a number ends.
			if err == nil {
				t.Fatalf("%q: read as %#v, should be %v", text, got, wantErr)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q: %v, should be %#v", text, err, want)
		}
		written, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if again, rest, err := json.Read(string(written)); err != nil || rest != "" || !reflect.DeepEqual(again, got) {
			t.Fatalf("%q: written as %s: %v", text, written, err)
		}
		if !reflect.DeepEqual(plain(got), want) {
			t.Fatalf("%q: %#v, want %#v", text, got, want)
		}
		if want := strings.TrimLeft(text[d.InputOffset():], " \t\r\n"); rest != want {
			t.Fatalf("%q: rest %q, want %q", text, rest, want)
		}
	})
}

// plain makes encoding/json's numbers of a tree's.
func plain(v any) any {
	switch x := v.(type) {
	case json.Number:
		return stdjson.Number(x)
	case []any:
		for i := range x {
			x[i] = plain(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = plain(x[k])
		}
	}
	return v
}

// FuzzUnmarshal: what is read into a struct is what encoding/json reads, given
// exact names and each once.
func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"1": "x", "2": [1, 2], "3": {"1": "y"}, "4": {"k": -1.5e3}, "5": null, "6": "192.0.2.1", "7": "2026-01-02T03:04:05Z", "8": 255, "9": true}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		type form struct {
			A string             `json:"1"`
			B []int16            `json:"2"`
			C *form              `json:"3"`
			D map[string]float64 `json:"4"`
			E any                `json:"5"`
			F netip.Addr         `json:"6"`
			G time.Time          `json:"7"`
			H uint8              `json:"8"`
			I *bool              `json:"9"`
		}
		tree, rest, err := json.Read(string(text))
		if err != nil || rest != "" {
			return
		}
		once, _ := json.Marshal(tree)
		var ours, theirs form
		if json.Unmarshal(once, &ours) != nil {
			return
		}
		d := stdjson.NewDecoder(bytes.NewReader(once))
		d.UseNumber()
		if err := d.Decode(&theirs); err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		a, err := json.Marshal(ours)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(theirs)
		if !bytes.Equal(a, b) {
			t.Fatalf("%s: %s, want %s", once, a, b)
		}
	})
}
