package publish

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestSteering(t *testing.T) {
	const fail, back = 5 * time.Minute, 30 * time.Minute
	type step struct {
		at     time.Duration
		health []health
		want   int
		next   time.Duration // from the start; 0: never
	}
	for name, steps := range map[string][]step{
		"the first that is healthy is used at the start": {
			{0, []health{unsure, unsure}, -1, 0},
			{time.Second, []health{healthy, unsure}, 0, 0},
		},
		"the first choice waits for a preferred target, for fail_after at most": {
			{0, []health{unsure, healthy}, -1, 5 * time.Minute},
			{time.Second, []health{healthy, healthy}, 0, 0},
		},
		"the first choice does not wait for one that is bad": {
			{0, []health{ailing, healthy}, 1, 0},
		},
		"the first choice falls on what is healthy after fail_after": {
			{0, []health{unsure, healthy}, -1, 5 * time.Minute},
			{5 * time.Minute, []health{unsure, healthy}, 1, 0},
		},
		"a bad target is left after fail_after": {
			{0, []health{healthy, healthy}, 0, 0},
			{time.Minute, []health{ailing, healthy}, 0, 6 * time.Minute},
			{6*time.Minute - 1, []health{ailing, healthy}, 0, 6 * time.Minute},
			{6 * time.Minute, []health{ailing, healthy}, 1, 0},
		},
		"one that recovers in time is not left": {
			{0, []health{healthy, healthy}, 0, 0},
			{time.Minute, []health{ailing, healthy}, 0, 6 * time.Minute},
			{5 * time.Minute, []health{healthy, healthy}, 0, 0},
			{7 * time.Minute, []health{ailing, healthy}, 0, 12 * time.Minute},
		},
		"it is gone back to after return_after": {
			{0, []health{ailing, healthy}, 1, 0},
			{time.Minute, []health{healthy, healthy}, 1, 31 * time.Minute},
			{10 * time.Minute, []health{ailing, healthy}, 1, 0},
			{11 * time.Minute, []health{healthy, healthy}, 1, 41 * time.Minute},
			{41 * time.Minute, []health{healthy, healthy}, 0, 0},
		},
		"a bad second target is left for the first without return_after": {
			{0, []health{ailing, healthy}, 1, 0},
			{time.Minute, []health{healthy, ailing}, 1, 6 * time.Minute},
			{6 * time.Minute, []health{healthy, ailing}, 0, 0},
		},
		"when all are bad it stays": {
			{0, []health{healthy, healthy}, 0, 0},
			{time.Minute, []health{ailing, ailing}, 0, 0},
			{time.Hour, []health{ailing, ailing}, 0, 0},
			{2 * time.Hour, []health{ailing, healthy}, 1, 0},
		},
		"nothing that is not verified is moved to": {
			{0, []health{healthy, unsure}, 0, 0},
			{time.Minute, []health{ailing, unsure}, 0, 0},
			{time.Hour, []health{ailing, unsure}, 0, 0},
		},
		"when nothing can be said, it stays": {
			{0, []health{healthy, healthy}, 0, 0},
			{time.Minute, []health{unsure, healthy}, 0, 0},
			{time.Hour, []health{unsure, healthy}, 0, 0},
		},
		"a moment of doubt does not start the time anew": {
			{0, []health{healthy, healthy}, 0, 0},
			{time.Minute, []health{ailing, healthy}, 0, 6 * time.Minute},
			{4 * time.Minute, []health{unsure, healthy}, 0, 0},
			{5 * time.Minute, []health{ailing, healthy}, 0, 6 * time.Minute},
			{6 * time.Minute, []health{ailing, healthy}, 1, 0},
		},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Unix(1_800_000_000, 0)
			s := steering{failAfter: fail, returnAfter: back, settled: start.Add(fail), current: -1, targets: make([]heading, 2)}
			for n, step := range steps {
				now := start.Add(step.at)
				for i, h := range step.health {
					s.see(i, h, now)
				}
				got, at := s.next(now)
				var next time.Duration
				if !at.IsZero() {
					next = at.Sub(start)
				}
				if got != step.want || next != step.next {
					t.Fatalf("step %d: target %d, next %v; want %d, %v", n, got, next, step.want, step.next)
				}
				s.current = got
			}
		})
	}
}

// TestSteeringNeverFlaps has targets that fail and recover at random.
func TestSteeringNeverFlaps(t *testing.T) {
	const fail, back = 5 * time.Minute, 30 * time.Minute
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := steering{failAfter: fail, returnAfter: back, current: -1, targets: make([]heading, 3)}
		now := time.Unix(1_800_000_000, 0)
		end := now.Add(7 * 24 * time.Hour)
		var moved time.Time
		since := make([]time.Time, 3) // in the present health, without unsure
		state := make([]health, 3)
		for now.Before(end) {
			i := r.IntN(3)
			h := health(r.IntN(3))
			if h != state[i] {
				state[i], since[i] = h, now
			}
			s.see(i, h, now)
			target, at := s.next(now)
			if target != s.current {
				switch from := s.current; {
				case state[target] != healthy:
					t.Fatalf("seed %d: moved to a target that is not healthy", seed)
				case from < 0:
				case now.Sub(moved) < fail && now.Sub(since[target]) < back:
					t.Fatalf("seed %d: moved twice within %v", seed, now.Sub(moved))
				case state[from] == ailing:
				case target > from:
					t.Fatalf("seed %d: left a target that is not bad for one that comes later", seed)
				case now.Sub(since[target]) < back:
					t.Fatalf("seed %d: went back after %v", seed, now.Sub(since[target]))
				}
				s.current, moved = target, now
			}
			step := time.Duration(1+r.IntN(600)) * time.Second
			if !at.IsZero() && at.Before(now.Add(step)) {
				now = at
				continue
			}
			now = now.Add(step)
		}
	}
}
