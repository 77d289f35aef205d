package design

import (
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/golden/rule"
)

// Storage is room for a word: of all layers that have one of the name, in the widest format.
type Storage struct {
	Name   string
	Width  int
	Signed bool
	Low    int // lowest bit among its like, where they lie side by side
}

// needs finds the phases that the design runs, and what of the description they take.
func (p *Plan) needs() {
	d := p.D
	for _, phase := range d.Phases {
		if p.Learns() || !phase.Learning {
			p.phases = append(p.phases, phase)
		}
	}
	p.used, p.fed = make([]bool, len(d.Words)), make([]bool, len(d.Sums))
	for i := range p.used {
		p.used[i] = p.Learns() || d.Words[i].Fixed
	}
	for i := range p.fed {
		p.fed[i] = p.Learns()
	}
	if p.Learns() {
		return
	}
	p.used[d.Readout] = true
	for _, phase := range p.phases {
		for _, c := range phase.Begin {
			p.used[c.To], p.used[c.From] = true, true
		}
		for _, step := range slices.Concat(phase.Order...) {
			layer := d.Steps[step].Layer
			for _, next := range d.Steps[step].Graph.Results {
				p.used[d.Word(next.Word, layer)] = true
			}
			for _, o := range p.A.Steps[step].Operands {
				switch o.Source {
				case rule.FromWord, rule.FromTotal, rule.FromLargest:
					p.used[d.Word(o.Name, layer)] = true
				case rule.FromSum:
					p.fed[d.Sum(o.Name, layer)] = true
				}
			}
		}
	}
}

// Holds tells whether the design has a projection's synapses: one that only learning listens to is not there without it.
func (p *Plan) Holds(projection int) bool {
	pr := &p.D.Projections[projection]
	return p.fed[pr.To] && p.used[pr.From]
}

// SlotsOf is how many slots the neurons take that a projection leads to: words of a column.
func (p *Plan) SlotsOf(projection int) int {
	return p.SlotCount[p.D.Sums[p.D.Projections[projection].To].Layer]
}

func (p *Plan) layOut() {
	layers := p.Network.Layers
	p.SlotBase, p.SlotCount = make([]int, len(layers)), make([]int, len(layers))
	for k := 1; k < len(layers); k++ {
		p.SlotBase[k] = p.Slots
		p.SlotCount[k] = (layers[k] + p.Lanes - 1) / p.Lanes
		p.Slots += p.SlotCount[k]
	}
}

// earlier and saved name the storage of a word as a phase has left it.
func earlier(word string) string { return word + "_earlier" }

func saved(word string, phase rule.Phase) string { return word + "_" + phase.Name }

// store finds room for all words.
func (p *Plan) store() {
	d := p.D
	add := func(list *[]Storage, name string, f fx.Format) {
		for i := range *list {
			if s := &(*list)[i]; s.Name == name {
				s.Width = max(s.Width, f.Width)
				return
			}
		}
		*list = append(*list, Storage{Name: name, Width: f.Width, Signed: f.Signed})
	}
	for i, w := range d.Words {
		switch f := p.A.Word(i).Format; {
		case w.Fixed || !p.used[i]:
		case w.Shared:
			add(&p.Shared, w.Name, f)
		default:
			add(&p.Words, w.Name, f)
		}
	}
	for _, f := range d.Factors {
		for _, name := range earlierOf(f) {
			if !p.Learns() {
				break
			}
			add(&p.Words, earlier(name), p.A.Word(d.Word(name, f.Layer)).Format)
		}
	}
	for _, phase := range p.phases {
		if p.returned(phase.Name) {
			for i, w := range d.Words {
				switch {
				case w.Fixed || !p.used[i]:
				case w.Shared:
					add(&p.Shared, saved(w.Name, phase), p.A.Word(i).Format)
				default:
					add(&p.Words, saved(w.Name, phase), p.A.Word(i).Format)
				}
			}
		}
	}
	for _, pr := range d.Projections {
		for k, w := range pr.Words {
			if !p.Learns() {
				break
			}
			f := p.A.Types[w.Tensor].Format
			if k == len(p.Beside) {
				p.Beside = append(p.Beside, Storage{Name: w.Name, Width: f.Width, Signed: f.Signed})
			}
			// The host knows no types: where some have a sign, all are signed words of one width.
			x := &p.Beside[k]
			switch {
			case x.Signed && !f.Signed:
				x.Width = max(x.Width, f.Width+1)
			case f.Signed && !x.Signed:
				x.Signed, x.Width = true, max(x.Width+1, f.Width)
			default:
				x.Width = max(x.Width, f.Width)
			}
		}
	}
	for _, list := range [][]Storage{p.Words, p.Shared, p.Beside} {
		low := 0
		for i := range list {
			list[i].Low = low
			low += list[i].Width
		}
	}
	for i, s := range d.Sums {
		if p.fed[i] && !slices.Contains(p.Kinds, s.Name) {
			p.Kinds = append(p.Kinds, s.Name)
		}
	}
}

// returned tells whether a phase starts from the end of this one.
func (p *Plan) returned(name string) bool {
	return slices.ContainsFunc(p.phases, func(x rule.Phase) bool { return x.From == name })
}

// earlierOf are the words that a factor compares.
func earlierOf(f rule.Factor) (names []string) {
	if f.Graph == nil {
		return nil
	}
	for _, n := range f.Graph.Nodes {
		if n.Op == rule.OpOperand && n.Source == rule.FromEarlier {
			names = append(names, n.Name)
		}
	}
	return names
}

// bitsOf is the width of words side by side.
func bitsOf(list []Storage) int {
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1].Low + list[len(list)-1].Width
}

func place(list []Storage, name string) int {
	return slices.IndexFunc(list, func(s Storage) bool { return s.Name == name })
}

func (p *Plan) kind(sum string) int { return slices.Index(p.Kinds, sum) }
