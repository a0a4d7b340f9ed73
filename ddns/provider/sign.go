package provider

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"sort"
	"strings"
	"time"
)

// signing is a request to be signed, and with what.
type signing struct {
	_                 [0]func() // never compared: == would be code
	req               *request
	id, secret, scope string // as the catalogue's file gives them
	now               time.Time
	nonce             string // 32 hexadecimal digits, never the same twice
}

// signer is a signature function with its parameters.
type signer struct {
	with              func(*signing) error
	id, secret, scope template
}

// signers are the functions that a catalogue file can name. Each adds headers,
// a query or a body to the request, and returns errors without secrets.
var signers = [...]struct {
	name string
	sign func(*signing) error
}{
	{"aliyun", signAliyun}, {"aws4", signAWS}, {"bce1", signBaidu}, {"google-jwt", signJWT}, {"huawei", signHuawei},
	{"nfsn", signNFSN}, {"ovh", signOVH}, {"rsa-sha512", signRSA}, {"tc3", signTencent}, {"volc4", signVolcengine},
}

// signer compiles how requests are signed; nil: not at all.
func (c *compiler) signer(key string, f SignForm) *signer {
	if f == (SignForm{}) {
		return nil
	}
	var names []string
	for i := range signers {
		if s := &signers[i]; s.name == f.With {
			return &signer{s.sign, c.template(key+".id", f.ID), c.template(key+".secret", f.Secret), c.template(key+".scope", f.Scope)}
		}
		names = append(names, signers[i].name)
	}
	c.problem(key+".with", "%q is none of %s", f.With, strings.Join(names, ", "))
	return nil
}

// newNonce returns 32 random hexadecimal digits.
func newNonce() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// mac is HMAC of the message.
func mac(h func() hash.Hash, key []byte, message string) []byte {
	m := hmac.New(h, key)
	m.Write([]byte(message))
	return m.Sum(nil)
}

// sha256Hex is the hash of s in hexadecimal digits.
func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// canonicalQuery puts the parameters of a query in the order of their names,
// then values, each encoded as RFC 3986 has it.
func canonicalQuery(query string) string {
	if query == "" {
		return ""
	}
	var pairs []string
	for _, pair := range strings.Split(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		pairs = append(pairs, recode(name)+"="+recode(value))
	}
	sort.Sort(sort.StringSlice(pairs))
	return strings.Join(pairs, "&")
}

// recode takes percent-encoding off and puts it on again, so that nothing but
// letters, digits and "-._~" is left as it is.
func recode(s string) string { return escapeURL("", unescapePercent(s)) }

func unescapePercent(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.WriteByte(c[0])
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// pathAndQuery cuts a request's path in two.
func (r *request) pathAndQuery() (path, query string) {
	path, query, _ = strings.Cut(r.path, "?")
	return path, query
}
