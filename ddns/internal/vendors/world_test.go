package vendors

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// names are the hosts of all vendors.
var names = []string{
	"api.cloudflare.com",
	"api.digitalocean.com",
	"api.dynu.com",
	"api.gandi.net",
	"api.hetzner.cloud",
	"api.nearlyfreespeech.net",
	"api.porkbun.com",
	"dns.eu.ovhapis.com",
	"dnsapi.cn",
	"dyn.dns.he.net",
	"dynamicdns.park-your-domain.com",
	"dynupdate.no-ip.com",
	"eu.api.ovh.com",
	"freedns.afraid.org",
	"members.dyndns.org",
	"route53.amazonaws.com",
	"update.dedyn.io",
	"www.duckdns.org",
	"www.ovh.com",
}

// inside marks the process that TestMain starts in the namespace.
const inside = "WANBEACON_VENDORS_INSIDE"

// web is the internet of the tests.
var web *internet

// TestMain runs the tests in network and mount namespaces of their own; without
// root, in a user namespace too.
func TestMain(m *testing.M) {
	var err error
	status := 1
	if os.Getenv(inside) == "" {
		status, err = again()
	} else if web, err = newInternet(); err == nil {
		status = m.Run()
		web.end()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vendors:", err)
		status = 1
	}
	os.Exit(status)
}

// again runs this program in the namespaces and returns its exit status.
func again() (int, error) {
	runtime.LockOSThread() // the child is killed when this thread ends
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return cmd.ProcessState.ExitCode(), nil
	}
	return 0, err
}

// internet has the vendors' servers: at 127.0.0.1, ports 80 and 443, by name.
type internet struct {
	dir    string
	caFile string // PEM
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey

	mu    sync.Mutex
	sites map[string]http.Handler
	lost  []string // requests to hosts that nobody serves now
}

func newInternet() (*internet, error) {
	dir, err := os.MkdirTemp("", "wanbeacon-vendors-")
	if err != nil {
		return nil, err
	}
	n := &internet{dir: dir, caFile: filepath.Join(dir, "ca.pem"), sites: map[string]http.Handler{}}
	if err := n.isolate(); err != nil {
		return nil, err
	}
	if err := n.authority(); err != nil {
		return nil, err
	}
	server := &http.Server{Handler: n, ErrorLog: log.New(io.Discard, "", 0)}
	plain, err := net.Listen("tcp", "127.0.0.1:80")
	if err != nil {
		return nil, err
	}
	secure, err := net.Listen("tcp", "127.0.0.1:443")
	if err != nil {
		return nil, err
	}
	go server.Serve(plain)
	go server.Serve(tls.NewListener(secure, &tls.Config{GetCertificate: n.certificate}))
	return n, nil
}

// isolate brings loopback up and puts our hosts and resolv.conf over the
// system's, for this process and its children.
func (n *internet) isolate() error {
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	for path, text := range map[string]string{
		"/etc/hosts":       "127.0.0.1 localhost\n127.0.0.1 " + strings.Join(names, "\n127.0.0.1 ") + "\n",
		"/etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
	} {
		file := filepath.Join(n.dir, filepath.Base(path))
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return err
		}
		if err := unix.Mount(file, path, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount over %s: %w", path, err)
		}
	}
	return nil
}

func (n *internet) end() { os.RemoveAll(n.dir) }

// authority makes the certificate authority that vouches for all vendors.
func (n *internet) authority() error {
	var err error
	if n.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return err
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of the tests"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, &n.key.PublicKey, n.key)
	if err != nil {
		return err
	}
	if n.cert, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	return os.WriteFile(n.caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

// certificate makes one for the name that the client asks for.
func (n *internet) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	form := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: hello.ServerName},
		DNSNames: []string{hello.ServerName}, NotBefore: n.cert.NotBefore, NotAfter: n.cert.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, n.cert, &n.key.PublicKey, n.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der, n.cert.Raw}, PrivateKey: n.key}, nil
}

// ServeHTTP gives a request to the vendor whose name it has.
func (n *internet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	site := n.sites[r.Host]
	if site == nil {
		n.lost = append(n.lost, r.Method+" "+r.Host+r.RequestURI)
	}
	n.mu.Unlock()
	if site == nil {
		http.Error(w, "no such vendor", http.StatusBadGateway)
		return
	}
	site.ServeHTTP(w, r)
}

// serve gives the hosts to a handler until the test ends.
func serve(t *testing.T, h http.Handler, hosts ...string) {
	t.Helper()
	web.mu.Lock()
	defer web.mu.Unlock()
	for _, host := range hosts {
		if web.sites[host] != nil {
			t.Fatalf("%s is served already", host)
		}
		web.sites[host] = h
	}
	t.Cleanup(func() {
		web.mu.Lock()
		defer web.mu.Unlock()
		for _, host := range hosts {
			delete(web.sites, host)
		}
		for _, request := range web.lost {
			t.Errorf("a request that no vendor gets: %s", request)
		}
		web.lost = nil
	})
}
