package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/wanbeacon/wanbeacon/ddns/json"
	"github.com/wanbeacon/wanbeacon/ddns/provider"
)

// Saved is what outlives a restart about one record.
type Saved struct {
	Hostname  string         `json:"hostname"`
	Provider  string         `json:"provider"`
	Family    string         `json:"family"`
	Source    string         `json:"source,omitempty"`
	Identity  string         `json:"identity"`
	Address   netip.Addr     `json:"address,omitzero"`   // last accepted by the provider
	More      []SavedAddr    `json:"more,omitempty"`     // further ones, of a record with those of all its sources
	Tried     []netip.Addr   `json:"tried,omitempty"`    // what requests that failed may have left beside these
	Published time.Time      `json:"published,omitzero"` // when; UTC
	Blocked   provider.Class `json:"blocked,omitempty"`  // "abuse" or "badagent"
	Reason    string         `json:"reason,omitempty"`
	BlockedAs string         `json:"blocked_as,omitempty"` // Identity that was blocked

	Target string `json:"target,omitempty"` // of an alias, in place of Address

	// What verification knows: addresses published before, the delegation last
	// seen good, and another one that has been good since MovedAt.
	Before  []netip.Addr `json:"before,omitempty"`
	Zone    string       `json:"zone,omitempty"`
	Servers []string     `json:"servers,omitempty"`
	MovedTo []string     `json:"moved_to,omitempty"` // the zone, then its servers
	MovedAt time.Time    `json:"moved_at,omitzero"`
}

// savedFile is the layout of the state file.
type savedFile struct {
	Version int     `json:"version"`
	Salt    string  `json:"salt"`
	Records []Saved `json:"records"`
}

const savedVersion = 1

// Store is the state file: small, and written only when something that was
// published has changed, because on a router it lives on flash.
type Store struct {
	path string
	salt string
}

// OpenStore reads the state file of a directory. A file that cannot be
// understood is set aside as state.json.broken and reported as a warning; the
// state is then empty. An error means that nothing can be saved there; the
// program can go on without.
func OpenStore(dir, freshSalt string) (s *Store, saved []Saved, warning string, err error) {
	s = &Store{path: filepath.Join(dir, "state.json"), salt: freshSalt}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return s, nil, "", fmt.Errorf("state directory: %w", err)
	}
	saved, broken, err := s.read()
	if broken == nil {
		return s, saved, "", err
	}
	aside := s.path + ".broken"
	if err := os.Rename(s.path, aside); err != nil {
		return s, nil, "", fmt.Errorf("saved state is broken (%v) and cannot be set aside: %w", broken, err)
	}
	return s, nil, fmt.Sprintf("saved state is broken (%v); set aside as %s, starting without", broken, aside), nil
}

// Peek reads the state file of a directory and changes nothing on the disk; a
// file that cannot be read counts as none. For a dry run.
func Peek(dir, freshSalt string) (salt string, saved []Saved) {
	s := &Store{path: filepath.Join(dir, "state.json"), salt: freshSalt}
	saved, _, _ = s.read()
	return s.salt, saved
}

// read reads the file; broken says why it cannot be understood.
func (s *Store) read() (saved []Saved, broken, err error) {
	text, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("saved state: %w", err)
	}
	f, broken := decode(text)
	if broken != nil {
		return nil, broken, nil
	}
	if f.Salt != "" {
		s.salt = f.Salt
	}
	return f.Records, nil, nil
}

func decode(text []byte) (savedFile, error) {
	var f savedFile
	if err := json.Unmarshal(text, &f); err != nil {
		return f, err
	}
	if f.Version != savedVersion {
		return f, fmt.Errorf("version %d, expected %d", f.Version, savedVersion)
	}
	return f, nil
}

// Salt makes identities in the file useless for guessing passwords elsewhere.
func (s *Store) Salt() string { return s.salt }

// Save replaces the file so that a power cut leaves the old or the new one,
// never half of either: write aside, fsync, rename, fsync the directory.
func (s *Store) Save(records []Saved) (err error) {
	text, err := json.MarshalIndent(savedFile{savedVersion, s.salt, records}, "", " ")
	if err != nil {
		return err
	}
	tmp := s.path + ".new"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err2 := f.Close(); err == nil {
		err = err2
	}
	if err == nil {
		err = os.Rename(tmp, s.path)
	}
	if err != nil {
		os.Remove(tmp)
		return fmt.Errorf("save state: %w", err)
	}
	return syncDir(filepath.Dir(s.path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	return nil
}

// restore makes an entry of a record, with what was saved about it. A time of
// publication that lies in the future was written by a wrong clock, or the
// clock is wrong now: it counts as now, so that a clock's jump forces nothing.
func restore(r Record, saved []Saved, now time.Time) *entry {
	e := &entry{Record: r, options: r.options(nil)}
	for _, s := range saved {
		if s.Hostname != r.Hostname || s.Provider != r.Provider || s.Family != r.Family.String() {
			continue
		}
		if e.restoreAddrs(&s); e.published.IsValid() {
			e.publishedAs, e.publishedAt = s.Identity, s.Published
		}
		if e.publishedAt.After(now) || e.publishedAt.Before(clockIsSet) {
			e.publishedAt = now
		} else {
			e.accepted = e.publishedAt
		}
		e.sight.restore(s, e.publishedAt, now)
		if s.Blocked != "" && s.BlockedAs == r.Identity {
			e.class, e.text, e.blocked = s.Blocked, s.Reason, true
		}
	}
	return e
}

// clockIsSet: a time before this comes from a router whose clock was not set.
var clockIsSet = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// Saved returns what is to be written, and whether anything in it has changed
// since the last call.
func (c *Core) Saved() ([]Saved, bool) {
	if !c.dirty {
		return nil, false
	}
	c.dirty = false
	var list []Saved
	for _, e := range c.entries {
		s := Saved{Hostname: e.Hostname, Provider: e.Provider, Family: e.Family.String(), Source: e.source,
			Identity: e.publishedAs, Published: e.publishedAt.UTC().Truncate(time.Second)}
		if e.blocked && lasting(e.class) {
			s.Blocked, s.Reason, s.BlockedAs = e.class, e.text, e.Identity
		}
		e.saveAddrs(&s)
		e.sight.save(&s)
		if s.Address.IsValid() || s.Blocked != "" || len(s.Tried) > 0 {
			list = append(list, s)
		}
	}
	for _, a := range c.aliases {
		if a.cname != "" {
			list = append(list, a.saved())
		}
	}
	return list, true
}
