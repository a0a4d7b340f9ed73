// Package control tells the user what the daemon does, and takes requests: a
// unix socket with one JSON object a line each way.
//
// A request is {"method":"status"}; "update" also takes "hosts" and "force",
// "verify" takes "hosts", the others ("addresses", "reload", "log") take nothing. The reply is {"result":…} or {"error":"…"}. The
// socket has mode 0600, so only the daemon's user and root can ask. The
// package never changes anything by itself: a [Backend] does the work.
//
// Start with [Serve] on the daemon's side and [Client] on the other.
package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/json"
)

// Backend does what the socket's users ask for.
type Backend interface {
	Status(context.Context) (*Status, error)
	Addresses(context.Context) (*Addresses, error)
	// Update asks for requests now and waits for their outcome; hosts empty
	// means all.
	Update(ctx context.Context, hosts []string, force bool) (*Status, error)
	// Reload puts the configuration file in force. A file that has errors is
	// not; the Config says so.
	Reload(context.Context) (*Config, error)
	Log(context.Context) (*Log, error)
	// Verify looks at the DNS now; hosts empty means all.
	Verify(ctx context.Context, hosts []string) (*Verification, error)
}

type request struct {
	Method string   `json:"method"`
	Hosts  []string `json:"hosts,omitempty"`
	Force  bool     `json:"force,omitempty"`
}

type reply struct {
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

const (
	maxRequest = 64 << 10
	ioTimeout  = 5 * time.Second // for reading a request, writing a reply
	maxClients = 16
)

// Listen opens the socket with mode 0600. A socket that a dead process left
// behind is replaced; one that answers is an error. Where path is a symbolic
// link, the socket is where it leads: root makes one in /var/run for a daemon
// that may not write there.
func Listen(path string) (*Listener, error) {
	if to, err := os.Readlink(path); err == nil {
		path = to
	}
	if c, err := dial(path); err == nil {
		c.Close()
		return nil, fmt.Errorf("%s: another wanbeacon is running", path)
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		os.Remove(path)
	}
	old := syscall.Umask(0o177)
	defer syscall.Umask(old)
	l, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return l, nil
}

// Serve answers requests until ctx ends, then closes the listener, which
// removes the socket, and waits for the replies under way.
func Serve(ctx context.Context, l *Listener, b Backend) {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	slots := make(chan struct{}, maxClients)
	var clients sync.WaitGroup
	defer clients.Wait()
	for {
		conn, err := l.accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, os.ErrClosed) {
				return
			}
			// Out of descriptors: let the clients at work finish.
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
			continue
		}
		slots <- struct{}{}
		clients.Go(func() {
			defer func() { <-slots }()
			serve(ctx, conn, b)
		})
	}
}

func serve(ctx context.Context, conn *os.File, b Backend) {
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	unblock := context.AfterFunc(ctx, func() { conn.SetReadDeadline(time.Now()) })
	defer unblock()
	conn.SetReadDeadline(time.Now().Add(ioTimeout))
	var req request
	if receive(io.LimitReader(conn, maxRequest), &req) != nil {
		return
	}
	// From now on the client sends nothing; the end of its side cancels.
	conn.SetReadDeadline(time.Time{})
	go func() {
		conn.Read(make([]byte, 1))
		cancel()
	}()
	out, err := answer(ctx, b, req)
	r := reply{Result: out}
	if err != nil {
		r = reply{Error: err.Error()}
	}
	conn.SetWriteDeadline(time.Now().Add(ioTimeout))
	send(conn, r)
}

func answer(ctx context.Context, b Backend, req request) (json.RawMessage, error) {
	var v any
	var err error
	switch req.Method {
	case "status":
		v, err = b.Status(ctx)
	case "addresses":
		v, err = b.Addresses(ctx)
	case "update":
		v, err = b.Update(ctx, req.Hosts, req.Force)
	case "reload":
		v, err = b.Reload(ctx)
	case "verify":
		v, err = b.Verify(ctx, req.Hosts)
	case "log":
		v, err = b.Log(ctx)
	default:
		err = fmt.Errorf("unknown method %q", req.Method)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

// ErrNotRunning says that nothing answers at the socket.
var ErrNotRunning = errors.New("wanbeacon is not running")

// Client asks the daemon at a socket.
type Client struct{ Socket string }

// Status asks for the status.
func (c Client) Status(ctx context.Context) (*Status, error) {
	return call[Status](ctx, c.Socket, request{Method: "status"})
}

// Addresses asks for every address considered.
func (c Client) Addresses(ctx context.Context) (*Addresses, error) {
	return call[Addresses](ctx, c.Socket, request{Method: "addresses"})
}

// Update asks for requests now; the status afterwards is returned.
func (c Client) Update(ctx context.Context, hosts []string, force bool) (*Status, error) {
	return call[Status](ctx, c.Socket, request{Method: "update", Hosts: hosts, Force: force})
}

// Reload puts the configuration file in force, as SIGHUP does, and tells
// whether it is.
func (c Client) Reload(ctx context.Context) (*Config, error) {
	return call[Config](ctx, c.Socket, request{Method: "reload"})
}

// Log asks for the last log lines.
func (c Client) Log(ctx context.Context) (*Log, error) {
	return call[Log](ctx, c.Socket, request{Method: "log"})
}

// Ask asks with a method's name, and gives the answer as it came.
func (c Client) Ask(ctx context.Context, method string, hosts []string) (json.RawMessage, error) {
	var v json.RawMessage
	err := ask(ctx, c.Socket, request{Method: method, Hosts: hosts}, &v)
	return v, err
}

// Verify asks what the DNS says of hosts now.
func (c Client) Verify(ctx context.Context, hosts []string) (*Verification, error) {
	return call[Verification](ctx, c.Socket, request{Method: "verify", Hosts: hosts})
}

func call[T any](ctx context.Context, socket string, req request) (*T, error) {
	v := new(T)
	return v, ask(ctx, socket, req, v)
}

// ask sends a request and reads the result into v. It is not generic, as each
// instance would cost a router two kilobytes.
func ask(ctx context.Context, socket string, req request, v any) error {
	conn, err := dial(socket)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOENT):
		return fmt.Errorf("%w (nothing answers at %s)", ErrNotRunning, socket)
	case err != nil:
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Now()) })()
	if err := send(conn, req); err != nil {
		return err
	}
	var r reply
	if err := receive(conn, &r); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("%s: no answer in time", socket)
		}
		return fmt.Errorf("%s: %w", socket, err)
	}
	if r.Error != "" {
		return errors.New(r.Error)
	}
	return json.Unmarshal(r.Result, v)
}

// send writes v as one line.
func send(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	return err
}

// receive reads one line, the end of the stream being the end of one, into v.
func receive(r io.Reader, v any) error {
	line, err := bufio.NewReader(r).ReadBytes('\n')
	if err != nil && (err != io.EOF || len(line) == 0) {
		return err
	}
	return json.Unmarshal(line, v)
}
