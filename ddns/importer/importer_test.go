package importer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/config"
	"github.com/wanbeacon/wanbeacon/ddns/importer"
)

// TestSecretsAreKeptByteForByte has one password for each way to write one.
func TestSecretsAreKeptByteForByte(t *testing.T) {
	for _, c := range []struct{ format, written, want string }{
		{"ddns-scripts", `secret`, `secret`},
		{"ddns-scripts", `'it"s, a \ # secret;'`, `it"s, a \ # secret;`},
		{"ddns-scripts", `"it's \"a\" \\ secret # ;"`, `it's "a" \ secret # ;`},
		{"ddns-scripts", `'it'"'"'s'\ "so"`, `it's so`},
		{"ddns-scripts", `'  blanks  '`, `  blanks  `},
		{"ddns-scripts", `pä\#ß`, `pä#ß`},
		{"inadyn", `secret # comment`, `secret`},
		{"inadyn", `dreadsad/+dsad21321//x`, `dreadsad/+dsad21321//x`},
		{"inadyn", `a\#b`, `a\`},
		{"inadyn", `"sec,ret # {} = \"x\" \\ \t \x41\102"`, "sec,ret # {} = \"x\" \\ \t AB"},
		{"inadyn", `'lit\eral "x" ${HOME} \'y\' \\'`, `lit\eral "x" ${HOME} 'y' \`},
		{"inadyn", `"${SECRET}"`, `S3CR3T-env`},
		{"inadyn", `${SECRET}`, `S3CR3T-env`},
		{"inadyn", `"${UNSET:-}x"`, `x`},
		{"inadyn", `p%%q`, `p%%q`},
		{"ddclient", `secret`, `secret`},
		{"ddclient", `sec,ret,`, `sec,ret`},
		{"ddclient", `'sec#ret, \ "x" '`, `sec#ret, \ "x" `},
		{"ddclient", `'it's'`, `it's`},
		{"ddclient", `"quoted"`, `"quoted"`},
		{"ddclient", `se\cr#et`, `se\cr#et`},
		{"ddclient", `=x=`, `=x=`},
		{"ddclient", `a'b`, `a'b`},
	} {
		// A control character is no password of a provider: the generic one is more patient.
		var text string
		switch c.format {
		case "ddns-scripts":
			text = "config service x\n\toption enabled 1\n\toption update_url 'https://d.example/?h=[DOMAIN]&p=[PASSWORD]&i=[IP]'\n" +
				"\toption domain h.example.net\n\toption password " + c.written + "\n"
		case "inadyn":
			text = "custom x {\n ddns-server = d.example\n ddns-path = \"/?h=%h&p=%p\"\n hostname = h.example.net\n password = " + c.written + "\n}\n"
		case "ddclient":
			text = "server=d.example.net, login=x, password=" + c.written + " h.example.net\n"
		}
		result, err := formats[c.format]([]byte(text), options(t, "testdata"))
		if err != nil {
			t.Fatal(err)
		}
		cfg := mustCheck(t, catalogue(t), result)
		if len(cfg.Providers) != 1 {
			t.Errorf("%s %s: %s %v", c.format, c.written, result.Config, result.Notes)
			continue
		}
		if got := cfg.Providers[0].Fields["password"].Reveal(); got != c.want {
			t.Errorf("%s %s: %q", c.format, c.written, got)
		}
		for _, n := range result.Notes {
			if len(c.want) > 3 && strings.Contains(n.Message, c.want) {
				t.Errorf("a secret in %q", n.Message)
			}
		}
	}
}

func TestWhatIsNoConfigurationIsRefused(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "is empty"},
		{"blank", " \n\t\r\n", "is empty"},
		{"large", strings.Repeat("# x\n", 1<<19), "is larger than 1024 KiB"},
		{"NUL", "a\nb\x00c", "has a NUL byte in line 2"},
		{"Latin-1", "# ok\n\n# caf\xe9\n", "line 3 is not UTF-8"},
		{"cut off", "# x\xe2\x82", "line 1 is not UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for format, run := range formats {
				_, err := run([]byte(c.text), options(t, "testdata"))
				if err == nil || !strings.HasPrefix(err.Error(), c.want) {
					t.Errorf("%s: %v", format, err)
				}
			}
		})
	}
}

func TestByteOrderMarkAndCRLFAreOfNoMatter(t *testing.T) {
	for format, text := range map[string]string{
		"ddns-scripts": "config service x\n\toption enabled 1\n\toption service_name dyn.com\n\toption domain a.dyndns.org\n\toption username u\n\toption password p\n",
		"inadyn":       "provider dyndns.org {\n username = u\n password = p\n hostname = a.dyndns.org\n}\n",
		"ddclient":     "login=u, \\\npassword=p a.dyndns.org\n",
	} {
		run := formats[format]
		want, err := run([]byte(text), options(t, "testdata"))
		if err != nil || want.Records != 1 {
			t.Fatal(format, err, want)
		}
		got, err := run([]byte("\ufeff"+strings.ReplaceAll(text, "\n", "\r\n")), options(t, "testdata"))
		if err != nil || string(got.Config) != string(want.Config) {
			t.Errorf("%s: %v\n%s", format, err, got.Config)
		}
	}
}

func TestTwoSectionsOfOneNameAreOneRecord(t *testing.T) {
	const text = `
config service a
	option enabled 1
	option service_name no-ip.com
	option domain home.ddns.net
	option username u
	option password p
config service b
	option enabled %
	option service_name no-ip.com
	option domain HOME.ddns.net.
	option username u
	option password p
	option use_ipv6 1
config service c
	option enabled 1
	option service_name no-ip.com
	option domain home.ddns.net
	option username another
	option password p
	option use_ipv6 1
`
	for enabled, want := range map[string]int{"1": 2, "0": 3} {
		result, err := importer.DDNSScripts([]byte(strings.ReplaceAll(text, "%", enabled)), options(t, "testdata"))
		if err != nil {
			t.Fatal(err)
		}
		cfg := mustCheck(t, catalogue(t), result)
		if len(cfg.Records) != want {
			t.Errorf("enabled %s: %d records:\n%s", enabled, len(cfg.Records), result.Config)
		}
		if want == 2 && (len(cfg.Records[0].Families) != 2 || len(cfg.Records[1].Families) != 1) {
			t.Errorf("families:\n%s", result.Config)
		}
	}
}

func TestAnEnabledSectionWinsOverADisabledOne(t *testing.T) {
	const section = "config service %\n\toption enabled %\n\toption service_name no-ip.com\n\toption domain home.ddns.net\n\toption username u\n\toption password p\n"
	for _, order := range [][2]string{{"0", "1"}, {"1", "0"}} {
		text := strings.ReplaceAll(section, "%", order[0]) + strings.ReplaceAll(section, "%", order[1])
		result, err := importer.DDNSScripts([]byte(text), options(t, "testdata"))
		if err != nil {
			t.Fatal(err)
		}
		cfg := mustCheck(t, catalogue(t), result)
		if len(cfg.Records) != 1 || !cfg.Records[0].Enabled || len(result.Notes) != 1 {
			t.Errorf("%v:\n%s%v", order, result.Config, result.Notes)
		}
	}
}

func TestAllowedPrivateAddressesHoldForAllSources(t *testing.T) {
	result, err := importer.Inadyn([]byte("verify-address = no\nprovider dyndns.org { username = u password = p hostname = a.dyndns.org }\n"), options(t, "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := mustCheck(t, catalogue(t), result)
	if s, _ := cfg.Source("wan"); !s.AllowPrivate || s.Method != "auto" {
		t.Errorf("\n%s", result.Config)
	}
}

func TestIntervalsOfRefreshing(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90": 90 * time.Second, "90s": 90 * time.Second, "5m": 5 * time.Minute, "2hours": 2 * time.Hour, "25d": 25 * 24 * time.Hour,
		"never": 0, "inf": 0, "x9": 0, "9x": 0, "-1": 0, "99999999999999999999d": 0, "9999d": 0, "": 0,
	} {
		result, err := importer.DDClient([]byte("max-interval="+text+" login=u password=p a.dyndns.org\n"), options(t, "testdata"))
		if err != nil {
			t.Fatal(err)
		}
		cfg := mustCheck(t, catalogue(t), result)
		if got := cfg.Providers[0].ForceInterval; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestNamesOfInadynAreFoundAsInadynDoes(t *testing.T) {
	for title, want := range map[string]string{
		"no-ip.com": "noip", "NO-IP.com:7": "noip", "default@no-ip.com": "noip", "ipv6@no-ip.com:1": "noip",
		"dyn": "dyn", "dyndns": "dyn", "duckdns": "duckdns", "namecheap": "namecheap", "simplycom": "simply",
		"dyndns@3322.org": "pubyun-3322", "noip": "noip", "default@dyn": "", "x@y": "", "": "", ":1": "",
	} {
		result, err := importer.Inadyn([]byte("provider \""+title+"\" { username = example.org password = p hostname = www.example.org }\n"), options(t, "testdata"))
		if err != nil {
			t.Fatal(err)
		}
		cfg := mustCheck(t, catalogue(t), result)
		got := ""
		if len(cfg.Providers) > 0 {
			got = cfg.Providers[0].Type
		}
		if got != want {
			t.Errorf("%q: %q, not %q", title, got, want)
		}
		if strings.HasPrefix(title, "ipv6@") && cfg.Records[0].Families[0] != config.IPv6 {
			t.Errorf("%q is %v", title, cfg.Records[0].Families)
		}
	}
}

func TestIncludesEnd(t *testing.T) {
	opt := options(t, "testdata")
	opt.ReadFile = func(string) ([]byte, error) {
		return []byte("include(\"a\")\ninclude(\"b\")\nhostname += x.dyndns.org\n"), nil
	}
	result, err := importer.Inadyn([]byte("provider dyndns.org {\ninclude(\"a\")\nusername = u\npassword = p\n}\n"), opt)
	if err != nil || result.Records != 1 {
		t.Fatal(err, string(result.Config), result.Notes)
	}
}

// TestNotesHaveNoSecretsOutOfPlace has secrets where nobody expects them.
func TestNotesHaveNoSecretsOutOfPlace(t *testing.T) {
	for format, texts := range map[string][]string{
		"ddns-scripts": {
			"config service x\n\toption enabled 1\n\toption service_name cloudflare.com-v4\n\toption domain a@example.org\n\toption username Bearer\n\toption password p\n\toption param_opt S3CR3T\n",
			"config service x\n\toption enabled 1\n\toption update_url 'http://u:S3CR3T@h h/[DOMAIN]?S3CR3T'\n\toption domain a.example.org\n",
			"config service x\n\toption password one S3CR3T\n\tS3CR3T\n",
			"config service x\n\toption service_name dyn.com\n\toption username u\n\toption password p\n\toption domain 'S3CR3T pass'\n",
		},
		"inadyn": {
			"provider dyn { username = u password = p S3CR3T hostname = a.dyndns.org }",
			"provider dyn { username = u password = p/S3CR3T=S3CR3T hostname = S3CR3T }",
			"custom x { ddns-server = \"u:S3CR3T@h h\" ddns-path = /S3CR3T hostname = a.example.org }",
			"username u\npassword a S3CR3T\nalias a.dyndns.org,S3CR3T\n",
		},
		"ddclient": {
			"login=u password=p S3CR3T a.dyndns.org",
			"login=u password= p S3CR3T=x a.dyndns.org",
			"server=https://u:S3CR3T@h.example/S3CR3T login=u a.dyndns.org",
			"server=u:S3CR3T@h.example script=S3CR3T login=u password=p x.example.org",
			"a.dyndns.org u S3CR3T S3CR3T",
			"protocol=cloudns dynurl=https://x/?q=S3CR3T nohost",
		},
	} {
		for _, text := range texts {
			result, err := formats[format]([]byte(text), options(t, "testdata"))
			if err != nil {
				t.Fatal(err)
			}
			mustCheck(t, catalogue(t), result)
			for _, n := range result.Notes {
				if strings.Contains(strings.ToUpper(n.Message), "S3CR3T") {
					t.Errorf("%s %q: %s", format, text, n.Message)
				}
			}
		}
	}
}

// A private key stays in the file that it is in, and "zone" of Google's script
// is the name that Cloud DNS gives to a zone.
func TestPrivateKeysStayInTheirFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gcp.json")
	if err := os.WriteFile(file, []byte(`{"private_key":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	text := "config service g\n\toption enabled 1\n\toption service_name cloud.google.com-v1\n\toption lookup_host home.example.org\n\toption domain home.example.org\n" +
		"\toption username me@p.iam.gserviceaccount.com\n\toption password " + file + "\n\toption param_enc 'project=my-project&zone=example-org'\n"
	result, err := formats["ddns-scripts"]([]byte(text), options(t, "testdata"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`email = "me@p.iam.gserviceaccount.com"`, `key_file = "` + file + `"`, `project = "my-project"`, `zone_name = "example-org"`} {
		if !strings.Contains(string(result.Config), "\n"+want+"\n") {
			t.Errorf("no %s in\n%s", want, result.Config)
		}
	}
}
