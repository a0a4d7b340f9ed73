package config

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

const (
	day = 24 * time.Hour
	// maxDuration bounds every duration, so that sums of them cannot overflow.
	maxDuration = 3650 * day
)

var units = []struct {
	name   byte
	length time.Duration
}{{'d', day}, {'h', time.Hour}, {'m', time.Minute}, {'s', time.Second}}

var errTooLong = errors.New(`a duration of more than ten years; write less, such as "30d"`)

var errDuration = errors.New(`a duration is whole numbers with d, h, m or s, the largest unit first, such as "90s", "1h30m" or "30d"`)

// parseDuration reads "90s", "10m", "1h30m", "1d12h".
func parseDuration(s string) (time.Duration, error) {
	var sum time.Duration
	if s == "" {
		return 0, errDuration
	}
	for _, u := range units {
		i := strings.IndexByte(s, u.name)
		if i < 0 {
			continue
		}
		for j := range i {
			if s[j] < '0' || s[j] > '9' {
				return 0, errDuration
			}
		}
		n, err := strconv.ParseUint(s[:i], 10, 64)
		switch {
		case i > 0 && (err != nil || n > uint64(maxDuration/u.length)):
			return 0, errTooLong
		case err != nil:
			return 0, errDuration
		}
		sum += time.Duration(n) * u.length
		s = s[i+1:]
	}
	switch {
	case s != "":
		return 0, errDuration
	case sum > maxDuration:
		return 0, errTooLong
	}
	return sum, nil
}

// formatDuration writes whole seconds as parseDuration reads them.
func formatDuration(d time.Duration) string {
	var b strings.Builder
	for _, u := range units {
		if n := d / u.length; n > 0 {
			b.WriteString(strconv.FormatInt(int64(n), 10))
			b.WriteByte(u.name)
			d -= n * u.length
		}
	}
	if b.Len() == 0 {
		return "0s"
	}
	return b.String()
}
