package dns

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// foreign builds a message with another library.
func foreign(t testing.TB, m *dnsmessage.Message) []byte {
	t.Helper()
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

func referral(t testing.TB) []byte {
	name := dnsmessage.MustNewName
	head := func(n string) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: name(n), Class: dnsmessage.ClassINET, TTL: 3600}
	}
	return foreign(t, &dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, Response: true},
		Questions: []dnsmessage.Question{{Name: name("Home.Example.org."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		Authorities: []dnsmessage.Resource{
			{Header: head("example.org."), Body: &dnsmessage.NSResource{NS: name("ns1.example.org.")}},
			{Header: head("example.org."), Body: &dnsmessage.NSResource{NS: name("ns.elsewhere.net.")}},
		},
		Additionals: []dnsmessage.Resource{
			{Header: head("ns1.example.org."), Body: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}},
			{Header: head("ns1.example.org."), Body: &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr("2001:db8::1").As16()}},
		},
	})
}

func TestReadsWhatAnotherLibraryWrites(t *testing.T) {
	m, err := Parse(referral(t))
	if err != nil {
		t.Fatal(err)
	}
	if m.ID != 7 || m.Flags != FlagResponse || m.Name != "home.example.org" || m.Type != TypeA || len(m.Records) != 4 {
		t.Fatalf("%+v", m)
	}
	if target, ok := m.Target(&m.Records[1]); !ok || target != "ns.elsewhere.net" || m.Records[1].Name != "example.org" || m.Records[1].TTL != 3600 {
		t.Errorf("%q %+v", target, m.Records[1])
	}
	if a := m.Addr(&m.Records[2]); a != netip.MustParseAddr("192.0.2.1") {
		t.Error(a)
	}
	if a := m.Addr(&m.Records[3]); a != netip.MustParseAddr("2001:db8::1") {
		t.Error(a)
	}
	if a := m.Addr(&m.Records[0]); a.IsValid() {
		t.Error(a)
	}
}

func TestWritesWhatAnotherLibraryReads(t *testing.T) {
	q := NewQuestion("home.example.org", TypeAAAA, EDNS|MixedCase|Recursive)
	var m dnsmessage.Message
	if err := m.Unpack(q.Msg); err != nil {
		t.Fatal(err)
	}
	if len(m.Questions) != 1 || !strings.EqualFold(m.Questions[0].Name.String(), "home.example.org.") ||
		m.Questions[0].Type != dnsmessage.TypeAAAA || !m.RecursionDesired || len(m.Additionals) != 1 ||
		m.Additionals[0].Header.Type != dnsmessage.TypeOPT || m.Additionals[0].Header.Class != maxEDNS {
		t.Errorf("%+v", m)
	}
	if err := m.Unpack(q.plain); err != nil || len(m.Additionals) != 0 {
		t.Errorf("%v %+v", err, m)
	}
}

func TestBadMessages(t *testing.T) {
	good := referral(t)
	head := func(flags string) string { return "\x00\x07" + flags + "\x00\x01\x00\x00\x00\x00\x00\x00" }
	for name, packet := range map[string][]byte{
		"empty":                        nil,
		"a header cut short":           good[:11],
		"a record cut short":           good[:len(good)-1],
		"more than it says":            append(bytes.Clone(good), 0),
		"a name that points at itself": []byte(head("\x80\x00") + "\xc0\x0c\x00\x01\x00\x01"),
		"a name that points ahead":     []byte(head("\x80\x00") + "\xc0\x20\x00\x01\x00\x01" + strings.Repeat("\x00", 30)),
		"a reserved label type":        []byte(head("\x80\x00") + "\x41a\x00\x00\x01\x00\x01"),
		"a name of 256 bytes":          []byte(head("\x80\x00") + strings.Repeat("\x0f"+strings.Repeat("a", 15), 16) + "\x00\x00\x01\x00\x01"),
	} {
		if _, err := Parse(packet); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// A target may not lie outside of its record.
	m, _ := Parse(good)
	rr := m.Records[1]
	rr.End -= 2
	if target, ok := m.Target(&rr); ok {
		t.Errorf("%q", target)
	}
}

func TestCheckName(t *testing.T) {
	for name, ok := range map[string]bool{
		"example.org": true, "a": true, "_x.example.org": true, "": false, "a..b": false, ".a": false, "a.": false, `a\046b`: false, "ä": false,
		strings.Repeat("a", 63): true, strings.Repeat("a", 64): false, strings.Repeat("a.", 126) + "a": true, strings.Repeat("a.", 127) + "a": false,
	} {
		if (CheckName(name) == nil) != ok {
			t.Errorf("%q: %v", name, CheckName(name))
		}
	}
}

func TestInZone(t *testing.T) {
	for _, c := range []struct {
		name, zone string
		want       bool
	}{
		{"a.example.org", "example.org", true}, {"example.org", "example.org", true}, {"A.Example.ORG", "example.org", true},
		{"badexample.org", "example.org", false}, {"org", "example.org", false}, {"anything", "", true}, {"", "", true},
	} {
		if InZone(c.name, c.zone) != c.want {
			t.Errorf("%q in %q", c.name, c.zone)
		}
	}
}

// FuzzParse: whatever comes, reading ends, its records lie in the message, and
// what is read as a name that can be written reads the same again.
func FuzzParse(f *testing.F) {
	f.Add(referral(f))
	f.Add(NewQuestion("home.example.org", TypeA, EDNS).Msg)
	f.Add([]byte("\x00\x07\x80\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01"))
	f.Fuzz(func(t *testing.T, packet []byte) {
		m, err := Parse(packet)
		if err != nil {
			return
		}
		for i := range m.Records {
			rr := &m.Records[i]
			if rr.Start < headerSize || rr.Data < rr.Start || rr.End < rr.Data || rr.End > len(packet) {
				t.Fatalf("%+v", rr)
			}
			m.Addr(rr)
			name, ok := m.Target(rr)
			if !ok || CheckName(name) != nil {
				continue
			}
			w := Writer{}
			w.Name(name)
			r := Reader{Msg: w.Buf}
			if got := r.Name(); r.Bad || got != name {
				t.Fatalf("%q became %q", name, got)
			}
		}
	})
}
