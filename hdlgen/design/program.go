package design

import (
	"fmt"
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/golden/rule"
)

// Row are the constants of a step: by moment (of inference; while learning without nudging, with positive beta, with negative beta),
// one per constant of its formula.
type Row struct {
	Formula int
	Words   [4][]int64
}

// Use tells where a formula is computed.
type Use uint8

// Uses of formulas.
const (
	OfNeurons Use = iota // in every unit: words, factors
	OfLayer              // once: words that neurons share
	OfSynapse            // in every unit
)

// Formula is a pipeline of the design: equal formulas are one.
type Formula struct {
	Graph     *fx.Graph
	Operands  []rule.Operand
	Use       Use
	Latency   int
	Constants []int // by operand: lowest bit in the row of constants; below 0: it is none
	Reduces   string
	Largest   bool
	Layer     int   // one that it serves
	Guarded   []int // roundings whose overflow is a change
}

// Step is one formula for one layer, with where its results go.
type Step struct {
	Formula int
	Layer   int
	Step    int // of the description; below 0: it keeps a factor, or moves words
	Factor  int // of the description; below 0: none
	Signal  int // whose changes are events; below 0: none
	Post    int // plane; below 0: none
	Pre     int
	Words   []int // by result: the place in Words or Shared; below 0: it is none
	Label   bool
}

// Opcode is what an instruction does.
type Opcode uint8

// Opcodes.
const (
	OpClear Opcode = iota
	OpLoad
	OpStep
	OpShared
	OpAnswer
	OpInferred
	OpSampled
	OpUpdate
	OpEnd
	OpNudge
)

// Instruction is one step of the program.
type Instruction struct {
	Op        Opcode
	Step      int // OpStep, OpShared; the update of OpUpdate, the sign of OpNudge
	Row       int
	Hold      bool // changes wait for those of the next step
	Last      bool // of an iteration
	Exit      int  // where to go on if nothing moved in it; 0: nowhere
	Phase     int
	Iteration int
}

// fingerprint is that of a graph, found once: every iteration of a phase asks for the same ones.
func (p *Plan) fingerprint(g *fx.Graph) string {
	print, known := p.prints[g]
	if !known {
		print = g.Fingerprint()
		p.prints[g] = print
	}
	return print
}

// formula gives a formula its place, that of an equal one if there is one.
func (p *Plan) formula(f Formula) int {
	print := p.fingerprint(f.Graph)
	for i, old := range p.Formulas {
		if old.Use == f.Use && p.fingerprint(old.Graph) == print && slices.Equal(old.Operands, f.Operands) &&
			slices.Equal(old.Guarded, f.Guarded) &&
			old.Reduces == f.Reduces && (f.Reduces == "" || p.reduced(old) == p.reduced(&f)) {
			return i
		}
	}
	low := 0
	for at, v := range f.Graph.Inputs() {
		f.Constants = append(f.Constants, -1)
		if f.Operands[at].Source == rule.FromConstant {
			f.Constants[at] = low
			low += f.Graph.Nodes()[v].Format.Width
		}
	}
	p.Formulas = append(p.Formulas, &f)
	return len(p.Formulas) - 1
}

// ConstantBits are those of a formula's constants.
func (f *Formula) ConstantBits() (width int) {
	for at, v := range f.Graph.Inputs() {
		if f.Constants[at] >= 0 {
			width += f.Graph.Nodes()[v].Format.Width
		}
	}
	return width
}

func (p *Plan) step(s Step) int {
	for i, old := range p.Steps {
		if old.Formula == s.Formula && old.Layer == s.Layer && old.Step == s.Step && old.Factor == s.Factor &&
			old.Signal == s.Signal && old.Post == s.Post && old.Pre == s.Pre &&
			slices.Equal(old.Words, s.Words) {
			return i
		}
	}
	p.Steps = append(p.Steps, s)
	return len(p.Steps) - 1
}

// row is the place of a row of constants.
func (p *Plan) row(x Row) int {
	key := fmt.Sprint(x)
	at, known := p.rows[key]
	if !known {
		at = len(p.Rows)
		p.Rows, p.rows[key] = append(p.Rows, x), at
	}
	return at
}

// program lays out one sample, and the mini-batch's update, as a list without loops.
func (p *Plan) program() {
	p.Program = []Instruction{{Op: OpClear, Step: p.nothing()}, {Op: OpLoad}}
	sign, inferred, second := 0, false, false
	emit := func(i Instruction) { p.Program = append(p.Program, i) }
	for at := range p.phases {
		phase := &p.phases[at]
		if phase.Learning && !inferred {
			emit(Instruction{Op: OpInferred})
			inferred = true
		}
		if phase.Beta != sign {
			sign = phase.Beta
			emit(Instruction{Op: OpNudge, Step: map[int]int{0: 0, 1: 1, -1: 2}[sign]})
		}
		if phase.From != "" {
			for _, step := range p.restore(phase.From) {
				emit(Instruction{Op: opOf(p, step), Step: step, Phase: at, Iteration: -1})
			}
		}
		for _, step := range p.begin(phase) {
			emit(Instruction{Op: opOf(p, step), Step: step, Phase: at, Iteration: -1})
		}
		start := len(p.Program)
		for iteration := range phase.Iterations {
			for _, group := range phase.Order {
				for i, of := range group {
					step := p.neurons(of)
					emit(Instruction{Op: opOf(p, step), Step: step, Row: p.constants(of, iteration),
						Hold: i < len(group)-1, Phase: at, Iteration: iteration})
				}
			}
			p.Program[len(p.Program)-1].Last = true
		}
		for i := start; i < len(p.Program) && phase.EarlyEnd; i++ {
			if p.Program[i].Last {
				p.Program[i].Exit = len(p.Program)
			}
		}
		if p.returned(phase.Name) {
			for _, step := range p.save(phase) {
				emit(Instruction{Op: opOf(p, step), Step: step, Phase: at, Iteration: -1})
			}
		}
		if phase.Answer {
			emit(Instruction{Op: OpAnswer, Step: p.answer()})
		}
		if phase.Keep != rule.NoRole && p.Learns() {
			if !inferred { // inference keeps nothing
				emit(Instruction{Op: OpInferred})
				inferred = true
			}
			for _, step := range p.keep(phase.Keep, second) {
				emit(Instruction{Op: OpStep, Step: step, Phase: at, Iteration: -1})
			}
			second = true
		}
	}
	if !inferred {
		emit(Instruction{Op: OpInferred})
	}
	if !p.Learns() {
		return
	}
	emit(Instruction{Op: OpSampled})
	for i := range p.Updates {
		emit(Instruction{Op: OpUpdate, Step: i})
	}
	emit(Instruction{Op: OpEnd})
}

func opOf(p *Plan, step int) Opcode {
	if p.Formulas[p.Steps[step].Formula].Use == OfLayer {
		return OpShared
	}
	return OpStep
}

// constants is the row of a step's constants in an iteration.
func (p *Plan) constants(step, iteration int) int {
	f := &p.A.Steps[step]
	x := Row{Formula: p.Steps[p.neurons(step)].Formula}
	for moment := range x.Words {
		m := rule.Moment{Iteration: iteration, Inference: moment == 0, Beta: [...]int{2: 1, 3: -1}[moment]}
		for _, o := range f.Operands {
			if o.Source == rule.FromConstant {
				x.Words[moment] = append(x.Words[moment], p.A.Constant(f, o.Name, m))
			}
		}
	}
	return p.row(x)
}

// neurons is a step of the description.
func (p *Plan) neurons(step int) int {
	d, s, f := p.D, p.D.Steps[step], &p.A.Steps[step]
	x := Formula{Graph: f.Graph, Operands: f.Operands, Layer: s.Layer, Guarded: f.Guarded}
	list := p.Words
	if s.Shared {
		x.Use, list = OfLayer, p.Shared
	}
	at := Step{Layer: s.Layer, Step: step, Factor: -1, Signal: -1, Post: -1, Pre: -1}
	for _, o := range f.Operands {
		switch o.Source {
		case rule.FromTotal:
			x.Reduces = o.Name
		case rule.FromLargest:
			x.Reduces, x.Largest = o.Name, true
		case rule.FromLabel:
			at.Label = true
		}
	}
	for _, next := range s.Graph.Results {
		at.Words = append(at.Words, place(list, next.Word))
		if w := d.Word(next.Word, s.Layer); d.Words[w].Signal {
			at.Signal = p.signal(w)
		}
	}
	at.Formula = p.formula(x)
	return p.step(at)
}
