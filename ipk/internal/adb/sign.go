package adb

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha512"
	"errors"
	"fmt"
)

const (
	signVersion = 0
	hashSHA512  = 4
	signHeader  = 2 + 16 // version, hash, key id
)

// Sign adds a signature by key, which must be on P-256: the only kind that all
// builds of apk-tools verify. The same key signs the same file with the same
// bytes (RFC 6979).
func (f *File) Sign(key *ecdsa.PrivateKey) error {
	id, err := keyID(&key.PublicKey)
	if err != nil {
		return err
	}
	header := append([]byte{signVersion, hashSHA512}, id...)
	digest := f.signed(header)
	sig, err := key.Sign(nil, digest[:], crypto.SHA512) // no random source: deterministic
	if err != nil {
		return fmt.Errorf("adb: signing: %w", err)
	}
	f.Signatures = append(f.Signatures, append(header, sig...))
	return nil
}

// Verify looks for a valid signature by key.
func (f *File) Verify(key *ecdsa.PublicKey) error {
	id, err := keyID(key)
	if err != nil {
		return err
	}
	for _, s := range f.Signatures {
		if len(s) < signHeader || s[0] != signVersion || s[1] != hashSHA512 || string(s[2:signHeader]) != string(id) {
			continue
		}
		digest := f.signed(s[:signHeader])
		if ecdsa.VerifyASN1(key, digest[:], s[signHeader:]) {
			return nil
		}
		return errors.New("adb: the signature does not fit the content")
	}
	return errors.New("adb: no signature by this key")
}

// signed is the digest of what a signature covers: schema, the signature's own
// header, and the digest of the database.
func (f *File) signed(header []byte) [sha512.Size]byte {
	content := sha512.Sum512(f.ADB)
	b := append(le32(f.Schema), header...)
	return sha512.Sum512(append(b, content[:]...))
}

// keyID names a key: the start of the digest of its uncompressed point.
func keyID(key *ecdsa.PublicKey) ([]byte, error) {
	if key.Curve != elliptic.P256() {
		return nil, errors.New("adb: the key is not on P-256")
	}
	point, err := key.Bytes()
	if err != nil {
		return nil, fmt.Errorf("adb: key: %w", err)
	}
	sum := sha512.Sum512(point)
	return sum[:16], nil
}
