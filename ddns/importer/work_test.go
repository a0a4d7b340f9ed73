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

// TestWorkGrowsWithTheFile: a file takes about as much work as its pieces would,
// counted as the processor's time for this thread. Both are the same amount of
// work if it grows with the file, so that garbage collection, caches, the race
// detector and the machine's load are in both; quadratic work is times as much.
func TestWorkGrowsWithTheFile(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const size, times, most = 1 << 11, 32, 12
	small, large := hugeFiles(size), hugeFiles(times*size)
	for format, run := range formats {
		opt := options(t, "testdata")
		for i := range small {
			var result importer.Result
			work := func(text string, times int) time.Duration {
				start := threadTime(t)
				for range times {
					var err error
					if result, err = run([]byte(text), opt); err != nil {
						t.Fatal(err)
					}
				}
				return threadTime(t) - start
			}
			// Again if it looks bad: noise only ever adds.
			const some = 4 // of the pieces
			pieces, whole := work(small[i], times/some)*some, work(large[i], 1)
			for try := 0; try < 5 && whole >= most*pieces; try++ {
				whole = min(whole, work(large[i], 1))
			}
			if whole >= most*pieces {
				t.Errorf("%s: %.40q…: %v for %d times %d KiB, %v for %d KiB", format, small[i], pieces, times, size>>10, whole, times*size>>10)
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
