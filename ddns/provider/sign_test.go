package provider

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func toSign(t *testing.T, method, url, body string, header ...field) *request {
	t.Helper()
	to, err := parseTarget(url)
	if err != nil {
		t.Fatal(err)
	}
	return &request{method: method, target: to, header: header, body: body}
}

// TestAWSVectors: the suite that AWS publishes, "get-vanilla" and others.
func TestAWSVectors(t *testing.T) {
	for _, c := range []struct{ url, signature string }{
		{"https://example.amazonaws.com/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"https://example.amazonaws.com/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
	} {
		s := &signing{
			req: toSign(t, "GET", c.url, ""), now: at("2015-08-30T12:36:00Z"),
			id: "AKIDEXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", scope: "us-east-1/service",
		}
		if err := signAWS(s); err != nil {
			t.Fatal(err)
		}
		want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + c.signature
		if got := s.req.get("authorization"); got != want {
			t.Errorf("%s:\n got %s\nwant %s", c.url, got, want)
		}
	}
}

// TestTencentVector: the worked example of "Signature v3".
func TestTencentVector(t *testing.T) {
	body := `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`
	s := &signing{
		req: toSign(t, "POST", "https://cvm.tencentcloudapi.com/", body, field{"Content-Type", "application/json; charset=utf-8"}),
		id:  "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE", secret: "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE", scope: "cvm", now: time.Unix(1551113065, 0),
	}
	if err := signTencent(s); err != nil {
		t.Fatal(err)
	}
	want := "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, " +
		"Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
	if got := s.req.get("authorization"); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestHuaweiVector: the worked example of the "API Request Signing Guide".
func TestHuaweiVector(t *testing.T) {
	s := &signing{
		req: toSign(t, "GET", "https://service.region.example.com/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0", "",
			field{"Content-Type", "application/json"}),
		id: "QTWAOYTTINDUT2QVKYUC", secret: "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc", now: at("2019-11-15T03:36:55Z"),
	}
	if err := signHuawei(s); err != nil {
		t.Fatal(err)
	}
	want := "SDK-HMAC-SHA256 Access=QTWAOYTTINDUT2QVKYUC, SignedHeaders=content-type;host;x-sdk-date, Signature=7be6668032f70418fcc22abc52071e57aff61b84a1d2381bb430d6870f4f6ebe"
	if got := s.req.get("authorization"); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestVolcengineCanonical: the worked example's canonical request, by its hash;
// the key derivation is written out a second time.
func TestVolcengineCanonical(t *testing.T) {
	r := toSign(t, "GET", "https://iam.byteplusapi.com/?Limit=10&Action=ListUsers&Version=2018-01-01&Offset=0", "",
		field{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"})
	s := &signing{req: r, id: "id", secret: "secret", scope: "ap-singapore-1/iam", now: at("2020-12-30T08:18:05Z")}
	if err := signVolcengine(s); err != nil {
		t.Fatal(err)
	}
	text, _ := r.canonical("/", "content-type", "host", "x-content-sha256", "x-date")
	const hash = "4809ff4a3260bb6714f750191275cfcf0c16466951fcfd99187e69644b6ae020"
	if got := sha256Hex(text); got != hash {
		t.Errorf("canonical request %s, want %s:\n%s", got, hash, text)
	}
	h := func(key []byte, m string) []byte { return mac(sha256.New, key, m) }
	key := h(h(h(h([]byte("secret"), "20201230"), "ap-singapore-1"), "iam"), "request")
	signature := hex.EncodeToString(h(key, "HMAC-SHA256\n20201230T081805Z\n20201230/ap-singapore-1/iam/request\n"+hash))
	if got := r.get("authorization"); !strings.HasSuffix(got, "Signature="+signature) {
		t.Errorf("got %s, want %s", got, signature)
	}
}

// TestBaiduVector: the worked example of the "authentication string": its key,
// and its signature of the canonical request, whose headers are not those that
// we sign.
func TestBaiduVector(t *testing.T) {
	key := hexMAC([]byte(strings.Repeat("b", 32)), "bce-auth-v1/"+strings.Repeat("a", 32)+"/2015-04-27T08:23:49Z/1800")
	if key != "1d5ce5f464064cbee060330d973218821825ac6952368a482a592e6615aef479" {
		t.Error(key)
	}
	text := "PUT\n" + encodePath("/v1/test/myfolder/readme.txt") + "\n" + canonicalQuery("uploadId=a44cc9bab11cbd156984767aad637851&partNumber=9") +
		"\ncontent-length:8\ncontent-md5:" + escapeURL("", "NFzcPqhviddjRNnSOGo4rw==") + "\ncontent-type:" + escapeURL("", "text/plain") +
		"\nhost:bj.bcebos.com\nx-bce-date:" + escapeURL("", "2015-04-27T08:23:49Z")
	if got := hexMAC([]byte(key), text); got != "d74a04362e6a848f5b39b15421cb449427f419c95a480fd6b8cf9fc783e2999e" {
		t.Error(got)
	}
}

// TestBaidu: the documented formulas, written out.
func TestBaidu(t *testing.T) {
	s := &signing{
		req: toSign(t, "POST", "https://bcd.baidubce.com/v1/domain/resolve/list", "{}"),
		id:  "aaaa", secret: "bbbb", now: at("2015-04-27T08:23:49Z"),
	}
	if err := signBaidu(s); err != nil {
		t.Fatal(err)
	}
	hm := func(key, m string) string { return hex.EncodeToString(mac(sha256.New, []byte(key), m)) }
	prefix := "bce-auth-v1/aaaa/2015-04-27T08:23:49Z/1800"
	want := prefix + "/host/" + hm(hm("bbbb", prefix), "POST\n/v1/domain/resolve/list\n\nhost:bcd.baidubce.com")
	if got := s.req.get("authorization"); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestAliyunVector: the worked example of the RPC mechanism, and what is sent.
func TestAliyunVector(t *testing.T) {
	query := canonicalQuery("Timestamp=2016-02-23T12%3A46%3A24Z&Format=XML&AccessKeyId=testid&Action=DescribeRegions&SignatureMethod=HMAC-SHA1" +
		"&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&Version=2014-05-26&SignatureVersion=1.0")
	if got := aliyunSignature("GET", query, "testsecret"); got != "OLeaidS1JvxuMvnyHOwuJ+uX5qY=" {
		t.Errorf("signature %s", got)
	}
	s := &signing{
		req: toSign(t, "GET", "https://alidns.aliyuncs.com/?Action=AddDomainRecord&RR=*&Value=2001:db8::7", ""),
		id:  "testid", secret: "testsecret", scope: "2015-01-09", nonce: "n", now: at("2016-02-23T12:46:24Z"),
	}
	if err := signAliyun(s); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(s.req.origin() + s.req.path)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for key, want := range map[string]string{"RR": "*", "Value": "2001:db8::7", "Version": "2015-01-09", "Timestamp": "2016-02-23T12:46:24Z", "Format": "JSON"} {
		if q.Get(key) != want {
			t.Errorf("%s = %q", key, q.Get(key))
		}
	}
	before, after, _ := strings.Cut(s.req.path, "&Signature=")
	signature, _ := url.QueryUnescape(after)
	if got := aliyunSignature("GET", strings.TrimPrefix(before, "/?"), "testsecret"); got != signature {
		t.Errorf("signature %s, want %s", signature, got)
	}
	if strings.ContainsAny(before, "*+") {
		t.Errorf("not as RFC 3986 has it: %s", before)
	}
}

// TestNFSNVector: the worked example of the API's introduction.
func TestNFSNVector(t *testing.T) {
	s := &signing{
		req: toSign(t, "POST", "https://api.nearlyfreespeech.net/site/example/getInfo", ""),
		id:  "testuser", secret: "p3kxmRKf9dk3l6ls", nonce: "dkwo28Sile4jdXkw", now: time.Unix(1012121212, 0),
	}
	if err := signNFSN(s); err != nil {
		t.Fatal(err)
	}
	if got := s.req.get("x-nfsn-authentication"); got != "testuser;1012121212;dkwo28Sile4jdXkw;0fa8932e122d56e2f6d1550f9aab39c4aef8bfc4" {
		t.Error(got)
	}
}

// TestOVHVector: the worked example of "First steps with the OVHcloud APIs".
func TestOVHVector(t *testing.T) {
	s := &signing{
		req: toSign(t, "GET", "https://eu.api.ovh.com/1.0/domains/", ""),
		id:  "7kbG7Bk7S9Nt7ZSV", secret: "EXEgWIz07P0HYwtQDs7cNIqCiQaWSuHF", scope: "MtSwSrPpNjqfVSmJhLbPyr2i45lSwPU1", now: time.Unix(1366560945, 0),
	}
	if err := signOVH(s); err != nil {
		t.Fatal(err)
	}
	if got := s.req.get("x-ovh-signature"); got != "$1$d3705e8afb27a0d2970a322b96550abfc67bb798" {
		t.Error(got)
	}
}

// TestOVH: the documented formula, written out, with a body.
func TestOVH(t *testing.T) {
	s := &signing{
		req: toSign(t, "PUT", "https://eu.api.ovh.com/1.0/domain/zone/example.org/record/1", `{"target":"203.0.113.7"}`),
		id:  "AK", secret: "AS", scope: "CK", now: time.Unix(1366560945, 0),
	}
	if err := signOVH(s); err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum([]byte(`AS+CK+PUT+https://eu.api.ovh.com/1.0/domain/zone/example.org/record/1+{"target":"203.0.113.7"}+1366560945`))
	if got := s.req.get("x-ovh-signature"); got != "$1$"+hex.EncodeToString(sum[:]) {
		t.Error(got)
	}
	if s.req.get("x-ovh-consumer") != "CK" || s.req.get("x-ovh-application") != "AK" || s.req.get("x-ovh-timestamp") != "1366560945" {
		t.Error(s.req.header)
	}
}

// TestRSAVector: RS256 of RFC 7515 appendix A.2, with its key.
func TestRSAVector(t *testing.T) {
	number := func(text string) *big.Int {
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return new(big.Int).SetBytes(b)
	}
	key := &rsa.PrivateKey{
		PublicKey: rsa.PublicKey{E: 65537, N: number("ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ")},
		D:         number("Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ"),
		Primes: []*big.Int{
			number("4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc"),
			number("uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc"),
		},
	}
	key.Precompute()
	text := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	sum := sha256.Sum256([]byte("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"))
	got, err := signSum(text, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	want := "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4" +
		"BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
	if text := base64.RawURLEncoding.EncodeToString(got); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

// TestRSA: both forms of key; what is signed is verified with the public key.
func TestRSA(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"PKCS #8": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})),
		"PKCS #1": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
		"in JSON": `{"type":"service_account","private_key_id":"1","private_key":"` +
			strings.ReplaceAll(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})), "\n", `\n`) + `","client_email":"me@p.iam.gserviceaccount.com"}`,
	} {
		s := &signing{req: toSign(t, "POST", "https://api.transip.nl/v6/auth", `{"login":"me"}`), secret: text}
		if err := signRSA(s); err != nil {
			t.Fatal(name, err)
		}
		signature, _ := base64.StdEncoding.DecodeString(s.req.get("signature"))
		sum := sha512.Sum512([]byte(`{"login":"me"}`))
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA512, sum[:], signature); err != nil {
			t.Error(name, err)
		}
		s = &signing{
			req: toSign(t, "POST", "https://oauth2.googleapis.com/token", ""), secret: text, id: "me@p.iam.gserviceaccount.com",
			scope: "https://www.googleapis.com/auth/ndev.clouddns.readwrite", now: time.Unix(1700000000, 0),
		}
		if err := signJWT(s); err != nil {
			t.Fatal(name, err)
		}
		form, _ := url.ParseQuery(s.req.body)
		if form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
			t.Error(form)
		}
		parts := strings.Split(form.Get("assertion"), ".")
		sum256 := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		signature, _ = base64.RawURLEncoding.DecodeString(parts[2])
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, sum256[:], signature); err != nil {
			t.Error(name, err)
		}
		var claims struct {
			Iss, Scope, Aud string
			Iat, Exp        int64
		}
		text, _ := base64.RawURLEncoding.DecodeString(parts[1])
		if err := json.Unmarshal(text, &claims); err != nil || claims.Aud != "https://oauth2.googleapis.com/token" || claims.Exp-claims.Iat != 3600 || claims.Iss != s.id || claims.Scope != s.scope {
			t.Error(claims, err)
		}
	}
	for _, bad := range []string{"", "secret", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if err := signRSA(&signing{req: toSign(t, "POST", "https://api.transip.nl/v6/auth", ""), secret: bad}); err != errRSAKey {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
