package ubus

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/internal/lab"
)

// startUbusd makes one that this package finds.
func startUbusd(t *testing.T) *lab.Ubusd {
	old := sockets
	sockets = []string{filepath.Join(t.TempDir(), "none"), filepath.Join(t.TempDir(), "ubus.sock")}
	t.Cleanup(func() { sockets = old })
	return lab.NewUbusd(t, sockets[1])
}

// following is Follow in its own goroutine; each thing told comes on the channel.
func following(t *testing.T) <-chan Networks {
	ctx, cancel := context.WithCancel(t.Context())
	told, ended := make(chan Networks, 16), make(chan struct{})
	go func() { Follow(ctx, func(n Networks) { told <- n }); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
	return told
}

func expect(t *testing.T, told <-chan Networks, want map[string]string) {
	t.Helper()
	select {
	case n := <-told:
		if n.Err != nil || fmt.Sprint(n.Devices) != fmt.Sprint(want) {
			t.Fatalf("told %v, want %v", n, want)
		}
	case <-time.After(time.Minute):
		t.Fatalf("not told %v", want)
	}
}

type devices = map[string]string

func TestFollow(t *testing.T) {
	u := startUbusd(t)
	u.Networks(devices{"wan": "pppoe-wan", "lan": "br-lan", "wwan": ""})
	u.Start()
	told := following(t)
	expect(t, told, devices{"wan": "pppoe-wan", "lan": "br-lan", "wwan": ""})
	<-u.Listening

	u.Networks(devices{"wan": "", "lan": "br-lan", "wwan": "wwan0"}) // wan went; it comes back where it was
	expect(t, told, devices{"wan": "pppoe-wan", "lan": "br-lan", "wwan": "wwan0"})
	u.Networks(devices{"wan": "pppoe-wan", "lan": "br-lan", "wwan": "wwan0"}) // the same: nothing is told
	u.Networks(devices{"wan": "eth1", "lan": "br-lan"})
	expect(t, told, devices{"wan": "eth1", "lan": "br-lan"})

	u.Stop() // ubusd restarts: what it said stands, and the next one is listened to
	u.Start()
	<-u.Listening
	u.Networks(devices{"wan": "eth2", "lan": "br-lan"})
	expect(t, told, devices{"wan": "eth2", "lan": "br-lan"})
	u.Networks(devices{"wan": "eth3", "lan": "br-lan"})
	expect(t, told, devices{"wan": "eth3", "lan": "br-lan"})
	select {
	case n := <-told:
		t.Errorf("told more: %v", n)
	default:
	}
}

// That there is no ubusd, or no netifd yet, is told once.
func TestFollowWithoutNetifd(t *testing.T) {
	u := startUbusd(t)
	told := following(t)
	if n := <-told; n.Err == nil || n.Devices != nil {
		t.Errorf("no ubusd: %v", n)
	}
	u.Start()
	<-u.Listening
	u.Networks(devices{"wan": "eth1"})
	expect(t, told, devices{"wan": "eth1"})
}

func TestLook(t *testing.T) {
	u := startUbusd(t)
	if n := Look(t.Context()); n.Err == nil || n.Err.Error() != "there is no ubus here" {
		t.Errorf("no ubusd: %v", n)
	}
	u.Start()
	if n := Look(t.Context()); n.Err != notFound {
		t.Errorf("no netifd: %v", n)
	}
	u.Networks(devices{"wan": "eth1"})
	if n := Look(t.Context()); n.Err != nil || n.Devices["wan"] != "eth1" {
		t.Errorf("%v", n)
	}
	u.Deny()
	if n := Look(t.Context()); n.Err == nil || n.Err != refusal(6) {
		t.Errorf("not allowed: %v", n)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if n := Look(done); n.Err == nil {
		t.Errorf("after the end: %v", n)
	}
}

// The bytes of a request, as libubus makes them.
func TestMessage(t *testing.T) {
	args := putText(putNumber(nil, typeInt32, "object", 5), typeString, "pattern", "ab")
	got := message(msgInvoke, 0x0102, 1, put(putText(nil, attrMethod, "", "x"), attrContent, "", args))
	want := []byte{0, 5, 1, 2, 0, 0, 0, 1, // header
		0, 0, 0, 56, // the blob: 4 + 8 + 44
		4, 0, 0, 6, 'x', 0, 0, 0, // method, padded
		7, 0, 0, 44, // content: 4 + 20 + 20
		0x85, 0, 0, 20, 0, 6, 'o', 'b', 'j', 'e', 'c', 't', 0, 0, 0, 0, 0, 0, 0, 5,
		0x83, 0, 0, 19, 0, 7, 'p', 'a', 't', 't', 'e', 'r', 'n', 0, 0, 0, 'a', 'b', 0, 0}
	if !bytes.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func FuzzBlob(f *testing.F) {
	one := putText(putText(nil, typeString, "interface", "wan"), typeString, "l3_device", "eth1")
	f.Add(put(nil, typeArray, "interface", put(nil, 2, "", one)))
	f.Add(message(msgHello, 0, 0, nil))
	f.Add([]byte{0x83, 0, 0, 8, 0, 200, 'x', 0})
	f.Add([]byte{0x83, 0, 0, 7, 0xff, 0xff, 'x'})
	f.Fuzz(func(t *testing.T, blob []byte) {
		var walk func(blob []byte, depth int) int
		walk = func(blob []byte, depth int) (n int) {
			for a, rest, ok := next(blob); ok; a, rest, ok = next(rest) {
				if len(rest) >= len(blob) {
					t.Fatal("no way on")
				}
				n++
				text(a.content)
				number(a.content)
				if depth < 8 {
					n += walk(a.content, depth+1)
				}
			}
			return n
		}
		if n := walk(blob, 0); n > 3*len(blob)+1 {
			t.Fatalf("%d attributes in %d bytes", n, len(blob))
		}
		find(blob, attrContent)
	})
}
