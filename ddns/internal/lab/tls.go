package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// CA is a certificate authority of the laboratory.
type CA struct {
	File string // its certificate, PEM

	lab  *Lab
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// CA makes a certificate authority; each is another one.
func (l *Lab) CA() *CA {
	l.Helper()
	ca := &CA{lab: l, File: filepath.Join(l.TempDir(), "ca.pem")}
	ca.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "wanbeacon laboratory"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	var err error
	if ca.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		l.Fatalf("lab: CA: %v", err)
	}
	der := ca.sign(ca.cert, &ca.key.PublicKey)
	if ca.cert, err = x509.ParseCertificate(der); err != nil {
		l.Fatalf("lab: CA: %v", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(ca.File, text, 0o644); err != nil {
		l.Fatalf("lab: CA: %v", err)
	}
	return ca
}

func (ca *CA) sign(template *x509.Certificate, key *ecdsa.PublicKey) []byte {
	ca.lab.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key, ca.key)
	if err != nil {
		ca.lab.Fatalf("lab: CA: %v", err)
	}
	return der
}

// Server returns a server's certificate for names and addresses, ended
// already if so asked.
func (ca *CA) Server(expired bool, hosts ...string) tls.Certificate {
	ca.lab.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		ca.lab.Fatalf("lab: CA: %v", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: hosts[0]},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if expired {
		template.NotAfter = time.Now().Add(-time.Minute)
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	return tls.Certificate{Certificate: [][]byte{ca.sign(template, &key.PublicKey)}, PrivateKey: key}
}

// Files writes a server's certificate and key for names and addresses, PEM.
func (ca *CA) Files(hosts ...string) (cert, key string) {
	ca.lab.Helper()
	pair := ca.Server(false, hosts...)
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		ca.lab.Fatalf("lab: CA: %v", err)
	}
	dir := ca.lab.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for _, f := range []struct {
		path, kind string
		der        []byte
	}{{cert, "CERTIFICATE", pair.Certificate[0]}, {key, "PRIVATE KEY", der}} {
		if err := os.WriteFile(f.path, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der}), 0o600); err != nil {
			ca.lab.Fatalf("lab: CA: %v", err)
		}
	}
	return cert, key
}
