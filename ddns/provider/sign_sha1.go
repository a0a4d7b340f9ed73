package provider

import (
	"crypto/sha1"
	"encoding/hex"
	"strconv"
)

func sha1Hex(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// signOVH is OVH's signature: id is the application's key, secret its secret,
// scope the consumer key. help.ovhcloud.com, "First steps with the OVHcloud APIs"
func signOVH(s *signing) error {
	unix := strconv.FormatInt(s.now.Unix(), 10)
	s.req.set("X-Ovh-Application", s.id)
	s.req.set("X-Ovh-Consumer", s.scope)
	s.req.set("X-Ovh-Timestamp", unix)
	url := s.req.origin() + s.req.path
	s.req.set("X-Ovh-Signature", "$1$"+sha1Hex(s.secret+"+"+s.scope+"+"+s.req.method+"+"+url+"+"+s.req.body+"+"+unix))
	return nil
}

// signNFSN is NearlyFreeSpeech.NET's: id is the member's login, secret the key.
// members.nearlyfreespeech.net/wiki/API/Introduction
func signNFSN(s *signing) error {
	path, _ := s.req.pathAndQuery()
	head := s.id + ";" + strconv.FormatInt(s.now.Unix(), 10) + ";" + s.nonce[:min(16, len(s.nonce))] + ";"
	s.req.set("X-NFSN-Authentication", head+sha1Hex(head+s.secret+";"+path+";"+sha1Hex(s.req.body)))
	return nil
}
