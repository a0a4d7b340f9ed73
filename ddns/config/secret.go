package config

import (
	"fmt"
	"io"
)

const masked = "[secret]"

// Secret is text that must not be seen: a password, a token. Whatever way it
// is printed or marshalled, the result is "[secret]"; only Reveal gives the
// text. Two Secrets are compared with Equal or reflect.DeepEqual, not with ==.
type Secret struct {
	// A pointer: fmt cannot call the methods of a Secret in an unexported
	// field, and prints what it finds there. Of a pointer it prints the address.
	text *string
}

// NewSecret returns a Secret that holds text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal returns the text. Its result goes into requests, and nowhere else.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether there is no text.
func (s Secret) IsZero() bool { return s.text == nil || *s.text == "" }

// Equal reports whether both hold the same text.
func (s Secret) Equal(o Secret) bool { return s.Reveal() == o.Reveal() }

// String returns "[secret]".
func (s Secret) String() string { return masked }

// GoString returns "[secret]".
func (s Secret) GoString() string { return masked }

// Format writes "[secret]", whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, masked) }

// MarshalText returns "[secret]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// MarshalJSON returns "[secret]" as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + masked + `"`), nil }
