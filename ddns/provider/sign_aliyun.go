package provider

import (
	"crypto/sha1"
	"encoding/base64"
)

// signAliyun is the signature of Alibaba Cloud's RPC interfaces, in the query:
// HMAC-SHA1 over method and parameters; scope is the version of the API.
// Without it, it is the dialect of Now.cn, which has fewer parameters.
// help.aliyun.com/zh/sdk/product-overview/rpc-mechanism, www.todaynic.com/docApi
func signAliyun(s *signing) error {
	path, query := s.req.pathAndQuery()
	if query != "" {
		query += "&"
	}
	name := "AccessInstanceID="
	if s.scope != "" {
		name = "Format=JSON&SignatureVersion=1.0&Version=" + escapeURL("", s.scope) + "&AccessKeyId="
	}
	query = canonicalQuery(query + name + escapeURL("", s.id) + "&SignatureMethod=HMAC-SHA1&SignatureNonce=" + s.nonce +
		"&Timestamp=" + escapeURL("", s.now.UTC().Format(isoDate)))
	s.req.path = path + "?" + query + "&Signature=" + escapeURL("", aliyunSignature(s.req.method, query, s.secret))
	return nil
}

// aliyunSignature signs a canonical query.
func aliyunSignature(method, query, secret string) string {
	text := method + "&%2F&" + escapeURL("", query)
	return base64.StdEncoding.EncodeToString(mac(sha1.New, []byte(secret+"&"), text))
}
