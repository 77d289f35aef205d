package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"corinfo/golden/training"
)

// trainingProgress shows how far a training is: on a terminal a bar for every epoch and every test, else a line
// from time to time.
type trainingProgress struct {
	w     io.Writer
	bar   *progress
	line  time.Time // of the last one
	epoch int
	test  bool
	last  training.Progress
}

func newTrainingProgress(w io.Writer) *trainingProgress {
	return &trainingProgress{w: w, line: time.Now()}
}

func (t *trainingProgress) show(p training.Progress) {
	t.last = p
	width, terminal := terminalWidth(t.w)
	if !terminal {
		if now := time.Now(); now.Sub(t.line) >= linesEvery {
			t.line = now
			fmt.Fprintln(t.w, trainingLine(p))
		}
		return
	}
	if t.bar == nil || p.Epoch != t.epoch || p.Testing != t.test {
		t.close()
		t.bar, t.epoch, t.test = newBar(t.w, trainingLabel(p, width), p.Total), p.Epoch, p.Testing
	}
	t.bar.describe(trainingLabel(p, width))
	t.bar.show(p.Done, p.Total)
}

func (t *trainingProgress) close() {
	if t.bar != nil {
		t.bar.close()
		t.bar = nil
	}
}

// barWidth is what a bar needs of a line besides its label.
const barWidth = 15

// trainingLabel is what stands before a bar on a terminal of some columns: as much as fits.
func trainingLabel(p training.Progress, width int) string {
	parts := []string{fmt.Sprintf("epoch %d/%d", p.Epoch, p.Epochs)}
	if p.Testing {
		parts[0] += " test"
	}
	var figures []string
	if p.Answers.Of > 0 {
		figures = append(figures, fmt.Sprintf("train %.1f %%", 100*p.TrainAccuracy()))
	}
	if p.TestAccuracy > 0 {
		figures = append(figures, fmt.Sprintf("test %.2f %%", 100*p.TestAccuracy))
	}
	if p.Learned > 0 {
		figures = append(figures, fmt.Sprintf("%.0f/s", p.SamplesPerSecond()))
	}
	var left string
	if p.Left > 0 {
		left = ", " + shortTime(p.Left) + " left"
	}
	for _, figure := range figures {
		if len(strings.Join(append(parts, figure), ", "))+len(left)+barWidth > width {
			break
		}
		parts = append(parts, figure)
	}
	return strings.Join(parts, ", ") + left
}

// trainingLine says the same where there is no bar.
func trainingLine(p training.Progress) string {
	line := fmt.Sprintf("epoch %d of %d, %d of %d samples learned", p.Epoch, p.Epochs, p.Done, p.Total)
	if p.Testing {
		line = fmt.Sprintf("epoch %d of %d, %d of %d samples tested", p.Epoch, p.Epochs, p.Done, p.Total)
	}
	if p.Answers.Of > 0 {
		line += fmt.Sprintf(", train accuracy %.2f %%", 100*p.TrainAccuracy())
	}
	if p.TestAccuracy > 0 {
		line += fmt.Sprintf(", last test accuracy %.2f %%", 100*p.TestAccuracy)
	}
	if p.Learned > 0 {
		line += fmt.Sprintf(", %.0f samples/s", p.SamplesPerSecond())
	}
	if p.Left > 0 {
		line += ", " + shortTime(p.Left) + " left"
	}
	return line
}

// shortTime is a time in its two largest units.
func shortTime(d time.Duration) string {
	switch {
	case d >= 24*time.Hour:
		d = d.Round(time.Hour)
		return fmt.Sprintf("%dd%02dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	case d >= time.Hour:
		d = d.Round(time.Minute)
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		d = d.Round(time.Second)
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%ds", d.Round(time.Second)/time.Second)
}
