package provider

import (
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"strconv"
)

// signRSA puts the RSA signature of the body's SHA-512 into the header
// Signature, as TransIP wants it of a request for a token.
// api.transip.nl/rest/docs.html#header-authentication
func signRSA(s *signing) error {
	sum := sha512.Sum512([]byte(s.req.body))
	signature, err := signSum(s.secret, crypto.SHA512, sum[:])
	if err != nil {
		return err
	}
	s.req.set("Signature", base64.StdEncoding.EncodeToString(signature))
	return nil
}

// signJWT makes the body of a request for a token (RFC 7523 section 2.1): an
// assertion of the account id, signed with its key (RS256), for scope, good
// for an hour. developers.google.com/identity/protocols/oauth2/service-account
func signJWT(s *signing) error {
	path, _ := s.req.pathAndQuery()
	audience := "https://" + s.req.authority() + path
	now := s.now.Unix()
	claims := `{"iss":"` + escapeJSON("", s.id) + `","scope":"` + escapeJSON("", s.scope) + `","aud":"` + audience +
		`","iat":` + strconv.FormatInt(now, 10) + `,"exp":` + strconv.FormatInt(now+3600, 10) + `}`
	encode := base64.RawURLEncoding.EncodeToString
	token := encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + encode([]byte(claims))
	sum := sha256.Sum256([]byte(token))
	signature, err := signSum(s.secret, crypto.SHA256, sum[:])
	if err != nil {
		return err
	}
	s.req.body = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + token + "." + encode(signature)
	s.req.set("Content-Type", "application/x-www-form-urlencoded")
	return nil
}
