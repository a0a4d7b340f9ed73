package provider

import (
	"net"
	"slices"
	"testing"
	"time"
)

// BenchmarkFirstByte measures from the call to the first byte of the request
// at a server on loopback: of Send, and in turn with it of a bare dial and
// write of the same bytes. It reports the medians and their ratio.
func BenchmarkFirstByte(b *testing.B) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	arrived := make(chan time.Time, 1)
	answer := []byte(answerOf("200 OK", "", "good 203.0.113.250"))
	go func() {
		buf := make([]byte, 4096)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(buf)
			arrived <- time.Now()
			conn.Write(answer)
			conn.Close()
		}
	}()
	addr := l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	updates := update4("a.dyndns.org")
	buf := make([]byte, 4096)
	for name, server := range map[string]string{"address": addr, "name": "localhost:" + port} {
		b.Run(name, func(b *testing.B) {
			p := account(b, "dyn", "http://"+server, nil)
			req, err := p.updateRequest(updates, false)
			if err != nil {
				b.Fatal(err)
			}
			text := req.bytes()
			var bare, ours []time.Duration
			for b.Loop() {
				start := time.Now()
				conn, err := net.Dial("tcp4", addr)
				if err != nil {
					b.Fatal(err)
				}
				conn.Write(text)
				conn.Read(buf)
				conn.Close()
				bare = append(bare, (<-arrived).Sub(start))

				start = time.Now()
				p.Send(b.Context(), Origin{}, updates)
				ours = append(ours, (<-arrived).Sub(start))
			}
			slices.Sort(bare)
			slices.Sort(ours)
			b.ReportMetric(float64(bare[len(bare)/2]), "ns-bare")
			b.ReportMetric(float64(ours[len(ours)/2]), "ns-ours")
			b.ReportMetric(float64(ours[len(ours)/2])/float64(bare[len(bare)/2]), "ratio")
		})
	}
}
