package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"corinfo/sim/study"
)

// studyProgress shows how far a study has come: on a terminal a bar, else a line from time to time.
type studyProgress struct {
	lock   sync.Mutex // messages come from workers
	w      io.Writer
	name   string
	bar    *progress // nil without a terminal
	line   time.Time // of the last one
	before int       // trials that were done when it began
}

func newStudyProgress(w io.Writer, name string) *studyProgress {
	return &studyProgress{w: w, name: name, line: time.Now(), before: -1}
}

func (s *studyProgress) show(p study.Progress) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.before < 0 {
		s.before = p.Done
	}
	width, terminal := terminalWidth(s.w)
	if !terminal {
		if now := time.Now(); now.Sub(s.line) >= linesEvery || p.Whole {
			s.line = now
			fmt.Fprintln(s.w, s.name+": "+strings.Join(studyFigures(p, s.before), ", "))
		}
		return
	}
	label := s.name
	for _, figure := range studyFigures(p, s.before) {
		if next := label + ", " + figure; len(next)+barWidth <= width {
			label = next
		}
	}
	if s.bar == nil {
		s.bar = newBar(s.w, label, p.Known)
	}
	s.bar.describe(label)
	s.bar.show(p.Done, p.Known)
}

// studyFigures are what is told, the most important first.
func studyFigures(p study.Progress, before int) []string {
	list := []string{fmt.Sprintf("%d of %d trials", p.Done, p.Known)}
	if !p.Whole && p.Plan != nil && p.Plan.Study.Grows() {
		list[0] += " known so far"
	}
	if p.Running > 0 && !p.Whole {
		list = append(list, fmt.Sprintf("%d running here", p.Running))
	}
	if left := p.Left(before); left > 0 && !p.Whole {
		list = append(list, shortTime(left)+" left")
	}
	if p.Done > before && p.Since > 0 {
		list = append(list, fmt.Sprintf("%.1f/min", float64(p.Done-before)/p.Since.Minutes()))
	}
	if p.Best != nil {
		cost := study.CostOf([]study.Summary{*p.Best})
		list = append(list, fmt.Sprintf("best %.2f %% at %.0f kbit", 100*p.Best.Accuracy, cost.Of(p.Best)/1000))
		var settings []string
		for i, a := range p.Plan.Study.Axes {
			settings = append(settings, fmt.Sprintf("%s %s", a.Name(), a.Values[p.Best.Point[i]]))
		}
		list = append(list, strings.Join(settings, " "))
	}
	return list
}

// say prints a message in place of the bar, which comes again.
func (s *studyProgress) say(err error) {
	s.close()
	s.lock.Lock()
	defer s.lock.Unlock()
	fmt.Fprintf(s.w, "corinfo: %v\n", err)
}

// close clears the bar.
func (s *studyProgress) close() {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.bar != nil {
		s.bar.close()
		s.bar = nil
	}
}
