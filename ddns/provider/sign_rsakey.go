package provider

import (
	"crypto"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
)

var errRSAKey = errors.New("the key is not an RSA private key in PEM form (-----BEGIN PRIVATE KEY-----)")

// rsaKey reads a private key in PEM form: PKCS #8 (RFC 5208) or #1 (RFC 8017
// appendix A.1.2). Line ends may be written as "\n", as in JSON. The parsers of
// crypto/x509 would link those of all other kinds of keys.
func rsaKey(text string) (*rsa.PrivateKey, error) {
	text = strings.ReplaceAll(text, `\n`, "\n")
	_, text, ok := strings.Cut(text, "PRIVATE KEY-----")
	body, _, end := strings.Cut(text, "-----END")
	if !ok || !end {
		return nil, errRSAKey
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		return nil, errRSAKey
	}
	key := &rsa.PrivateKey{}
	inner, _, ok := derValue(der, 0x30)
	version, rest, ok2 := derValue(inner, 0x02)
	if !ok || !ok2 || len(version) != 1 {
		return nil, errRSAKey
	}
	if _, after, is8 := derValue(rest, 0x30); is8 {
		octets, _, _ := derValue(after, 0x04)
		inner, _, _ = derValue(octets, 0x30)
		if _, rest, ok = derValue(inner, 0x02); !ok {
			return nil, errRSAKey
		}
	}
	var numbers [5]*big.Int // n, e, d, p, q
	for i := range numbers {
		var digits []byte
		if digits, rest, ok = derValue(rest, 0x02); !ok || len(digits) == 0 || len(digits) > 2049 {
			return nil, errRSAKey
		}
		numbers[i] = new(big.Int).SetBytes(digits)
	}
	if !numbers[1].IsInt64() || numbers[1].Int64() > 1<<31-1 {
		return nil, errRSAKey
	}
	key.N, key.E, key.D, key.Primes = numbers[0], int(numbers[1].Int64()), numbers[2], numbers[3:]
	if key.Validate() != nil {
		return nil, errRSAKey
	}
	return key, nil
}

// derValue takes a value with the tag off the front of DER (X.690).
func derValue(der []byte, tag byte) (value, rest []byte, ok bool) {
	if len(der) < 2 || der[0] != tag {
		return nil, nil, false
	}
	n, der := int(der[1]), der[2:]
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 3 || len(der) < size {
			return nil, nil, false
		}
		n = 0
		for _, b := range der[:size] {
			n = n<<8 | int(b)
		}
		der = der[size:]
	}
	if n > len(der) {
		return nil, nil, false
	}
	return der[:n], der[n:], true
}

// signSum signs a hash (RSASSA-PKCS1-v1_5, RFC 8017 section 8.2).
func signSum(key string, hash crypto.Hash, sum []byte) ([]byte, error) {
	k, err := rsaKey(key)
	if err != nil {
		return nil, err
	}
	signature, err := rsa.SignPKCS1v15(nil, k, hash, sum)
	if err != nil {
		return nil, errRSAKey
	}
	return signature, nil
}
