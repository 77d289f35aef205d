package design

import (
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/golden/rule"
)

// move is a step that only moves words: from storage to storage, by name; of a signal the change is an event.
func (p *Plan) move(layer int, shared bool, words [][2]string, word func(name string) int, signal int) int {
	g := fx.NewGraph("move")
	list := p.Words
	x := Formula{Graph: g, Layer: layer}
	if shared {
		x.Use, list = OfLayer, p.Shared
	}
	at := Step{Layer: layer, Step: -1, Factor: -1, Signal: -1, Post: -1, Pre: -1}
	input := func(name string, f fx.Format) fx.Value {
		for i, o := range x.Operands {
			if o.Name == name {
				return g.Inputs()[i]
			}
		}
		x.Operands = append(x.Operands, rule.Operand{Source: rule.FromWord, Name: name})
		return g.Input(name, f)
	}
	for _, w := range words {
		to, from := p.A.Word(word(w[0])).Format, p.A.Word(word(w[1])).Format
		v := input(w[1], from)
		if from != to {
			v = g.Resize(w[0]+"_moved", v, fx.Type{Format: to, Rounding: fx.Rnd, Overflow: fx.Sat})
		}
		g.Output(w[0]+"_next", v)
		at.Words = append(at.Words, place(list, w[0]))
		if i := word(w[0]); i == signal && p.signal(i) >= 0 {
			g.Output("delta", g.Sub(v, input(w[0], to)))
			at.Signal = p.signal(i)
		}
	}
	at.Formula = p.formula(x)
	return p.step(at)
}

// begin are the steps that set words to others when a phase begins.
func (p *Plan) begin(phase *rule.Phase) (list []int) {
	d := p.D
	for _, shared := range []bool{false, true} {
		for k := range d.Layers {
			var words [][2]string
			for _, c := range phase.Begin {
				if to := d.Words[c.To]; to.Layer == k && to.Shared == shared {
					words = append(words, [2]string{to.Name, d.Words[c.From].Name})
				}
			}
			if words != nil {
				list = append(list, p.move(k, shared, words, func(name string) int { return d.Word(name, k) }, -1))
			}
		}
	}
	return list
}

// moved are the steps that bring all words of all layers to or from where they are kept. Words of one step are of one layer; a
// step has the events of one signal.
func (p *Plan) moved(pair func(name string) [2]string, events bool, base func(name string) string) (list []int) {
	d := p.D
	for _, shared := range []bool{false, true} {
		for k := range d.Layers {
			var plain [][2]string
			word := func(name string) int { return d.Word(base(name), k) }
			for i, w := range d.Words {
				if w.Layer != k || w.Fixed || w.Shared != shared || !p.used[i] {
					continue
				}
				if events && w.Signal && p.signal(i) >= 0 {
					list = append(list, p.move(k, shared, [][2]string{pair(w.Name)}, word, i))
				} else {
					plain = append(plain, pair(w.Name))
				}
			}
			if plain != nil {
				list = append(list, p.move(k, shared, plain, word, -1))
			}
		}
	}
	return list
}

func (p *Plan) save(phase *rule.Phase) []int {
	suffix := len("_" + phase.Name)
	return p.moved(func(name string) [2]string { return [2]string{saved(name, *phase), name} }, false, func(name string) string {
		if place(p.Words, name) >= 0 && p.isSaved(name, phase.Name) || place(p.Shared, name) >= 0 && p.isSaved(name, phase.Name) {
			return name[:len(name)-suffix]
		}
		return name
	})
}

func (p *Plan) restore(from string) []int {
	phase := rule.Phase{Name: from}
	suffix := len("_" + from)
	return p.moved(func(name string) [2]string { return [2]string{name, saved(name, phase)} }, true, func(name string) string {
		if p.isSaved(name, from) {
			return name[:len(name)-suffix]
		}
		return name
	})
}

func (p *Plan) isSaved(name, phase string) bool {
	for _, w := range p.D.Words {
		if saved(w.Name, rule.Phase{Name: phase}) == name {
			return true
		}
	}
	return false
}

// keep are the steps that keep the factors of a phase that has ended.
func (p *Plan) keep(role rule.Role, second bool) (list []int) {
	d := p.D
	for i := range d.Factors {
		f := &d.Factors[i]
		if f.Second && !second || !f.Second && !slices.Contains(f.Roles, role) {
			continue
		}
		x := Plane{Factor: f.Name, Role: role}
		if f.Second {
			x.Role = rule.NoRole
		}
		at := Step{Layer: f.Layer, Step: -1, Factor: i, Signal: -1, Post: slices.Index(p.Post, x),
			Pre: slices.Index(p.Pre, x), Words: []int{-1}}
		if at.Post < 0 && at.Pre < 0 {
			continue
		}
		formula := Formula{Layer: f.Layer}
		if f.Graph == nil {
			name := d.Words[f.Word].Name
			formula.Graph = fx.NewGraph("keep")
			formula.Operands = []rule.Operand{{Source: rule.FromWord, Name: name}}
			formula.Graph.Output("factor", formula.Graph.Input(name, p.A.Word(f.Word).Format))
		} else {
			formula.Graph, formula.Operands = p.A.Factors[i].Graph, p.A.Factors[i].Operands
		}
		at.Formula = p.formula(formula)
		list = append(list, p.step(at))
	}
	if second {
		return list
	}
	for k := range d.Layers {
		var words [][2]string
		for _, f := range d.Factors {
			for _, name := range earlierOf(f) {
				if w := [2]string{earlier(name), name}; f.Layer == k && !slices.Contains(words, w) {
					words = append(words, w)
				}
			}
		}
		if words != nil {
			list = append(list, p.move(k, false, words, func(name string) int { return d.Word(baseName(name), k) }, -1))
		}
	}
	return list
}

// baseName is the word of an earlier one.
func baseName(name string) string {
	if suffix := "_earlier"; len(name) > len(suffix) && name[len(name)-len(suffix):] == suffix {
		return name[:len(name)-len(suffix)]
	}
	return name
}

// answer is the step of the readout: it is looked up, not computed.
func (p *Plan) answer() int {
	w := p.D.Words[p.D.Readout]
	g := fx.NewGraph("answer")
	g.Output(w.Name+"_next", g.Input(w.Name, p.A.Word(p.D.Readout).Format))
	f := p.formula(Formula{Graph: g, Operands: []rule.Operand{{Source: rule.FromWord, Name: w.Name}}, Layer: w.Layer})
	return p.step(Step{Formula: f, Layer: w.Layer, Step: -1, Factor: -1, Signal: -1, Post: -1, Pre: -1, Words: []int{-1}})
}

// nothing is the step that clearing looks up.
func (p *Plan) nothing() int { return p.answer() }
