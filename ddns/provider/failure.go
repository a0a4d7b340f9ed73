package provider

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/socket"
)

// failure is an exchange without a complete answer.
type failure struct {
	_              [0]func() // never compared: == would be code
	err            error
	doing          string // "connecting"
	sent           bool   // the request may have reached the peer
	lookup         error  // of the look-up, if that failed
	timedOutLookup bool   // no address was ever known
}

func (f *failure) Error() string { return f.doing + ": " + f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// failure makes an outcome of an error of the transport.
func (p *Provider) failure(err error) Outcome {
	o := Outcome{Class: Network}
	f, ok := errors.AsType[*failure](err)
	if !ok {
		f = &failure{err: err, doing: "sending"}
	}
	o.Sent = f.sent
	switch _, unresolved := errors.AsType[*lookupError](f.err); {
	case errors.Is(f.err, context.Canceled):
		o.Text = "interrupted while " + f.doing
	case unresolved:
		o.NoPath = true
		o.Text = f.err.Error()
	case socket.IsTimeout(f.err) && f.timedOutLookup:
		o.NoPath = true
		o.Text = fmt.Sprintf("the provider's name did not resolve within %v", p.opt.Timeout)
	case socket.IsTimeout(f.err):
		o.Text = fmt.Sprintf("no answer within %v (%s)", p.opt.Timeout, f.doing)
	case socket.NoPath(f.err):
		o.NoPath = !f.sent
		o.Text = f.doing + ": " + plainError(f.err)
	default:
		o.Text = f.doing + ": " + plainError(f.err)
	}
	o.Text = p.masker.own(o.Text)
	return o
}

// plainError says in words for users what went wrong.
func plainError(err error) string {
	// errors.AsType would be a kB for each type that is no pointer.
	var cert x509.CertificateInvalidError
	if errors.As(err, &cert) && cert.Reason == x509.Expired && cert.Cert != nil {
		now := time.Now()
		if now.Before(cert.Cert.NotBefore) {
			return fmt.Sprintf("the server's certificate is not valid before %s; the router's clock (%s) may be wrong",
				cert.Cert.NotBefore.UTC().Format(time.DateOnly), now.UTC().Format(time.DateOnly))
		}
		return fmt.Sprintf("the server's certificate expired on %s (today is %s)",
			cert.Cert.NotAfter.UTC().Format(time.DateOnly), now.UTC().Format(time.DateOnly))
	}
	var name x509.HostnameError
	if errors.As(err, &name) {
		return "the server's certificate is for another name, not for " + name.Host
	}
	if isUnknownAuthority(err) {
		return "the server's certificate is signed by an unknown authority (a self-signed one needs ca_file)"
	}
	if c, ok := errors.AsType[*socket.ConnectError](err); ok {
		return c.To.String() + ": " + innermost(c.Err).Error()
	}
	return innermost(err).Error()
}

func isUnknownAuthority(err error) bool {
	var unknown x509.UnknownAuthorityError
	ok := errors.As(err, &unknown)
	return ok
}

// innermost unwraps system call errors to the errno, whose text is enough.
func innermost(err error) error {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno
	}
	return err
}
