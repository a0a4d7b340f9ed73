package provider

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// The signatures of this file have one idea in common: a canonical form of the
// request is hashed, and the hash signed with a key that is derived from the
// secret, the day and the service.

const (
	basicDate = "20060102T150405Z"
	isoDate   = "2006-01-02T15:04:05Z"
)

// canonical is the canonical request and the names of its headers; headers
// are those to sign, in the order of their names, in small letters.
func (r *request) canonical(path string, headers ...string) (text, signed string) {
	_, query := r.pathAndQuery()
	var b strings.Builder
	b.WriteString(r.method + "\n" + path + "\n" + canonicalQuery(query) + "\n")
	for _, name := range headers {
		b.WriteString(name + ":" + strings.TrimSpace(r.get(name)) + "\n")
	}
	signed = strings.Join(headers, ";")
	b.WriteString("\n" + signed + "\n" + sha256Hex(r.body))
	return b.String(), signed
}

// get returns a header.
func (r *request) get(name string) string {
	if name == "host" {
		return r.authority()
	}
	for _, h := range r.header {
		if strings.EqualFold(h.name, name) {
			return h.value
		}
	}
	return ""
}

// derive makes a key of another, one step after the other.
func derive(key string, steps ...string) []byte {
	k := []byte(key)
	for _, step := range steps {
		k = mac(sha256.New, k, step)
	}
	return k
}

func hexMAC(key []byte, message string) string {
	return hex.EncodeToString(mac(sha256.New, key, message))
}

// encodePath encodes each part of a path once more.
func encodePath(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		parts[i] = escapeURL("", part)
	}
	return strings.Join(parts, "/")
}

// signAWS is AWS Signature Version 4; scope is "REGION/SERVICE".
// docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
func signAWS(s *signing) error {
	date := s.now.UTC().Format(basicDate)
	s.req.set("X-Amz-Date", date)
	path, _ := s.req.pathAndQuery()
	text, signed := s.req.canonical(encodePath(path), "host", "x-amz-date")
	region, service, _ := strings.Cut(s.scope, "/")
	scope := date[:8] + "/" + s.scope + "/aws4_request"
	key := derive("AWS4"+s.secret, date[:8], region, service, "aws4_request")
	signature := hexMAC(key, "AWS4-HMAC-SHA256\n"+date+"\n"+scope+"\n"+sha256Hex(text))
	s.req.set("Authorization", "AWS4-HMAC-SHA256 Credential="+s.id+"/"+scope+", SignedHeaders="+signed+", Signature="+signature)
	return nil
}

// signVolcengine is Volcengine's signature, version 4; scope is "REGION/SERVICE".
// www.volcengine.com/docs/6369/67269
func signVolcengine(s *signing) error {
	date := s.now.UTC().Format(basicDate)
	s.req.set("X-Date", date)
	s.req.set("X-Content-Sha256", sha256Hex(s.req.body))
	headers := []string{"host", "x-content-sha256", "x-date"}
	if s.req.get("content-type") != "" {
		headers = append([]string{"content-type"}, headers...)
	}
	text, signed := s.req.canonical("/", headers...)
	region, service, _ := strings.Cut(s.scope, "/")
	scope := date[:8] + "/" + s.scope + "/request"
	key := derive(s.secret, date[:8], region, service, "request")
	signature := hexMAC(key, "HMAC-SHA256\n"+date+"\n"+scope+"\n"+sha256Hex(text))
	s.req.set("Authorization", "HMAC-SHA256 Credential="+s.id+"/"+scope+", SignedHeaders="+signed+", Signature="+signature)
	return nil
}

// signTencent is TC3-HMAC-SHA256; scope is the service. The headers X-TC-Action
// and X-TC-Version are the catalogue's. cloud.tencent.com/document/api/1427/56189
func signTencent(s *signing) error {
	date := s.now.UTC().Format("2006-01-02")
	unix := strconv.FormatInt(s.now.Unix(), 10)
	s.req.set("X-TC-Timestamp", unix)
	text, signed := s.req.canonical("/", "content-type", "host")
	scope := date + "/" + s.scope + "/tc3_request"
	key := derive("TC3"+s.secret, date, s.scope, "tc3_request")
	signature := hexMAC(key, "TC3-HMAC-SHA256\n"+unix+"\n"+scope+"\n"+sha256Hex(text))
	s.req.set("Authorization", "TC3-HMAC-SHA256 Credential="+s.id+"/"+scope+", SignedHeaders="+signed+", Signature="+signature)
	return nil
}

// signHuawei is SDK-HMAC-SHA256. support.huaweicloud.com/devg-apisign/api-sign-algorithm.html
func signHuawei(s *signing) error {
	date := s.now.UTC().Format(basicDate)
	s.req.set("X-Sdk-Date", date)
	headers := []string{"host", "x-sdk-date"}
	if s.req.get("content-type") != "" {
		headers = append([]string{"content-type"}, headers...)
	}
	path, _ := s.req.pathAndQuery()
	text, signed := s.req.canonical(strings.TrimSuffix(encodePath(unescapePercent(path)), "/")+"/", headers...)
	signature := hexMAC([]byte(s.secret), "SDK-HMAC-SHA256\n"+date+"\n"+sha256Hex(text))
	s.req.set("Authorization", "SDK-HMAC-SHA256 Access="+s.id+", SignedHeaders="+signed+", Signature="+signature)
	return nil
}

// signBaidu is bce-auth-v1. cloud.baidu.com/doc/Reference/s/njwvz1yfu
func signBaidu(s *signing) error {
	path, query := s.req.pathAndQuery()
	prefix := "bce-auth-v1/" + s.id + "/" + s.now.UTC().Format(isoDate) + "/1800"
	key := hexMAC([]byte(s.secret), prefix)
	text := s.req.method + "\n" + encodePath(unescapePercent(path)) + "\n" + canonicalQuery(query) + "\nhost:" + escapeURL("", s.req.authority())
	s.req.set("Authorization", prefix+"/host/"+hexMAC([]byte(key), text))
	return nil
}
