package provider

import (
	"crypto/sha1"
	"encoding/base64"
)

func init() { signers["aliyun"] = signAliyun }

// signAliyun is the signature of Alibaba Cloud's RPC interfaces, in the query:
// HMAC-SHA1 over method and parameters; scope is the version of the API.
// help.aliyun.com/zh/sdk/product-overview/rpc-mechanism
func signAliyun(s *signing) error {
	path, query := s.req.pathAndQuery()
	if query != "" {
		query += "&"
	}
	query = canonicalQuery(query + "Format=JSON&Version=" + escapeURL("", s.scope) + "&AccessKeyId=" + escapeURL("", s.id) +
		"&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=" + s.nonce +
		"&Timestamp=" + escapeURL("", s.now.UTC().Format(isoDate)))
	s.req.path = path + "?" + query + "&Signature=" + escapeURL("", aliyunSignature(s.req.method, query, s.secret))
	return nil
}

// aliyunSignature signs a canonical query.
func aliyunSignature(method, query, secret string) string {
	text := method + "&%2F&" + escapeURL("", query)
	return base64.StdEncoding.EncodeToString(mac(sha1.New, []byte(secret+"&"), text))
}
