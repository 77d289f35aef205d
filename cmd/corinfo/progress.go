package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// linesEvery is the time between two lines of progress where there is no terminal.
const linesEvery = 10 * time.Second

// progress shows how far a command is: a bar on a terminal, else a line from time to time.
type progress struct {
	w     io.Writer
	label string
	bar   *progressbar.ProgressBar // nil without a terminal

	// Without a terminal: when the first was shown and how many were done by then, and when the last.
	start, last time.Time
	before      int
}

func newProgress(w io.Writer, label string) *progress {
	p := &progress{w: w, label: label}
	if _, terminal := terminalWidth(w); terminal {
		p.bar = terminalBar(w, progressbar.OptionSetDescription(label), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetPredictTime(true))
	}
	return p
}

// newBar is a bar on a terminal as wide as that, with nothing but its share behind a label that may change.
func newBar(w io.Writer, label string, total int) *progress {
	bar := terminalBar(w, progressbar.OptionSetDescription(label), progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
		progressbar.OptionFullWidth())
	bar.ChangeMax(total)
	return &progress{w: w, bar: bar}
}

func terminalBar(w io.Writer, options ...progressbar.Option) *progressbar.ProgressBar {
	return progressbar.NewOptions(-1, append(options, progressbar.OptionSetWriter(w), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish())...)
}

// terminalWidth is the number of columns of the terminal that w writes to, if it is one.
func terminalWidth(w io.Writer) (columns int, terminal bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil || columns == 0 {
		columns = 80
	}
	return columns, true
}

// describe changes the label of a bar.
func (p *progress) describe(label string) { p.bar.Describe(label) }

// show tells that done of total are done.
func (p *progress) show(done, total int) {
	if p.bar != nil {
		if p.bar.GetMax() != total {
			p.bar.ChangeMax(total)
		}
		_ = p.bar.Set(done)
		return
	}
	now := time.Now()
	if p.start.IsZero() {
		p.start, p.last, p.before = now, now, done
	}
	if now.Sub(p.last) >= linesEvery && done > p.before {
		p.last = now
		each := float64(now.Sub(p.start)) / float64(done-p.before)
		left := time.Duration(each * float64(total-done))
		fmt.Fprintf(p.w, "%s: %d of %d, %.1f a second, %v left\n", p.label, done, total, float64(time.Second)/each, left.Round(time.Second))
	}
}

// close clears the bar.
func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
