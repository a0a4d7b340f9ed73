package importer_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wanbeacon/wanbeacon/ddns/importer"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// hugeFiles are files of a size that make naive parsers take hours.
func hugeFiles(size int) []string {
	fill := func(head, s, tail string) string {
		return head + strings.Repeat(s, (size-len(head)-len(tail))/len(s)) + tail
	}
	numbered := func(head string, length int, format, tail string) string {
		var b strings.Builder
		b.WriteString(head)
		for i := range size / length {
			fmt.Fprintf(&b, format, i)
		}
		return b.String() + tail
	}
	return []string{
		fill("", "a.example.org,", ""),
		fill("", "a.example.org , ", ""),
		fill("", "login=a password=b a.dyndns.org\n", ""),
		fill("", "password", ""),
		fill("", "password=", ""),
		fill("", "password ='", ""),
		fill("", "x password=' ", ""),
		fill("x", "\\\n", ""),
		fill("a=", "'", ""),
		fill("a=\"", "${", "\""),
		fill("a=", "${", ""),
		fill("a=", "/*", ""),
		fill("provider x {", "hostname = a.example.org\n", "}"),
		fill("provider no-ip.com { username = a password = b hostname = {", "a.ddns.net,", "} }"),
		fill("", "provider no-ip.com { username = a password = b hostname = c.ddns.net }\n", ""),
		fill("", "custom x { ddns-server = a.example hostname = c.ddns.net }\n", ""),
		fill("provider dnsmadeeasy.com { username = a password = b hostname = {", "1,", "} }"),
		fill("", "alias a.dyndns.org\n", ""),
		fill("", "username a\n", ""),
		fill("", "config service\n", ""),
		fill("", "config service\noption service_name no-ip.com\noption domain a.ddns.net\noption username a\noption password b\n", ""),
		fill("config service\n", "option a b\n", ""),
		fill("config service\noption service_name no-ip.com\noption username a\noption password b\n", "list domain a.ddns.net\n", ""),
		fill("config service\noption update_url 'https://a.example/", "[IP]", "'\n"),
		numbered("config service\noption service_name no-ip.com\noption username a\noption password b\n", 24, "list domain a%d.ddns.net\n", ""),
		numbered("system no-ip.com\nusername a\npassword b\n", 20, "alias a%d.ddns.net\n", ""),
		numbered("login=a password=b ", 20, "a%d.ddns.net,", ""),
		numbered("provider no-ip.com { username = a password = b hostname = {", 20, "a%d.ddns.net,", "} }"),
		numbered("", 80, "provider no-ip.com:%[1]d { username = a%[1]d password = b hostname = c.ddns.net }\n", ""),
		numbered("", 120, "config service\noption enabled 1\noption service_name no-ip.com\noption domain a.ddns.net\noption username a%d\noption password b\n", ""),
		numbered("", 140, "config service\noption enabled 1\noption service_name no-ip.com\noption domain a.ddns.net\noption username a\noption password b\n"+
			"option ip_source interface\noption ip_interface %d_\n", ""),
		numbered("", 50, "use=if, if=%[1]d_ login=a%[1]d password=b a.dyndns.org\n", ""),
		numbered("", 50, "protocol=unknown%d login=a password=b a.example.org\n", ""),
	}
}

// TestWorkGrowsWithTheFile: eight times the file is about eight times the work,
// counted as the processor's time for this thread in one and the same run, so
// that neither the machine nor its load matters. Quadratic work is 64 times.
func TestWorkGrowsWithTheFile(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const size = 1 << 12
	small, large := hugeFiles(size), hugeFiles(8*size)
	for format, run := range formats {
		opt := options(t, "testdata")
		for i := range small {
			var result importer.Result
			work := func(text string) time.Duration {
				start := threadTime(t)
				var err error
				if result, err = run([]byte(text), opt); err != nil {
					t.Fatal(err)
				}
				return threadTime(t) - start
			}
			const most = 24
			const grain = 200 * time.Microsecond // less is the collector's and the caches' noise
			// The best of some: noise only ever adds.
			var a, b time.Duration
			for try := 0; try == 0 || try < 7 && b >= most*max(a, grain); try++ {
				if n := work(small[i]); try == 0 || n < a {
					a = n
				}
				if n := work(large[i]); try == 0 || n < b {
					b = n
				}
			}
			if b >= most*max(a, grain) {
				t.Errorf("%s: %.40q…: %v for %d KiB, %v for %d KiB", format, small[i], a, size>>10, b, 8*size>>10)
			}
			if i%4 == 0 {
				mustCheck(t, opt.Catalogue.(*provider.Catalogue), result)
			}
		}
	}
}

// threadTime is the processor's time that this thread has taken.
func threadTime(t *testing.T) time.Duration {
	t.Helper()
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &now); err != nil {
		t.Fatal(err)
	}
	return time.Duration(now.Nano())
}
