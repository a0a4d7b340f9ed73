// Package columns prints tables for people: cells with tabs between them, each
// column as wide as its widest cell. It knows nothing of what is printed.
//
//	w := columns.NewWriter(os.Stdout)
//	fmt.Fprintf(w, "%s\t%s\n", name, title)
//	w.Flush()
package columns

import (
	"io"
	"strings"
	"unicode/utf8"
)

// Writer collects lines until Flush.
type Writer struct {
	to   io.Writer
	text strings.Builder
}

// NewWriter returns a table that Flush writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{to: w} }

// Write takes a piece of the table.
func (t *Writer) Write(p []byte) (int, error) { return t.text.Write(p) }

// Flush writes the lines collected, with two spaces between columns, and
// forgets them. A line's last cell is in no column, so it may be of any length.
func (t *Writer) Flush() error {
	var widths []int
	lines := strings.Split(t.text.String(), "\n")
	for _, line := range lines {
		cells := strings.Split(line, "\t")
		for i, cell := range cells[:len(cells)-1] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, line := range lines {
		if n > 0 {
			b.WriteByte('\n')
		}
		cells := strings.Split(line, "\t")
		last := len(cells) - 1
		for i, cell := range cells {
			b.WriteString(cell)
			if i < last {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
	}
	t.text.Reset()
	_, err := io.WriteString(t.to, b.String())
	return err
}
