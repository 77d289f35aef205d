package float

import (
	"slices"

	"corinfo/golden/rule"
	"corinfo/golden/simd"
)

// run processes some samples of a batch: up to the answer, or all phases with what learning keeps of them. sign is that
// of beta.
func (m *Model[T]) run(b *batch[T], s simd.Span, learn bool, sign int) {
	m.begin(b, s)
	second := false
	for i := range m.d.Phases {
		p := &m.d.Phases[i]
		if p.Learning && !learn {
			continue
		}
		m.phase(b, s, p, learn, sign, p.Iterations)
		if p.Answer {
			for i := s.From; i < s.To; i++ {
				b.classes[i] = largest(b.words[m.d.Readout].Row(i))
			}
		}
		if learn && p.Keep != rule.NoRole {
			m.keep(b, s, p.Keep, second)
			second = true
		}
	}
}

// begin clears the words, and sums once and for all what stands still.
func (m *Model[T]) begin(b *batch[T], s simd.Span) {
	for w, x := range m.d.Words {
		switch {
		case x.Fixed:
		case x.Shared:
			clear(b.shared[w][s.From:s.To])
		default:
			for i := s.From; i < s.To; i++ {
				clear(b.words[w].Row(i))
			}
		}
	}
	for sum, parts := range m.sums {
		for i, p := range parts.fixed {
			m.project(i > 0, b.fixed[sum].Slice(s.From, s.To), b, p, s)
		}
	}
	if m.record != nil {
		m.note("x", 0, b.words[m.d.Word("x", 0)].Slice(s.From, s.To))
	}
}

// phase runs the first iterations of a phase.
func (m *Model[T]) phase(b *batch[T], s simd.Span, p *rule.Phase, learn bool, sign, iterations int) {
	if p.From != "" {
		copyWords(b.words, b.shared, b.saved[p.From], b.savedQ[p.From], m.d, s)
	}
	for _, c := range p.Begin {
		if m.d.Words[c.To].Shared {
			copy(b.shared[c.To][s.From:s.To], b.shared[c.From][s.From:s.To])
		} else {
			simd.Copy(b.words[c.To].Slice(s.From, s.To), b.words[c.From].Slice(s.From, s.To))
		}
	}
	kind := momentOf(learn, p.Beta*sign)
	for iteration := range iterations {
		for _, group := range p.Order {
			for _, step := range group {
				if !m.d.Steps[step].Shared {
					m.accumulate(m.steps[step], &site[T]{b: b, span: s, scratch: b.steps[step]})
				}
			}
			for _, step := range group {
				f, at := m.steps[step], &m.moments[step][kind][iteration]
				if m.d.Steps[step].Shared {
					m.share(f, at, b, s)
				} else {
					m.evaluate(f, at, &site[T]{b: b, span: s, scratch: b.steps[step]})
				}
			}
		}
	}
	if saved, ok := b.saved[p.Name]; ok {
		copyWords(saved, b.savedQ[p.Name], b.words, b.shared, m.d, s)
	}
}

func copyWords[T simd.Float](to []simd.Matrix[T], toShared [][]T, from []simd.Matrix[T], fromShared [][]T, d *rule.Description, s simd.Span) {
	for w, x := range d.Words {
		switch {
		case x.Fixed:
		case x.Shared:
			copy(toShared[w][s.From:s.To], fromShared[w][s.From:s.To])
		default:
			simd.Copy(to[w].Slice(s.From, s.To), from[w].Slice(s.From, s.To))
		}
	}
}

// share runs a step of the words that the neurons of a layer share, sample by sample.
func (m *Model[T]) share(f *formula, at *moment[T], b *batch[T], s simd.Span) {
	values := make([]T, len(at.values))
	for i, v := range at.values {
		values[i] = T(v)
	}
	for i := s.From; i < s.To; i++ {
		for v := range f.graph.Nodes {
			n := &f.graph.Nodes[v]
			switch {
			case n.Op == rule.OpOperand && n.Source == rule.FromWord:
				values[v] = b.shared[f.words[v]][i]
			case n.Op == rule.OpOperand && n.Source == rule.FromTotal:
				values[v] = simd.Sum(b.words[f.words[v]].Row(i))
			case n.Op == rule.OpOperand && n.Source == rule.FromLargest:
				values[v] = slices.Max(b.words[f.words[v]].Row(i))
			case n.Op != rule.OpOperand:
				calculate(n, values, v)
			}
			if n.Op == rule.OpRound && m.record != nil {
				m.record(m.tensor(n.Name, f.layer), []float64{float64(values[v])})
			}
		}
		for k, next := range f.graph.Results {
			b.shared[f.results[k]][i] = values[next.Value]
		}
	}
}

// keep takes the factors of a phase that has ended. second: the other phase's are there already.
func (m *Model[T]) keep(b *batch[T], s simd.Span, role rule.Role, second bool) {
	for i, f := range m.d.Factors {
		if f.Second != second && f.Second || !f.Second && !slices.Contains(f.Roles, role) {
			continue
		}
		to := m.rows(i, role, s)
		if f.Graph == nil {
			simd.Copy(to, b.words[f.Word].Slice(s.From, s.To))
			continue
		}
		x := &site[T]{b: b, span: s, scratch: b.factors[i], result: to}
		m.accumulate(m.factors[i], x)
		m.evaluate(m.factors[i], &m.ends[i], x)
	}
	if !second {
		for w := range b.earlier {
			if b.earlier[w].Rows > 0 {
				simd.Copy(b.earlier[w].Slice(s.From, s.To), b.words[w].Slice(s.From, s.To))
			}
		}
	}
}

// largest is the index of the largest value, the lowest of equals.
func largest[T simd.Float](scores []T) int {
	class := 0
	for i, score := range scores {
		if score > scores[class] {
			class = i
		}
	}
	return class
}
