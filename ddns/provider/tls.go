package provider

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/socket"
)

// tlsClient makes TLS connections. Certificate authorities are read when they
// are needed and forgotten after; of each host only the one that vouched last
// is kept, so that the usual handshake reads no bundle. If the host changes to
// another authority, the bundle is read again.
type tlsClient struct {
	caFile    string
	protocols []string // that are offered (ALPN)
	sessions  tls.ClientSessionCache
	now       func() time.Time // nil: time.Now

	mu    sync.Mutex
	small map[string]smallRoots // by host
}

// smallRoots is the authority that vouched for a host.
type smallRoots struct {
	pool  *x509.CertPool
	stamp stamp
}

// stamp tells a bundle from a changed one.
type stamp struct {
	path string
	size int64
	time time.Time
}

func newTLSClient(caFile string) *tlsClient {
	return &tlsClient{caFile: caFile, sessions: tls.NewLRUClientSessionCache(4), small: map[string]smallRoots{}}
}

// rootsLoad is certificate authorities on their way.
type rootsLoad struct {
	_     [0]func() // never compared: == would be code
	small bool      // only the one that vouched last
	stamp stamp
	done  chan struct{}
	pool  *x509.CertPool
	err   error
}

// load gets the authorities for a host, beside the caller's own work.
func (c *tlsClient) load(host string) *rootsLoad {
	now := bundleStamp(c.caFile)
	c.mu.Lock()
	small, ok := c.small[host]
	c.mu.Unlock()
	if ok && small.stamp == now {
		l := &rootsLoad{small: true, pool: small.pool, stamp: now, done: make(chan struct{})}
		close(l.done)
		return l
	}
	return c.reload(host)
}

// reload reads the whole bundle.
func (c *tlsClient) reload(host string) *rootsLoad {
	c.mu.Lock()
	delete(c.small, host)
	c.mu.Unlock()
	l := &rootsLoad{done: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.stamp = bundleStamp(c.caFile)
		l.pool, l.err = readRoots(l.stamp.path, c.caFile != "")
	}()
	return l
}

// handshake sets TLS up on conn and verifies the peer.
func (c *tlsClient) handshake(ctx context.Context, conn net.Conn, host string, roots *rootsLoad) (net.Conn, error) {
	stop := socket.CloseWith(ctx, conn)
	defer stop()
	select {
	case <-roots.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if roots.err != nil {
		return nil, roots.err
	}
	tc := tls.Client(conn, &tls.Config{
		ServerName: host, MinVersion: tls.VersionTLS12, RootCAs: roots.pool,
		ClientSessionCache: c.sessions, Time: c.now, NextProtos: c.protocols,
	})
	if err := tc.Handshake(); err != nil {
		return nil, err
	}
	if chains := tc.ConnectionState().VerifiedChains; !roots.small && len(chains) > 0 {
		pool := x509.NewCertPool()
		for _, chain := range chains {
			pool.AddCert(chain[len(chain)-1])
		}
		c.mu.Lock()
		c.small[host] = smallRoots{pool, roots.stamp}
		c.mu.Unlock()
	}
	return tc, nil
}

// bundles are where systems keep their authorities: OpenWrt and Debian,
// Alpine, Fedora, SUSE.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/ssl/cert.pem",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
}

// bundleStamp finds the bundle; its path is "" if there is none.
func bundleStamp(caFile string) stamp {
	paths := bundles
	if caFile != "" {
		paths = []string{caFile}
	} else if env := os.Getenv("SSL_CERT_FILE"); env != "" {
		paths = []string{env}
	}
	for _, path := range paths {
		if st, err := os.Stat(path); err == nil {
			return stamp{path, st.Size(), st.ModTime()}
		}
	}
	return stamp{path: caFile}
}

var errNoBundle = errors.New("no certificate authorities found: install the package ca-bundle (or ca-certificates), or set ca_file")

// readRoots reads a bundle of PEM certificates.
func readRoots(path string, asked bool) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if path == "" {
		// A directory of single certificates, OpenWrt's ca-certificates.
		const dir = "/etc/ssl/certs/"
		files, _ := namesIn(dir)
		found := false
		for _, file := range files {
			if !strings.HasSuffix(file, ".crt") {
				continue
			}
			if text, err := os.ReadFile(dir + file); err == nil && pool.AppendCertsFromPEM(text) {
				found = true
			}
		}
		if !found {
			return nil, errNoBundle
		}
		return pool, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("certificate authorities: %w", err)
	}
	if !pool.AppendCertsFromPEM(text) {
		if asked {
			return nil, fmt.Errorf("ca_file %s has no certificate", path)
		}
		return nil, fmt.Errorf("%s has no certificate: install the package ca-bundle, or set ca_file", path)
	}
	return pool, nil
}
