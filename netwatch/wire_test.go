package netwatch

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

var epoch = time.Unix(0, 0).UTC()

// recorded gives the kernel's own messages in testdata, as a little-endian machine has them.
func recorded(t testing.TB) [][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/messages.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all [][]byte
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		b, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	return all
}

// inNativeOrder gives a little-endian message as this machine would have it.
func inNativeOrder(b []byte) []byte {
	if native.Uint16([]byte{1, 0}) == 1 {
		return b
	}
	return bigEndian(b)
}

// bigEndian gives a little-endian message as a big-endian machine would have
// it, for the attributes that the parser reads.
func bigEndian(b []byte) []byte {
	b = append([]byte(nil), b...)
	kind := binary.LittleEndian.Uint16(b[4:])
	swap(b, 4, 2, 2, 4, 4)
	switch body := b[16:]; kind {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		swap(body, 1, 1, 2, 4, 4, 4)
		swapAttrs(body[16:], map[uint16][]int{unix.IFLA_MASTER: {4}, unix.IFLA_LINKINFO: {2, 2}}) // of what is nested, its first attribute is the kind
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		swap(body[4:], 4)
		swapAttrs(body[8:], map[uint16][]int{unix.IFA_FLAGS: {4}, unix.IFA_CACHEINFO: {4, 4, 4, 4}})
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		swap(body[8:], 4)
		swapAttrs(body[12:], map[uint16][]int{unix.RTA_OIF: {4}, unix.RTA_PRIORITY: {4}, unix.RTA_TABLE: {4}, unix.RTA_VIA: {2}, unix.RTA_MULTIPATH: nil})
	}
	return b
}

// swap reverses each of the fields with these sizes that b begins with.
func swap(b []byte, sizes ...int) {
	for _, size := range sizes {
		for i, j := 0, size-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
		b = b[size:]
	}
}

func swapAttrs(b []byte, fields map[uint16][]int) {
	for len(b) >= 4 {
		size, kind := int(binary.LittleEndian.Uint16(b)), binary.LittleEndian.Uint16(b[2:])
		swap(b, 2, 2)
		if sizes, ok := fields[kind]; ok && sizes == nil {
			for hops := b[4:size]; len(hops) >= 8; {
				size := int(binary.LittleEndian.Uint16(hops))
				swap(hops, 2, 1, 1, 4)
				swapAttrs(hops[8:size], fields)
				hops = hops[min(align(size), len(hops)):]
			}
		} else {
			swap(b[4:], sizes...)
		}
		b = b[min(align(size), len(b)):]
	}
}

// TestParseRecorded reads what a kernel has really sent, on every machine in its own byte order.
func TestParseRecorded(t *testing.T) {
	const golden = "testdata/messages.golden"
	var got strings.Builder
	for _, b := range recorded(t) {
		msg, rest, err := nextMessage(inNativeOrder(b))
		if err != nil || len(rest) != 0 {
			t.Fatalf("%x: %v, %d bytes left", b, err, len(rest))
		}
		fmt.Fprintln(&got, describe(t, msg))
	}
	if *updateGolden {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}

// describe tells on one line what the parser makes of a message.
func describe(t *testing.T, msg message) string {
	t.Helper()
	names := map[uint16]string{
		unix.RTM_NEWLINK: "newlink", unix.RTM_DELLINK: "dellink", unix.RTM_NEWADDR: "newaddr",
		unix.RTM_DELADDR: "deladdr", unix.RTM_NEWROUTE: "newroute", unix.RTM_DELROUTE: "delroute",
	}
	var what any
	var ok bool
	var err error
	switch msg.kind {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		what, ok, err = parseLink(msg.body)
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		what, ok, err = parseAddr(msg.body, epoch)
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		var m routeMessage
		if ok = isDefault(msg.body); ok {
			err = parseRoute(msg.body, &m)
			ok = m.inSnapshots()
		}
		what = m.hops
	}
	if err != nil {
		t.Errorf("%s: %v", names[msg.kind], err)
	}
	if !ok {
		return names[msg.kind] + " ignored"
	}
	return fmt.Sprintf("%s flags %#x %+v", names[msg.kind], msg.flags, what)
}

func TestParseMalformed(t *testing.T) {
	addr := body(unix.AF_INET, 24, 0, 0, u32(3))
	route := body(unix.AF_INET, 0, 0, 0, 254, 0, 0, 1, u32(0))
	link := body(unix.AF_UNSPEC, 0, 0, 0, u32(3), u32(unix.IFF_UP), u32(0))
	cases := []struct {
		name string
		msg  []byte
		want error
	}{
		{"shorter than a header", []byte{1, 2, 3}, errMessageCut},
		{"length below the header's", body(u32(15), u32(0), u32(0), u32(0)), errMessageCut},
		{"length beyond the end", body(u32(17), u32(0), u32(0), u32(0)), errMessageCut},
		{"length as large as can be", body(u32(0xffffffff), u32(0), u32(0), u32(0)), errMessageCut},
		{"address header cut", build(unix.RTM_NEWADDR, 0, addr[:7]), errMessageCut},
		{"link header cut", build(unix.RTM_NEWLINK, 0, link[:15]), errMessageCut},
		{"route header cut", build(unix.RTM_NEWROUTE, 0, route[:11]), errMessageCut},
		{"attribute length zero", build(unix.RTM_NEWADDR, 0, addr, u32(0)), errAttrCut},
		{"attribute beyond the end", build(unix.RTM_NEWADDR, 0, addr, body(u16(9), u16(unix.IFA_LOCAL), u32(1))), errAttrCut},
		{"IPv4 address of three bytes", build(unix.RTM_NEWADDR, 0, addr, attr(unix.IFA_LOCAL, []byte{1, 2, 3})), errAttrSize},
		{"IPv4 address of sixteen bytes", build(unix.RTM_NEWADDR, 0, addr, attr(unix.IFA_ADDRESS, make([]byte, 16))), errAttrSize},
		{"flags of two bytes", build(unix.RTM_NEWADDR, 0, addr, attr(unix.IFA_FLAGS, u16(1))), errAttrSize},
		{"lifetimes cut", build(unix.RTM_NEWADDR, 0, addr, attr(unix.IFA_CACHEINFO, make([]byte, 15))), errAttrSize},
		{"master of one byte", build(unix.RTM_NEWLINK, 0, link, attr(unix.IFLA_MASTER, []byte{1})), errAttrSize},
		{"outgoing link of one byte", build(unix.RTM_NEWROUTE, 0, route, attr(unix.RTA_OIF, []byte{1})), errAttrSize},
		{"gateway of another size", build(unix.RTM_NEWROUTE, 0, route, attr(unix.RTA_GATEWAY, make([]byte, 5))), errAttrSize},
		{"via without family", build(unix.RTM_NEWROUTE, 0, route, attr(unix.RTA_VIA, []byte{2})), errAttrSize},
		{"next hop of length zero", build(unix.RTM_NEWROUTE, 0, route, attr(unix.RTA_MULTIPATH, make([]byte, 8))), errAttrCut},
		{"next hop beyond the end", build(unix.RTM_NEWROUTE, 0, route, attr(unix.RTA_MULTIPATH, body(u16(12), u16(0), u32(3)))), errAttrCut},
		{"attribute in a next hop cut", build(unix.RTM_NEWROUTE, 0, route, attr(unix.RTA_MULTIPATH, body(u16(12), u16(0), u32(3), u16(9), u16(5)))), errAttrCut},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var m mirror
			msg, _, err := nextMessage(c.msg)
			if err == nil {
				err = m.apply(msg, epoch)
			}
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestParseAddr(t *testing.T) {
	ours, far := netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("203.0.113.1")
	head := body(unix.AF_INET, 32, byte(Permanent), 0, u32(9))
	lifetimes := func(preferred, valid uint32) []byte {
		return attr(unix.IFA_CACHEINFO, body(u32(preferred), u32(valid), u32(0), u32(0)))
	}
	cases := []struct {
		name  string
		attrs [][]byte
		want  Addr // Link, Bits and Scope are the same in all
	}{
		{"local and address alike", [][]byte{attr(unix.IFA_ADDRESS, ours.AsSlice()), attr(unix.IFA_LOCAL, ours.AsSlice())},
			Addr{Addr: ours, Flags: Permanent}},
		{"far end first", [][]byte{attr(unix.IFA_ADDRESS, far.AsSlice()), attr(unix.IFA_LOCAL, ours.AsSlice())},
			Addr{Addr: ours, Peer: far, Flags: Permanent}},
		{"far end last", [][]byte{attr(unix.IFA_LOCAL, ours.AsSlice()), attr(unix.IFA_ADDRESS, far.AsSlice())},
			Addr{Addr: ours, Peer: far, Flags: Permanent}},
		{"local alone, as some modems have", [][]byte{attr(unix.IFA_LOCAL, ours.AsSlice())},
			Addr{Addr: ours, Flags: Permanent}},
		{"flags beyond the first byte", [][]byte{attr(unix.IFA_FLAGS, u32(uint32(StablePrivacy|ManageTempAddr))), attr(unix.IFA_LOCAL, ours.AsSlice())},
			Addr{Addr: ours, Flags: StablePrivacy | ManageTempAddr}},
		{"lifetimes for ever", [][]byte{attr(unix.IFA_LOCAL, ours.AsSlice()), lifetimes(0xffffffff, 0xffffffff)},
			Addr{Addr: ours, Flags: Permanent}},
		{"lifetimes almost for ever", [][]byte{attr(unix.IFA_LOCAL, ours.AsSlice()), lifetimes(0x80000000, 0xfffffffe)},
			Addr{Addr: ours, Flags: Permanent, PreferredUntil: time.Unix(0x80000000, 0).UTC(), ValidUntil: time.Unix(0xfffffffe, 0).UTC()}},
		{"preferred no more, flag not yet there", [][]byte{attr(unix.IFA_LOCAL, ours.AsSlice()), lifetimes(0, 60)},
			Addr{Addr: ours, Flags: Permanent | Deprecated, PreferredUntil: epoch, ValidUntil: time.Unix(60, 0).UTC()}},
		{"unknown attributes and padding", [][]byte{attr(77, make([]byte, 3)), attr(unix.IFA_LOCAL, ours.AsSlice()), {0, 0}},
			Addr{Addr: ours, Flags: Permanent}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			c.want.Link, c.want.Bits = 9, 32
			msg, _, err := nextMessage(build(unix.RTM_NEWADDR, 0, head, c.attrs...))
			if err != nil {
				t.Fatal(err)
			}
			got, ok, err := parseAddr(msg.body, epoch)
			if got != c.want || !ok || err != nil {
				t.Errorf("got %+v, %v, %v\nwant %+v", got, ok, err, c.want)
			}
		})
	}
	for name, msg := range map[string][]byte{
		"neither local nor address":   head,
		"another family":              body(unix.AF_DECnet, 16, 0, 0, u32(9)),
		"more bits than there can be": append(body(unix.AF_INET, 33, 0, 0, u32(9)), attr(unix.IFA_LOCAL, ours.AsSlice())...),
	} {
		if a, ok, err := parseAddr(msg, epoch); ok || err != nil {
			t.Errorf("%s: %+v, %v, %v", name, a, ok, err)
		}
	}
}

// Wireless extensions tell of a scan as RTM_NEWLINK with next to nothing in it.
func TestParseLinkIgnoresWirelessEvents(t *testing.T) {
	head := body(unix.AF_UNSPEC, 0, u16(1), u32(3), u32(unix.IFF_UP), u32(0))
	msg := append(append(head, attr(unix.IFLA_IFNAME, []byte("wlan0\x00"))...), attr(unix.IFLA_WIRELESS, u32(0))...)
	if l, ok, err := parseLink(msg); ok || err != nil {
		t.Errorf("%+v, %v, %v", l, ok, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, b := range recorded(f) {
		f.Add(b)
		f.Add(bigEndian(b))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m mirror
		for len(b) > 0 {
			msg, rest, err := nextMessage(b)
			if err != nil {
				break
			}
			_ = m.apply(msg, epoch)
			if len(rest) >= len(b) {
				t.Fatal("no progress")
			}
			b = rest
		}
		checkOrder(t, &m)
	})
}

// Messages by hand, in the machine's byte order.

func body(parts ...any) (b []byte) {
	for _, p := range parts {
		switch p := p.(type) {
		case []byte:
			b = append(b, p...)
		case byte:
			b = append(b, p)
		case int:
			b = append(b, byte(p))
		default:
			panic(p)
		}
	}
	return b
}

func u16(n uint16) []byte { return native.AppendUint16(nil, n) }
func u32(n uint32) []byte { return native.AppendUint32(nil, n) }

func attr(kind uint16, value []byte) []byte {
	b := body(u16(uint16(4+len(value))), u16(kind), value)
	return append(b, make([]byte, align(len(b))-len(b))...)
}

func build(kind, flags uint16, head []byte, attrs ...[]byte) []byte {
	b := body(u32(0), u16(kind), u16(flags), u32(0), u32(0), head)
	for _, a := range attrs {
		b = append(b, a...)
	}
	native.PutUint32(b, uint32(len(b)))
	return b
}
