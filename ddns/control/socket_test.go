package control

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// backend answers every question; Status waits until it is cancelled.
type backend struct {
	Backend
	waiting chan struct{}
}

func (b backend) Status(ctx context.Context) (*Status, error) {
	if b.waiting != nil {
		b.waiting <- struct{}{}
		<-ctx.Done()
	}
	return &Status{Version: "1.2.3"}, nil
}

func (b backend) Update(_ context.Context, hosts []string, force bool) (*Status, error) {
	if !force {
		return nil, errors.New("not forced")
	}
	return &Status{Version: strings.Join(hosts, " ")}, nil
}

func serving(t *testing.T, b Backend) (path string, stop func()) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "socket")
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { Serve(ctx, l, b); close(done) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return path, stop
}

func TestAsksAndAnswers(t *testing.T) {
	path, stop := serving(t, backend{})
	c := Client{Socket: path}
	if s, err := c.Status(t.Context()); err != nil || s.Version != "1.2.3" {
		t.Errorf("%+v %v", s, err)
	}
	if s, err := c.Update(t.Context(), []string{"a", "b"}, true); err != nil || s.Version != "a b" {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := c.Update(t.Context(), nil, false); err == nil || err.Error() != "not forced" {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "another wanbeacon is running") {
		t.Error(err)
	}
	stop()
	if _, err := os.Stat(path); err == nil {
		t.Error("the socket is still there")
	}
	if _, err := c.Status(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Error(err)
	}
}

func TestLeftSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "socket")
	l, err := listen(path)
	if err != nil {
		t.Fatal(err)
	}
	l.File.Close() // as by a kill
	if _, err := (Client{Socket: path}).Status(t.Context()); !errors.Is(err, ErrNotRunning) {
		t.Error(err)
	}
	l, err = Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := Listen(filepath.Join(path, "nowhere")); err == nil || !strings.Contains(err.Error(), "control socket") {
		t.Error(err)
	}
}

func TestEndOfServeCancelsWhatWaits(t *testing.T) {
	b := backend{waiting: make(chan struct{})}
	path, stop := serving(t, b)
	done := make(chan error, 1)
	go func() {
		_, err := Client{Socket: path}.Status(context.Background())
		done <- err
	}()
	<-b.waiting
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestClientThatGoesAwayCancelsItsQuestion(t *testing.T) {
	b := backend{waiting: make(chan struct{})}
	path, _ := serving(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := Client{Socket: path}.Status(ctx)
		done <- err
	}()
	<-b.waiting
	cancel()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "no answer in time") {
		t.Error(err)
	}
}

// TestOtherClients: what is no question gets no answer, and stops nobody.
func TestOtherClients(t *testing.T) {
	path, _ := serving(t, backend{})
	for _, text := range []string{"", "x\n", "{}\n", `{"method": "status"`, strings.Repeat("x", 2*maxRequest)} {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(text))
		conn.(*net.UnixConn).CloseWrite()
		conn.SetReadDeadline(time.Now().Add(time.Minute))
		n, _ := conn.Read(make([]byte, 1000))
		if (n > 0) != (text == "{}\n") {
			t.Errorf("%.20q: %d bytes", text, n)
		}
		conn.Close()
	}
	if _, err := (Client{Socket: path}).Status(t.Context()); err != nil {
		t.Error(err)
	}
}
