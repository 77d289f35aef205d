package design

import (
	"corinfo/golden/machine"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
)

// Activity is what samples make a design do: which inputs and signals change and which factors are zero. It comes from the
// bit-true model and holds for any number of lanes.
type Activity struct {
	inferences, samples []sampleActivity // samples: for learning, in order, whole mini-batches
	trace               machine.Trace    // of the last command
}

// sampleActivity is one command.
type sampleActivity struct {
	input   []bool // the word is not zero
	records []recordActivity
	back    [][]bool            // by signal: it changes when a phase goes back to a kept state
	factors map[factorOf][]bool // it is not zero
}

type recordActivity struct {
	step    int    // of the description
	changed []bool // of its signal
	moved   bool
}

// factorOf is a factor of the description, of a phase where it has one.
type factorOf struct {
	factor int
	role   rule.Role
}

// Run runs a command on a model and books it. Learning commands come in whole mini-batches, in order.
func (v *Activity) Run(p *Plan, m *machine.Machine, sample hdlgen.Sample, learn bool) {
	d, t := p.D, &v.trace
	m.Run(sample.X, machine.Command{Learn: learn, Label: sample.Label, Negative: sample.Negative}, t)
	s := sampleActivity{input: nonzero(sample.X), factors: map[factorOf][]bool{}, back: make([][]bool, len(d.Words))}
	before := make([][]int64, len(d.Words))
	for w := range before {
		before[w] = make([]int64, d.Width(w))
	}
	saved := map[string][][]int64{}
	for i := range t.Records {
		r := &t.Records[i]
		phase := &d.Phases[r.Phase]
		if begins := i == 0 || t.Records[i-1].Phase != r.Phase; begins && phase.From != "" {
			for w, words := range saved[phase.From] {
				if d.Words[w].Signal && !d.Words[w].Fixed {
					s.back[w] = differs(words, before[w])
				}
				before[w] = words
			}
		}
		a := recordActivity{step: r.Step, moved: r.Changed}
		for j, next := range d.Steps[r.Step].Graph.Results {
			w := d.Word(next.Word, d.Steps[r.Step].Layer)
			if d.Words[w].Signal {
				a.changed = differs(r.Words[j], before[w])
			}
			before[w] = r.Words[j]
		}
		s.records = append(s.records, a)
		if last := i+1 == len(t.Records) || t.Records[i+1].Phase != r.Phase; last {
			saved[phase.Name] = append([][]int64(nil), before...)
		}
	}
	if !learn {
		v.inferences = append(v.inferences, s)
		return
	}
	for i := range d.Updates {
		for _, term := range d.Updates[i].Terms {
			for _, f := range []int{term.Post, term.Pre} {
				s.factors[factorOf{f, term.Role}] = nonzero(m.Factor(f, term.Role))
			}
		}
	}
	v.samples = append(v.samples, s)
}

// everything is the activity of the dense computation: two inferences for every sample in flight, and one mini-batch.
func (p *Plan) everything() *Activity {
	d := p.D
	all := func(n int) []bool {
		out := make([]bool, n)
		for i := range out {
			out[i] = true
		}
		return out
	}
	one := func(learn bool) sampleActivity {
		s := sampleActivity{input: all(p.Network.Layers[0]), factors: map[factorOf][]bool{}, back: make([][]bool, len(d.Words))}
		for w := range s.back {
			s.back[w] = all(d.Width(w))
		}
		for _, i := range p.Program {
			if i.Op == OpInferred && !learn {
				break
			}
			if i.Op != OpStep && i.Op != OpShared {
				continue
			}
			if st := &p.Steps[i.Step]; st.Step >= 0 {
				s.records = append(s.records, recordActivity{step: st.Step, changed: all(p.Network.Layers[st.Layer]), moved: true})
			}
		}
		for i := range d.Updates {
			for _, term := range d.Updates[i].Terms {
				for _, f := range []int{term.Post, term.Pre} {
					n := 1
					if x := d.Factors[f]; x.Graph != nil || !d.Words[x.Word].Shared {
						n = p.Network.Layers[x.Layer]
					}
					s.factors[factorOf{f, term.Role}] = all(n)
				}
			}
		}
		return s
	}
	v := &Activity{}
	for range 2 * p.Contexts {
		v.inferences = append(v.inferences, one(false))
	}
	for i := 0; i < p.Network.Learning.Batch && p.Learns(); i++ {
		v.samples = append(v.samples, one(true))
	}
	return v
}

func nonzero(words []int64) []bool {
	out := make([]bool, len(words))
	for i, w := range words {
		out[i] = w != 0
	}
	return out
}

func differs(a, b []int64) []bool {
	out := make([]bool, len(a))
	for i := range a {
		out[i] = a[i] != b[i]
	}
	return out
}
