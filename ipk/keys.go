package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/wanbeacon/wanbeacon/ipk/internal/usign"
)

// Names of the keys' files. The public ones go to the routers.
const (
	usignPrivate = "usign.key"
	usignPublic  = "usign.pub"
	apkPrivate   = "apk.key"
	apkPublic    = "wanbeacon.pem" // as it is to be called in /etc/apk/keys
)

// keys sign a feed: one for opkg, one for apk.
type keys struct {
	usign *usign.Key
	apk   *ecdsa.PrivateKey
}

// makeKeys writes a new pair of keys into dir, and never over an old one.
func makeKeys(dir string) error {
	u, err := usign.NewKey()
	if err != nil {
		return err
	}
	a, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(a)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&a.PublicKey)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, f := range []struct {
		name    string
		mode    os.FileMode
		content []byte
	}{
		{usignPrivate, 0o600, u.Private()},
		{apkPrivate, 0o600, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})},
		{usignPublic, 0o644, u.Public()},
		{apkPublic, 0o644, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})},
	} {
		if err := writeNew(filepath.Join(dir, f.name), f.mode, f.content); err != nil {
			return err
		}
	}
	fmt.Printf("%s: keys of a new feed. Keep %s and %s to yourself, and a copy: without them the feed cannot be continued.\n",
		dir, usignPrivate, apkPrivate)
	return nil
}

func writeNew(name string, mode os.FileMode, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

// readKeys reads what makeKeys wrote.
func readKeys(dir string) (*keys, error) {
	k := new(keys)
	text, err := os.ReadFile(filepath.Join(dir, usignPrivate))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w; `make feed-keys` makes keys", err)
	}
	if err != nil {
		return nil, err
	}
	if k.usign, err = usign.ParseKey(text); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, usignPrivate), err)
	}
	name := filepath.Join(dir, apkPrivate)
	if text, err = os.ReadFile(name); err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s: not a PEM file", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var ok bool
	if k.apk, ok = key.(*ecdsa.PrivateKey); !ok {
		return nil, fmt.Errorf("%s: not a key for ECDSA", name)
	}
	return k, nil
}

// public returns the files that a router needs: for /etc/opkg/keys, named by
// the key's number, and for /etc/apk/keys.
func (k *keys) public() (map[string][]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(&k.apk.PublicKey)
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		k.usign.Name(): k.usign.Public(),
		apkPublic:      pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	}, nil
}
