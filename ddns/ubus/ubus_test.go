package ubus

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"
)

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
	u.devices = devices{"wan": "pppoe-wan", "lan": "br-lan", "wwan": ""}
	u.start()
	told := following(t)
	expect(t, told, devices{"wan": "pppoe-wan", "lan": "br-lan", "wwan": ""})
	<-u.listening

	u.set(devices{"wan": "", "lan": "br-lan", "wwan": "wwan0"}) // wan went; it comes back where it was
	expect(t, told, devices{"wan": "pppoe-wan", "lan": "br-lan", "wwan": "wwan0"})
	u.set(devices{"wan": "pppoe-wan", "lan": "br-lan", "wwan": "wwan0"}) // the same: nothing is told
	u.set(devices{"wan": "eth1", "lan": "br-lan"})
	expect(t, told, devices{"wan": "eth1", "lan": "br-lan"})

	u.stop() // ubusd restarts: what it said stands, and the next one is listened to
	u.start()
	<-u.listening
	u.set(devices{"wan": "eth2", "lan": "br-lan"})
	expect(t, told, devices{"wan": "eth2", "lan": "br-lan"})
	u.set(devices{"wan": "eth3", "lan": "br-lan"})
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
	u.start()
	<-u.listening
	u.set(devices{"wan": "eth1"})
	expect(t, told, devices{"wan": "eth1"})
}

func TestLook(t *testing.T) {
	u := startUbusd(t)
	if n := Look(t.Context()); n.Err == nil || n.Err.Error() != "there is no ubus here" {
		t.Errorf("no ubusd: %v", n)
	}
	u.start()
	if n := Look(t.Context()); n.Err != notFound {
		t.Errorf("no netifd: %v", n)
	}
	u.set(devices{"wan": "eth1"})
	if n := Look(t.Context()); n.Err != nil || n.Devices["wan"] != "eth1" {
		t.Errorf("%v", n)
	}
	u.mu.Lock()
	u.deny = true
	u.mu.Unlock()
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
	u := &ubusd{devices: devices{"wan": "eth1", "lan": ""}}
	f.Add(u.dump())
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
