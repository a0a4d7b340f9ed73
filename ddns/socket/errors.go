package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// ConnectError is a connection that could not be made.
type ConnectError struct {
	To  netip.AddrPort
	Err error
}

func (e *ConnectError) Error() string { return e.To.String() + ": " + e.Err.Error() }
func (e *ConnectError) Unwrap() error { return e.Err }

// BindError is a device that one cannot bind to.
type BindError struct {
	Device string
	Err    error
}

func (e *BindError) Error() string { return fmt.Sprintf("device %s: %v", e.Device, e.Err) }
func (e *BindError) Unwrap() error { return e.Err }

// IsTimeout reports whether the deadline ended it, or the kernel's own patience.
func IsTimeout(err error) bool {
	var timeout interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// NoPath reports whether the kernel found no way out for the packet.
func NoPath(err error) bool {
	for _, errno := range []error{
		unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EADDRNOTAVAIL, unix.ENETDOWN, unix.ENODEV,
		unix.EACCES,       // a route of type "prohibit"
		unix.EAFNOSUPPORT, // no IPv6 in this kernel
	} {
		if errors.Is(err, errno) {
			return true
		}
	}
	return false
}

// CloseWith makes everything that waits on conn return when ctx is done.
func CloseWith(ctx context.Context, conn net.Conn) (stop func() bool) {
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	return context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
}

// CtxOr prefers the reason of ctx over the error that it caused.
func CtxOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
