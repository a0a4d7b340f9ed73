package ubus

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// sockets are where ubusd listens: now, and before OpenWrt 21.02.
var sockets = []string{"/var/run/ubus/ubus.sock", "/var/run/ubus.sock"}

// replyWait is how long the answer to a question may take.
const replyWait = 5 * time.Second

// conn is a connection to ubusd. One goroutine uses it.
type conn struct {
	*os.File
	r   *bufio.Reader
	seq uint16

	// heard is called with each event that comes while something else is
	// waited for.
	heard func()
}

// received is one message.
type received struct {
	kind  uint8
	seq   uint16
	attrs []byte
}

// dial connects to ubusd and waits for its greeting.
func dial() (c *conn, err error) {
	err = errors.New("there is no ubus here")
	for _, path := range sockets {
		fd, failed := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if failed != nil {
			return nil, failed
		}
		// A listening unix socket accepts at once, or ubusd is too busy: an error.
		unix.SetNonblock(fd, true)
		if failed = unix.Connect(fd, &unix.SockaddrUnix{Name: path}); failed == nil {
			f := os.NewFile(uintptr(fd), path)
			c = &conn{File: f, r: bufio.NewReader(f), heard: func() {}}
			f.SetReadDeadline(time.Now().Add(replyWait))
			if m, err := c.read(); err != nil || m.kind != msgHello {
				c.Close()
				return nil, fmt.Errorf("%s: ubusd does not greet: %w", path, errors.Join(err, errMessage))
			}
			return c, nil
		}
		unix.Close(fd)
		if failed != unix.ENOENT {
			err = fmt.Errorf("%s: %w", path, failed)
		}
	}
	return nil, err
}

// read waits for one message.
func (c *conn) read() (m received, err error) {
	var head [headerSize + 4]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return m, err
	}
	n := binary.BigEndian.Uint32(head[headerSize:]) & lengthMask
	if n < 4 || n > maxMessage {
		return m, errMessage
	}
	m.kind, m.seq, m.attrs = head[1], binary.BigEndian.Uint16(head[2:]), make([]byte, pad(int(n))-4)
	_, err = io.ReadFull(c.r, m.attrs)
	return m, err
}

// ask sends a request and returns the attributes of the last data that answer
// it. The error of a request that ubusd refuses is a refusal.
func (c *conn) ask(kind uint8, peer uint32, attrs []byte) (data []byte, err error) {
	c.seq++
	c.SetDeadline(time.Now().Add(replyWait))
	defer c.SetDeadline(time.Time{})
	if _, err := c.Write(message(kind, c.seq, peer, attrs)); err != nil {
		return nil, err
	}
	for {
		m, err := c.read()
		switch {
		case err != nil:
			return nil, err
		case m.kind == msgInvoke:
			c.heard()
		case m.seq != c.seq:
		case m.kind == msgData:
			data = m.attrs
		case m.kind == msgStatus:
			if status := number(find(m.attrs, attrStatus)); status != 0 {
				return nil, refusal(status)
			}
			return data, nil
		}
	}
}

// refusal is a status of ubusd other than 0 (libubus: ubusmsg.h, enum
// ubus_msg_status).
type refusal uint32

const notFound refusal = 4

func (r refusal) Error() string {
	switch r {
	case notFound:
		return "ubus: it is not there (yet)"
	case 6:
		return "ubus: permission denied; /usr/share/acl.d/wanbeacon.json allows it"
	}
	return fmt.Sprintf("ubus: status %d", uint32(r))
}

// lookup returns an object's id.
func (c *conn) lookup(object string) (uint32, error) {
	data, err := c.ask(msgLookup, 0, putText(nil, attrPath, "", object))
	return number(find(data, attrObject)), err
}

// invoke calls a method of an object with arguments, the content of a table.
func (c *conn) invoke(object uint32, method string, args []byte) ([]byte, error) {
	attrs := putNumber(nil, attrObject, "", object)
	attrs = putText(attrs, attrMethod, "", method)
	data, err := c.ask(msgInvoke, object, put(attrs, attrContent, "", args))
	return find(data, attrContent), err
}

// eventObject is ubusd's own, where one registers for events.
const eventObject = 1

// listen asks for the events of a name, which come as messages of kind invoke.
func (c *conn) listen(event string) error {
	data, err := c.ask(msgAddObject, 0, nil)
	if err != nil {
		return err
	}
	args := putNumber(nil, typeInt32, "object", number(find(data, attrObject)))
	_, err = c.invoke(eventObject, "register", putText(args, typeString, "pattern", event))
	return err
}

// wait waits for an event.
func (c *conn) wait() error {
	for {
		m, err := c.read()
		if err != nil || m.kind == msgInvoke {
			return err
		}
	}
}

// closeWith ends all waiting when ctx does.
func (c *conn) closeWith(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() { c.Close() })
}
