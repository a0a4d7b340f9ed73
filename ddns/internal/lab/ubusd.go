package lab

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// Ubusd is OpenWrt's ubusd with netifd's object in it, written from the
// protocol (libubus: ubusmsg.h; libubox: blob.h, blobmsg.h). It is strict with
// its clients: what ubusd does not know, it refuses.
type Ubusd struct {
	// Listening has one element for each client that has begun to listen to
	// events.
	Listening chan struct{}

	tb   TB
	path string

	mu       sync.Mutex
	l        net.Listener
	clients  map[net.Conn]uint32 // with the object that its events go to
	networks map[string]string   // nil: netifd is not there
	denied   bool
}

const netifdObject = 0x1234abcd

// NewUbusd makes one that is not started yet, with no netifd.
func NewUbusd(tb TB, path string) *Ubusd {
	u := &Ubusd{tb: tb, path: path, clients: map[net.Conn]uint32{}, Listening: make(chan struct{}, 64)}
	tb.Cleanup(u.Stop)
	return u
}

// Ubusd makes one for the processes of the namespace, where they look for it.
func (ns *Namespace) Ubusd() *Ubusd {
	ns.lab.Helper()
	dir := ns.lab.TempDir()
	done := make(chan error)
	ns.jobs <- func() {
		const at = "/run/ubus"
		err := os.MkdirAll(at, 0o755)
		if err == nil {
			err = unix.Mount(dir, at, "", unix.MS_BIND, "")
		}
		done <- err
	}
	if err := <-done; err != nil {
		ns.lab.Fatalf("lab: ubus: %v", err)
	}
	return NewUbusd(ns.lab, filepath.Join(dir, "ubus.sock"))
}

// Start starts it, again after Stop.
func (u *Ubusd) Start() {
	u.tb.Helper()
	l, err := net.Listen("unix", u.path)
	if err != nil {
		u.tb.Fatalf("lab: ubusd: %v", err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.l = l
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			u.mu.Lock()
			u.clients[c] = 0
			u.mu.Unlock()
			go u.serve(c)
		}
	}()
}

// Stop ends it and all its connections.
func (u *Ubusd) Stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.l != nil {
		u.l.Close()
		u.l = nil
	}
	for c := range u.clients {
		c.Close()
	}
	clear(u.clients)
}

// Networks changes what netifd says, the layer 3 device of each network that
// is up and "" for others, and sends the event that netifd sends then.
func (u *Ubusd) Networks(devices map[string]string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.networks = devices
	for c, object := range u.clients {
		if object != 0 {
			data := join(entry(3, "action", "ifup\x00"), entry(3, "interface", "wan\x00"))
			c.Write(ubusMessage(5, 0, 1, join(attribute(3, u32(object)), attribute(4, "network.interface\x00"), attribute(7, data), attribute(10, "\x01"))))
		}
	}
}

// Deny makes it refuse everything, as it does without an ACL file.
func (u *Ubusd) Deny() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.denied = true
}

// Hold makes it answer nobody until release is called.
func (u *Ubusd) Hold() (release func()) {
	u.mu.Lock()
	return u.mu.Unlock
}

func (u *Ubusd) serve(c net.Conn) {
	defer c.Close()
	c.Write(ubusMessage(0, 0, 0x55aa55aa, ""))
	for {
		head := make([]byte, 12)
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		attrs := make([]byte, int(binary.BigEndian.Uint32(head[8:]))-4)
		if _, err := io.ReadFull(c, attrs); err != nil {
			return
		}
		seq, peer := binary.BigEndian.Uint16(head[2:]), binary.BigEndian.Uint32(head[4:])
		u.mu.Lock()
		data, status := u.answer(c, head[1], peer, attributes(attrs))
		if data != "" {
			c.Write(ubusMessage(2, seq, peer, data))
		}
		c.Write(ubusMessage(1, seq, peer, attribute(1, u32(status))))
		u.mu.Unlock()
	}
}

// answer is the data and the status of one request.
func (u *Ubusd) answer(c net.Conn, kind byte, peer uint32, a map[byte]string) (data string, status uint32) {
	const netifd = "network.interface\x00"
	switch {
	case u.denied:
		return "", 6
	case kind == 4 && a[2] == netifd && u.networks != nil:
		return join(attribute(2, netifd), attribute(3, u32(netifdObject))), 0
	case kind == 4:
		return "", 4
	case kind == 6 && len(a) == 0:
		return attribute(3, u32(77)), 0
	case kind == 5 && peer == 1 && a[3] == u32(1) && a[4] == "register\x00":
		if a[7] != join(entry(5, "object", u32(77)), entry(3, "pattern", netifd)) {
			return "", 2
		}
		u.clients[c] = 77
		u.Listening <- struct{}{}
		return "", 0
	case kind == 5 && peer == netifdObject && a[3] == u32(netifdObject) && a[4] == "dump\x00" && u.networks != nil:
		return join(attribute(3, a[3]), attribute(7, u.dump())), 0
	}
	return "", 3
}

// dump is netifd's answer: a table with a list of tables.
func (u *Ubusd) dump() string {
	list := ""
	for name, device := range u.networks {
		one := join(entry(3, "interface", name+"\x00"), entry(7, "up", "\x01"), entry(5, "uptime", u32(12)),
			entry(2, "data", entry(3, "l3_device", "not this\x00")))
		if device != "" {
			one += entry(3, "l3_device", device+"\x00")
		}
		list += entry(2, "", one+entry(3, "device", "below\x00"))
	}
	return entry(1, "interface", list)
}

// The protocol's forms, as text; all numbers are big-endian.

func u32(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }

func padded(s string) string { return s + "\x00\x00\x00"[:(4-len(s)%4)%4] }

func join(parts ...string) (s string) {
	for _, p := range parts {
		s += p
	}
	return s
}

// attribute is a blob: id and length, content.
func attribute(id byte, content string) string {
	return padded(u32(uint32(id)<<24|uint32(4+len(content))) + content)
}

// entry is a blob of a table: with a name in front of its content.
func entry(kind byte, name, content string) string {
	head := padded(string([]byte{byte(len(name) >> 8), byte(len(name))}) + name + "\x00")
	return padded(u32(1<<31|uint32(kind)<<24|uint32(4+len(head)+len(content))) + head + content)
}

func ubusMessage(kind byte, seq uint16, peer uint32, attrs string) []byte {
	return []byte(string([]byte{0, kind, byte(seq >> 8), byte(seq)}) + u32(peer) + u32(uint32(4+len(attrs))) + attrs)
}

// attributes takes a message apart.
func attributes(b []byte) map[byte]string {
	a := map[byte]string{}
	for len(b) >= 4 {
		n := int(binary.BigEndian.Uint32(b) & 0xffffff)
		if n < 4 || n > len(b) {
			break
		}
		a[b[0]&0x7f] = string(b[4:n])
		b = b[min((n+3)&^3, len(b)):]
	}
	return a
}
