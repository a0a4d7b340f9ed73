package ubus

import (
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
)

// ubusd is a real server of the protocol, with netifd's object in it. It holds
// its clients to what ubusd accepts.
type ubusd struct {
	t    *testing.T
	path string

	mu      sync.Mutex
	l       net.Listener
	clients map[net.Conn]uint32 // with the object that events go to; 0: none
	devices map[string]string   // nil: netifd is not there
	dumps   int
	deny    bool

	listening chan struct{} // one for each client that has begun to listen
}

const netifdID = 0x1234abcd

// startUbusd starts one where this package looks for it.
func startUbusd(t *testing.T) *ubusd {
	u := &ubusd{t: t, path: filepath.Join(t.TempDir(), "ubus.sock"), clients: map[net.Conn]uint32{}, listening: make(chan struct{}, 16)}
	old := sockets
	sockets = []string{filepath.Join(t.TempDir(), "none"), u.path}
	t.Cleanup(func() { u.stop(); sockets = old })
	return u
}

func (u *ubusd) start() {
	u.t.Helper()
	l, err := net.Listen("unix", u.path)
	if err != nil {
		u.t.Fatal(err)
	}
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

// stop ends it and all its connections.
func (u *ubusd) stop() {
	if u.l != nil {
		u.l.Close()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.clients {
		c.Close()
		delete(u.clients, c)
	}
}

// set changes what netifd says, and tells the event to who listens.
func (u *ubusd) set(devices map[string]string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.devices = devices
	for c, object := range u.clients {
		if object != 0 {
			event := putNumber(nil, attrObject, "", object)
			event = putText(event, attrMethod, "", "network.interface")
			event = put(event, attrContent, "", putText(putText(nil, typeString, "action", "ifup"), typeString, "interface", "wan"))
			c.Write(message(msgInvoke, 0, eventObject, event))
		}
	}
}

func (u *ubusd) serve(c net.Conn) {
	defer c.Close()
	c.Write(message(msgHello, 0, 0x55aa55aa, nil))
	for {
		var head [12]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		attrs := make([]byte, int(binary.BigEndian.Uint32(head[8:])&lengthMask)-4)
		if _, err := io.ReadFull(c, attrs); err != nil {
			return
		}
		seq, peer := binary.BigEndian.Uint16(head[2:]), binary.BigEndian.Uint32(head[4:])
		data, status := u.answer(c, head[1], peer, attrs)
		if data != nil {
			c.Write(message(msgData, seq, peer, data))
		}
		c.Write(message(msgStatus, seq, peer, putNumber(nil, attrStatus, "", status)))
	}
}

func (u *ubusd) answer(c net.Conn, kind uint8, peer uint32, attrs []byte) (data []byte, status uint32) {
	u.mu.Lock()
	defer u.mu.Unlock()
	object, method, content := number(find(attrs, attrObject)), text(find(attrs, attrMethod)), find(attrs, attrContent)
	switch {
	case u.deny:
		return nil, 6
	case kind == msgLookup && text(find(attrs, attrPath)) == "network.interface" && u.devices != nil:
		return putNumber(putText(nil, attrPath, "", "network.interface"), attrObject, "", netifdID), 0
	case kind == msgLookup:
		return nil, 4
	case kind == msgAddObject:
		return putNumber(nil, attrObject, "", 77), 0
	case kind == msgInvoke && peer == eventObject && object == eventObject && method == "register":
		pattern, id := "", uint32(0)
		for a, rest, ok := next(content); ok; a, rest, ok = next(rest) {
			switch a.name {
			case "object":
				id = number(a.content)
			case "pattern":
				pattern = text(a.content)
			}
		}
		if pattern != "network.interface" || id != 77 {
			return nil, 2
		}
		u.clients[c] = id
		u.listening <- struct{}{}
		return nil, 0
	case kind == msgInvoke && peer == netifdID && object == netifdID && method == "dump" && content != nil:
		u.dumps++
		return u.dump(), 0
	}
	return nil, 3
}

// dump is netifd's answer: a table with an array of tables.
func (u *ubusd) dump() []byte {
	var list []byte
	for name, device := range u.devices {
		one := putText(nil, typeString, "interface", name)
		one = put(one, typeBool, "up", []byte{1})
		one = put(one, typeTable, "data", putText(nil, typeString, "l3_device", "inside"))
		if device != "" {
			one = putText(one, typeString, "l3_device", device)
		}
		one = putText(one, typeString, "device", "under-"+device)
		list = put(list, typeTable, "", one)
	}
	content := put(nil, typeArray, "interface", list)
	return put(putNumber(nil, attrObject, "", netifdID), attrContent, "", content)
}
