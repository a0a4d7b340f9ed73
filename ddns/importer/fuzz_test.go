package importer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wanbeacon/wanbeacon/ddns/importer"
)

// fuzz holds that whatever the file is, nothing panics, the result is a valid
// configuration, and the notes can be printed.
func fuzz(f *testing.F, format string, more ...string) {
	files, err := filepath.Glob("testdata/" + format + "/*.conf")
	if err != nil || len(files) == 0 {
		f.Fatal("no examples")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, s := range more {
		f.Add([]byte(s))
	}
	c := catalogue(f)
	opt := importer.Options{
		Catalogue: c,
		ReadFile: func(path string) ([]byte, error) {
			if strings.HasSuffix(path, "inc") {
				return []byte("username = 'in\"c'\nkey a { secret b; }\n} x"), nil
			}
			return nil, errors.New("no such file")
		},
		Getenv: func(name string) (string, bool) { return "v'\"\\", name == "E" },
		Dir:    "/dir",
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		result, err := formats[format](text, opt)
		if err != nil {
			if msg := err.Error(); msg == "" || strings.ContainsAny(msg, "\n\r") || result.Config != nil {
				t.Fatalf("%q %s", msg, result.Config)
			}
			return
		}
		mustCheck(t, c, result)
		mustBeNotes(t, result.Notes, 1+strings.Count(string(text), "\n"))
		again, err := formats[format](text, opt)
		if err != nil || string(again.Config) != string(result.Config) {
			t.Fatalf("not the same the second time:\n%s\n%s", result.Config, again.Config)
		}
	})
}

func FuzzDDNSScripts(f *testing.F) {
	const head = "config service x\noption enabled 1\noption service_name dyn.com\noption domain a.dyndns.org\noption username u\noption password p\n"
	fuzz(f, "ddns-scripts", "config", "option", "config a b c", "'", "\"\\", "config 'a' 'b'\nlist a b\nlist a c\noption a d\n", "#", ";", "\\\n", "a'b'\"c\"\\",
		head+"option ip_source interface\noption ip_interface 'a b/'\n", head+"option ip_source script\noption ip_script '/a\tb'\n",
		head+"option cacert inc\noption force_interval 99999999999999999999\n", head+"option force_interval 3650\noption force_unit days\n",
		head+"option ip_source network\noption ip_network \"\x01\"\n", "config ddns global\noption upd_privateip 1\noption cacert IGNORE\n"+head,
		strings.ReplaceAll(head, "dyn.com", "namecheap.com"), strings.ReplaceAll(head, "dyn.com", "bind-nsupdate")+"option dns_server 192.0.2.1\n",
		strings.ReplaceAll(head, "service_name dyn.com", "update_url 'http://[USERNAME]:[PASSWORD]@h/[DOMAIN][IP][PARAMENC]{a}'"),
		strings.ReplaceAll(head, "service_name dyn.com", "update_url 'https://h/%zz?{hostname}&[IP'"),
		strings.ReplaceAll(head, "dyn.com", "cloudflare.com-v4")+"option param_opt 'ttl=60 zone_id=1&a=b ='\n")
}

func FuzzInadyn(f *testing.F) {
	const head = "provider dyndns.org { username = u password = p hostname = a.dyndns.org "
	fuzz(f, "inadyn", "provider", "provider {", "provider a", "a = ", "a += {", "a(", "a(b", "a(b)", "'", "\"\\", "\"\\x", "\"\\777\"", "${E}", "\"${E}\" = ${E}", "${", "/*", "//", "=", "+=", "{", "}", "(", ",",
		head+"}", head+"include(\"inc\") }", head+"ttl = 60 iface = \"a/b\" }", head+"checkip-command = \"/a b\\n\" }", "iface = e0 forced-update = 1 "+head+"}",
		"ca-trust-file = inc "+head+"}", "custom x { ddns-server = \"a b\" ddns-path = \"%\" hostname = a.b.c }", "custom x { ddns-server = a:99999 hostname = a.b.c ddns-response = { \"\\\\\", \"*{a}\" } }",
		"system dyndns@dyndns.org\nusername a\npassword b\nalias c.d.e\n", "--alias a,b\n--iface x\n", "provider duckdns.org { username = t hostname = { \"\", \"@\", \"*\", \"@.\" } }")
}

func FuzzDDClient(f *testing.F) {
	fuzz(f, "ddclient", "a=b", "a='", "a=\"\\", "password", "password=", "password = '", "password='a'b' c", "x password = y z", "a=b,\\", "\\", "\\\n\\\n", "a.b.c", "a.b.c d e f", ",", ", ,", "a,,b",
		"login=u password=p a.dyndns.org", "login=u password=p use=if if=e/0 a.dyndns.org", "login=u password=p use=ip ip=::1 a.dyndns.org", "login=u password=p usev4=ip ip=::1 usev6=ip a.dyndns.org",
		"login=u password=p use=cmd cmd=/a\tb a.dyndns.org", "password_env=E login=u a.dyndns.org", "server=http:// login=u password=p a.b.c", "server=a/b:c?{x} script={ password=p a.b.c",
		"postscript=/a\\ b login=u password=p a.dyndns.org", "timeout=999999 ssl_ca_file=inc login=u password=p a.dyndns.org", "protocol=nsupdate password=inc server=a zone=b.c a.b.c",
		"protocol=cloudflare login=a@b password=p ttl=-1 zone=c a.b.c", "max-interval=1d login=u password=p a.dyndns.org\nmax-interval=2d login=u password=p a.dyndns.org", "protocol=namecheap login=a.b password=p @,*,c,@.d")
}
