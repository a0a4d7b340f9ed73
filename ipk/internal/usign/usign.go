// Package usign makes and checks the Ed25519 signatures of opkg feeds, in the
// text form of OpenBSD's signify that OpenWrt's usign reads: a comment line,
// then base64 of a fixed record. It never touches the file system.
//
// Start with [NewKey] and [Key.Sign].
package usign

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

const (
	algorithm = "Ed"
	kdf       = "BK" // with no rounds: the key is not encrypted
	comment   = "untrusted comment: "
)

// Sizes of the records.
const (
	fingerprintLen = 8
	saltLen        = 16
	checksumLen    = 8
	publicLen      = 2 + fingerprintLen + ed25519.PublicKeySize
	signatureLen   = 2 + fingerprintLen + ed25519.SignatureSize
	privateLen     = 2 + 2 + 4 + saltLen + checksumLen + fingerprintLen + ed25519.PrivateKeySize
)

// Key is a private key with the number that names it.
type Key struct {
	Fingerprint [fingerprintLen]byte
	private     ed25519.PrivateKey
}

// NewKey makes a key from random bytes.
func NewKey() (*Key, error) {
	k := new(Key)
	rand.Read(k.Fingerprint[:]) // never fails
	var err error
	_, k.private, err = ed25519.GenerateKey(rand.Reader)
	return k, err
}

// Name is the key's number as opkg wants the file in /etc/opkg/keys to be
// called.
func (k *Key) Name() string { return hex.EncodeToString(k.Fingerprint[:]) }

// Private returns the key's own file, without a pass phrase.
func (k *Key) Private() []byte {
	sum := sha512.Sum512(k.private)
	b := append([]byte(algorithm+kdf), make([]byte, 4+saltLen)...)
	b = append(b, sum[:checksumLen]...)
	b = append(b, k.Fingerprint[:]...)
	return k.text("private key ", append(b, k.private...))
}

// Public returns the file that a router needs.
func (k *Key) Public() []byte {
	b := append([]byte(algorithm), k.Fingerprint[:]...)
	return k.text("public key ", append(b, k.private.Public().(ed25519.PublicKey)...))
}

// Sign returns the signature file for message.
func (k *Key) Sign(message []byte) []byte {
	b := append([]byte(algorithm), k.Fingerprint[:]...)
	return k.text("signed by key ", append(b, ed25519.Sign(k.private, message)...))
}

func (k *Key) text(what string, record []byte) []byte {
	return fmt.Appendf(nil, "%s%s%s\n%s\n", comment, what, k.Name(), base64.StdEncoding.EncodeToString(record))
}

// ParseKey reads what Private wrote.
func ParseKey(file []byte) (*Key, error) {
	b, err := record(file, privateLen)
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	if string(b[2:4]) != kdf || !bytes.Equal(b[4:8], make([]byte, 4)) {
		return nil, errors.New("private key: it has a pass phrase")
	}
	b = b[8+saltLen:]
	k := &Key{private: ed25519.PrivateKey(b[checksumLen+fingerprintLen:])}
	copy(k.Fingerprint[:], b[checksumLen:])
	if sum := sha512.Sum512(k.private); !bytes.Equal(sum[:checksumLen], b[:checksumLen]) {
		return nil, errors.New("private key: wrong checksum")
	}
	return k, nil
}

// Verify checks a signature file against a public key's file.
func Verify(public, signature, message []byte) error {
	p, err := record(public, publicLen)
	if err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	s, err := record(signature, signatureLen)
	if err != nil {
		return fmt.Errorf("signature: %w", err)
	}
	const key = 2 + fingerprintLen
	if !bytes.Equal(p[2:key], s[2:key]) {
		return errors.New("signature: by another key")
	}
	if !ed25519.Verify(p[key:], message, s[key:]) {
		return errors.New("signature: it does not fit the content")
	}
	return nil
}

// record returns a file's record of size bytes.
func record(file []byte, size int) ([]byte, error) {
	first, rest, ok := strings.Cut(string(file), "\n")
	if !ok || !strings.HasPrefix(first, comment) {
		return nil, fmt.Errorf("no line that begins with %q", comment)
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(rest, "\n"))
	if err != nil {
		return nil, err
	}
	if len(b) != size || string(b[:2]) != algorithm {
		return nil, fmt.Errorf("not an %s record of %d bytes", algorithm, size)
	}
	return b, nil
}
