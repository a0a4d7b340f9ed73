package provider

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strconv"
	"strings"
)

func init() {
	signers["rsa-sha512"] = signRSA
	signers["google-jwt"] = signJWT
}

var errRSAKey = errors.New("the key is not an RSA private key in PEM form (-----BEGIN PRIVATE KEY-----)")

// rsaKey reads a private key in PEM form (PKCS #8 or #1). Line ends may be
// written as "\n", as in JSON.
func rsaKey(text string) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode([]byte(strings.ReplaceAll(text, `\n`, "\n")))
	if block == nil {
		return nil, errRSAKey
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if key, ok := key.(*rsa.PrivateKey); ok && err == nil {
		return key, nil
	}
	return nil, errRSAKey
}

// signRSA puts the RSA signature of the body's SHA-512 into the header
// Signature, as TransIP wants it of a request for a token.
// api.transip.nl/rest/docs.html#header-authentication
func signRSA(s *signing) error {
	key, err := rsaKey(s.secret)
	if err != nil {
		return err
	}
	sum := sha512.Sum512([]byte(s.req.body))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA512, sum[:])
	if err != nil {
		return errRSAKey
	}
	s.req.set("Signature", base64.StdEncoding.EncodeToString(signature))
	return nil
}

// signJWT makes the body of a request for a token (RFC 7523 section 2.1): an
// assertion of the account id, signed with its key (RS256), for scope, good
// for an hour. developers.google.com/identity/protocols/oauth2/service-account
func signJWT(s *signing) error {
	key, err := rsaKey(s.secret)
	if err != nil {
		return err
	}
	path, _ := s.req.pathAndQuery()
	audience := "https://" + s.req.authority() + path
	now := s.now.Unix()
	claims := `{"iss":"` + escapeJSON("", s.id) + `","scope":"` + escapeJSON("", s.scope) + `","aud":"` + audience +
		`","iat":` + strconv.FormatInt(now, 10) + `,"exp":` + strconv.FormatInt(now+3600, 10) + `}`
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
	sum := sha256.Sum256([]byte(token))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return errRSAKey
	}
	s.req.body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + token + "." + encode(signature)
	s.req.set("Content-Type", "application/x-www-form-urlencoded")
	return nil
}
