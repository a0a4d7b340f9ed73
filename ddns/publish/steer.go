package publish

import "time"

// health is what is known about a target of an alias.
type health int

const (
	unsure  health = iota // not looked at yet, or nothing can be said
	healthy               // published, and the world's DNS gives it
	ailing                // not published, or the world gives something else
)

// steering decides which of its targets an alias leads to. The first healthy
// one is wanted; how long a target must be bad before it is left, and good
// before it is gone back to, keeps it from flapping.
type steering struct {
	failAfter, returnAfter time.Duration

	current int // index of the target in use; -1: none yet
	targets []heading
	settled time.Time // the first choice waits so long for what a preferred target turns out to be
}

// heading is one target as the steering sees it.
type heading struct {
	health health
	since  time.Time // when it became healthy or ailing
}

// see notes a target's health. A target of which nothing can be said for the
// moment counts as ailing for as long as before, but not as healthy.
func (s *steering) see(i int, h health, now time.Time) {
	t := &s.targets[i]
	switch {
	case h == t.health:
	case h == unsure && t.health == ailing:
		t.health = unsure // since stays
	case h == ailing && t.health == unsure && !t.since.IsZero():
		t.health = ailing
	case h == unsure:
		*t = heading{}
	default:
		*t = heading{h, now}
	}
}

// next gives the target to lead to at a moment, which is the current one
// unless another is verifiably better, and when that may change by the mere
// passing of time; zero: only news can change it.
func (s *steering) next(now time.Time) (target int, at time.Time) {
	wait := func(t time.Time) bool {
		if !t.After(now) {
			return true
		}
		at = sooner(at, t)
		return false
	}
	for i, t := range s.targets {
		if t.health != healthy || i == s.current {
			continue
		}
		switch {
		case s.current < 0:
			if s.known(i) || wait(s.settled) {
				return i, time.Time{}
			}
			continue
		case i < s.current:
			if wait(t.since.Add(s.returnAfter)) {
				return i, time.Time{}
			}
		}
		if c := s.targets[s.current]; c.health == ailing && wait(c.since.Add(s.failAfter)) {
			return i, time.Time{}
		}
	}
	return s.current, at
}

// known says whether it is known of all targets before one that they are bad.
func (s *steering) known(i int) bool {
	for _, t := range s.targets[:i] {
		if t.health == unsure {
			return false
		}
	}
	return true
}
