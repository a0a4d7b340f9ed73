package provider

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/wanbeacon/wanbeacon/ddns/config"
)

// testSecret is that of all keys of the test servers.
const testSecret = "c2VjcmV0IG9mIHRoZSBleGFtcGxlLCAzMiBieXRlcyE="

// testZone is what the servers have at first: two zones of the same content.
const testZone = `$TTL 300
@ IN SOA ns hostmaster 1 3600 600 86400 60
@ IN NS ns
ns IN A 127.0.0.1
keep IN TXT "untouched"
keep IN MX 10 ns
`

var testZones = []string{"example.org", "example.net"}

// nameServerProcess is a real name server, with a key of the name "router" for
// each algorithm ("router-hmac-sha256" …), which may change example.org, and a
// key "limited", which may change only allowed.example.org. Nobody may change
// example.net.
type nameServerProcess struct {
	name string
	port uint16
	log  *syncBuffer
}

// serverKinds are the servers that the tests know. A file of the
// configuration, the command and the line of its log that says it is ready.
var serverKinds = []struct {
	name, pkg, program string
	start              func(t *testing.T, dir string, port uint16) (args []string)
	ready              string
}{
	{"BIND", "bind9", "named", bindFiles, " running\n"},
	{"Knot", "knot", "knotd", knotFiles, "server started in the foreground"},
	{"PowerDNS", "pdns-server and pdns-backend-sqlite3", "pdns_server", pdnsFiles, "operating unthreaded"},
}

// eachServer runs a test against each of them.
func eachServer(t *testing.T, test func(t *testing.T, s *nameServerProcess)) {
	for _, kind := range serverKinds {
		t.Run(kind.name, func(t *testing.T) {
			test(t, startServer(t, kind.name))
		})
	}
}

// startServer starts a server on loopback, which ends with the test.
func startServer(t *testing.T, name string) *nameServerProcess {
	t.Helper()
	for _, kind := range serverKinds {
		if kind.name != name {
			continue
		}
		program := lookProgram(t, kind.program, kind.pkg)
		s := &nameServerProcess{name: name, port: freePort(t), log: &syncBuffer{}}
		cmd := exec.Command(program, kind.start(t, t.TempDir(), s.port)...)
		output, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = cmd.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ready, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			once := sync.OnceFunc(func() { close(ready) })
			for lines := bufio.NewScanner(output); lines.Scan(); {
				s.log.Write(append(lines.Bytes(), '\n'))
				if strings.Contains(lines.Text()+"\n", kind.ready) {
					once()
				}
			}
		}()
		t.Cleanup(func() {
			cmd.Process.Kill()
			<-ended
			cmd.Wait()
			if t.Failed() {
				said := s.log.String()
				t.Logf("%s said last:\n%s", name, said[max(0, len(said)-3000):])
			}
		})
		select {
		case <-ready:
		case <-ended:
			t.Fatalf("%s ended:\n%s", name, s.log)
		case <-time.After(10 * time.Second):
			t.Fatalf("%s did not start:\n%s", name, s.log)
		}
		return s
	}
	t.Fatalf("no server %s", name)
	return nil
}

// lookProgram finds a program of the administrator's.
func lookProgram(t *testing.T, program, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		path = "/usr/sbin/" + program
		if _, err := os.Stat(path); err != nil {
			t.Fatalf("%s is missing: install %s, or run `make tools`", program, pkg)
		}
	}
	return path
}

// freePort finds one that is free for UDP and TCP, in both families.
func freePort(t *testing.T) uint16 {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		port := netip.MustParseAddrPort(l.Addr().String()).Port()
		all := true
		for _, host := range []string{"127.0.0.1", "::1"} {
			c, err := net.ListenPacket("udp", net.JoinHostPort(host, itoa(int(port))))
			if all = all && err == nil; err == nil {
				defer c.Close()
			}
		}
		if six, err := net.Listen("tcp", net.JoinHostPort("::1", itoa(int(port)))); all && err == nil {
			six.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func writeFile(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// keyName is that of the key of an algorithm.
func keyName(algorithm string) string { return "router-" + algorithm }

// testKeys are the names of all keys, with their algorithms.
func testKeys() map[string]string {
	keys := map[string]string{"limited": "hmac-sha256"}
	for _, a := range tsigAlgorithms {
		keys[keyName(a.name)] = a.name
	}
	return keys
}

func bindFiles(t *testing.T, dir string, port uint16) []string {
	var b, grants strings.Builder
	fmt.Fprintf(&b, `options { directory %q; pid-file none; session-keyfile none; lock-file none; notify no; recursion no; dnssec-validation no; empty-zones-enable no;
 listen-on port %d { 127.0.0.1; }; listen-on-v6 port %d { ::1; }; };
controls {};
`, dir, port, port)
	for name, algorithm := range testKeys() {
		fmt.Fprintf(&b, "key %q { algorithm %s; secret %q; };\n", name, algorithm, testSecret)
		if name != "limited" {
			fmt.Fprintf(&grants, "grant %s zonesub ANY; ", name)
		}
	}
	for _, zone := range testZones {
		policy := "allow-update { none; };"
		if zone == "example.org" {
			policy = "update-policy { " + grants.String() + "grant limited name allowed.example.org A AAAA; };"
		}
		fmt.Fprintf(&b, "zone %q { type primary; file %q; %s };\n", zone, writeFile(t, dir, zone, testZone), policy)
	}
	return []string{"-g", "-n", "1", "-c", writeFile(t, dir, "named.conf", b.String())}
}

func knotFiles(t *testing.T, dir string, port uint16) []string {
	var b strings.Builder
	fmt.Fprintf(&b, `server:
  rundir: %q
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  listen: [ "127.0.0.1@%d", "::1@%d" ]
log:
- target: stderr
  any: info
database:
  storage: %q
key:
`, dir, port, port, dir)
	var full []string
	for name, algorithm := range testKeys() {
		fmt.Fprintf(&b, "- id: %s\n  algorithm: %s\n  secret: %s\n", name, algorithm, testSecret)
		if name != "limited" {
			full = append(full, name)
		}
	}
	fmt.Fprintf(&b, `acl:
- id: full
  key: [ %s ]
  action: update
- id: limited
  key: limited
  action: update
  update-owner: name
  update-owner-match: equal
  update-owner-name: [ allowed ]
zone:
`, strings.Join(full, ", "))
	for _, zone := range testZones {
		fmt.Fprintf(&b, "- domain: %s\n  storage: %q\n  file: %s\n  journal-content: none\n  zonefile-sync: -1\n", zone, dir, zone)
		writeFile(t, dir, zone, testZone)
		if zone == "example.org" {
			b.WriteString("  acl: [ full, limited ]\n")
		}
	}
	return []string{"-c", writeFile(t, dir, "knot.conf", b.String())}
}

func pdnsFiles(t *testing.T, dir string, port uint16) []string {
	schema, err := os.ReadFile("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
	if err != nil {
		t.Fatalf("install pdns-backend-sqlite3, or run `make tools`: %v", err)
	}
	var sql strings.Builder
	sql.Write(schema)
	for i, zone := range testZones {
		fmt.Fprintf(&sql, "INSERT INTO domains (id, name, type) VALUES (%d, '%s', 'NATIVE');\n", i+1, zone)
		for _, r := range [][3]string{
			{zone, "SOA", "ns." + zone + " hostmaster." + zone + " 1 3600 600 86400 60"},
			{zone, "NS", "ns." + zone}, {"ns." + zone, "A", "127.0.0.1"}, {"keep." + zone, "TXT", `"untouched"`},
		} {
			fmt.Fprintf(&sql, "INSERT INTO records (domain_id, name, type, content, ttl, auth) VALUES (%d, '%s', '%s', '%s', 300, 1);\n", i+1, r[0], r[1], r[2])
		}
		fmt.Fprintf(&sql, "INSERT INTO records (domain_id, name, type, content, ttl, prio, auth) VALUES (%d, 'keep.%s', 'MX', 'ns.%s', 300, 10, 1);\n", i+1, zone, zone)
		fmt.Fprintf(&sql, "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (%d, 'TSIG-ALLOW-DNSUPDATE', 'nobody');\n", i+1)
	}
	for name, algorithm := range testKeys() {
		fmt.Fprintf(&sql, "INSERT INTO tsigkeys (name, algorithm, secret) VALUES ('%s', '%s', '%s');\n", name, algorithm, testSecret)
		if name != "limited" {
			fmt.Fprintf(&sql, "INSERT INTO domainmetadata (domain_id, kind, content) VALUES (1, 'TSIG-ALLOW-DNSUPDATE', '%s');\n", name)
		}
	}
	db := filepath.Join(dir, "db")
	make := exec.Command(lookProgram(t, "sqlite3", "sqlite3"), "-bail", db)
	make.Stdin = strings.NewReader(sql.String())
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	writeFile(t, dir, "pdns.conf", fmt.Sprintf(`launch=gsqlite3
gsqlite3-database=%s
local-address=127.0.0.1, ::1
local-port=%d
socket-dir=%s
dnsupdate=yes
daemon=no
guardian=no
write-pid=no
receiver-threads=1
distributor-threads=1
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
security-poll-suffix=
version-string=anonymous
loglevel=5
`, db, port, dir))
	return []string{"--config-dir=" + dir}
}

// account makes an account at the server. Fields given as "" are left out.
func (s *nameServerProcess) account(t testing.TB, fields map[string]string) *Provider {
	t.Helper()
	all := map[string]string{
		"server": "127.0.0.1:" + itoa(int(s.port)), "zone": "example.org",
		"key_name": keyName("hmac-sha256"), "key_secret": testSecret,
	}
	for key, value := range fields {
		all[key] = value
	}
	return rfc2136Account(t, all)
}

func rfc2136Account(t testing.TB, fields map[string]string) *Provider {
	t.Helper()
	cat, _ := Open("")
	def, err := cat.Lookup("rfc2136")
	if err != nil {
		t.Fatal(err)
	}
	acct := config.Provider{Name: "mine", Type: "rfc2136", Server: fields["server"], Fields: map[string]config.Secret{}}
	for key, value := range fields {
		if key != "server" && value != "" {
			acct.Fields[key] = config.NewSecret(value)
		}
	}
	p, problems := New(def, acct, Options{Version: "1.2.3", Timeout: 10 * time.Second})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return p
}

// records asks the server itself: "60 A 203.0.113.7", in the server's order.
func (s *nameServerProcess) records(t *testing.T, name string, typ dnsmessage.Type) []string {
	t.Helper()
	q := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name + "."), Type: typ, Class: dnsmessage.ClassINET}},
	}
	packet, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("udp", "127.0.0.1:"+itoa(int(s.port)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	buf := make([]byte, 4096)
	var answer dnsmessage.Message
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	conn.Write(packet)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	if err := answer.Unpack(buf[:n]); err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, rr := range answer.Answers {
		if rr.Header.Type != typ {
			continue
		}
		text := ""
		switch body := rr.Body.(type) {
		case *dnsmessage.AResource:
			text = netip.AddrFrom4(body.A).String()
		case *dnsmessage.AAAAResource:
			text = netip.AddrFrom16(body.AAAA).String()
		case *dnsmessage.CNAMEResource:
			text = body.CNAME.String()
		case *dnsmessage.TXTResource:
			text = strings.Join(body.TXT, "")
		case *dnsmessage.MXResource:
			text = body.MX.String()
		}
		list = append(list, fmt.Sprintf("%d %s", rr.Header.TTL, text))
	}
	return list
}

// syncBuffer is what a process has said so far.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
