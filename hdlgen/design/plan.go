// Package design makes hardware of a rule: one machine for all rules, in which lanes hold synapses and sums, and neuron units
// what a rule's formulas compute. A Plan says where everything of a network is and in which order it is computed; printed it is
// Verilog and memory images.
package design

import (
	"fmt"
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/arithmetic"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/training"
	"corinfo/hdlgen"
)

// Plan is a network on a machine of lanes and neuron units. Neuron i of a layer is in lane i mod Lanes, slot SlotBase + i / Lanes;
// unit u serves the lanes u Subs to u Subs + Subs - 1.
type Plan struct {
	Network  *network.Network
	A        *arithmetic.Arithmetic
	D        *rule.Description
	Target   hdlgen.Target
	Lanes    int
	Units    int
	Subs     int // lanes of a unit
	Contexts int // samples in flight

	Slots     int
	SlotBase  []int // by layer: first slot; layer 0 has none
	SlotCount []int // by layer

	Kinds    []string  // names of sums: their number is their place in a lane
	Words    []Storage // of a neuron
	Shared   []Storage // of a layer
	Signals  []Signal
	Walk     []Place
	Depth    int        // words of a lane's synapse memory
	Post     []Plane    // factors that lanes keep
	Pre      []Plane    // factors that units keep, to be broadcast
	Formulas []*Formula // of steps, factors and updates
	Steps    []Step
	Rows     []Row
	Program  []Instruction
	Updates  []Update
	Beside   []Storage // words beside a synapse, by place
	Places   []Storage // constants of an update, by place
	Counters []string  // of the host, by number
	Entries  []Entry   // of the design's own schedule; none: it has none
	Flags    int       // that a formula raises at most: roundings that overflow, and whether an update is lost

	words  map[string]int
	rows   map[string]int // by what they hold
	prints map[*fx.Graph]string
	phases []rule.Phase // that the design runs
	used   []bool       // by word of the description: something in these phases writes or reads it
	fed    []bool       // by sum
}

// Storage is room for a word: of all layers that have one of the name, in the widest format.
type Storage struct {
	Name   string
	Width  int
	Signed bool
	Low    int // lowest bit among its like, where they lie side by side
}

// Signal is a word whose changes are broadcast.
type Signal struct {
	Word   int // of the description
	Base   int // address of column 0
	Stride int // words of a column
	Walk   int // first word of its columns in Plan.Walk
}

// Place tells of a word of a column what its products are added to.
type Place struct {
	Projection int
	Slot       int // of its rows
	Kind       int
	Shift      int // of the change, to the sum's binary point
}

// Plane is a factor, of one phase where phases have one each: room for it is in every lane or unit for all neurons and samples.
type Plane struct {
	Factor string
	Role   rule.Role
}

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

// Update is how one projection learns; a mirrored one learns the same words by itself.
type Update struct {
	Update     int // of the description
	Projection int
	Formula    int
	Mirrored   bool
	Terms      []Term
	Key        int // number of the tensor in random words
	Constants  []int
}

// Term is a product of factors.
type Term struct {
	Post     int // plane
	Pre      int // plane; below 0: the input, or the unit that is always 1
	Negative bool
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

// New plans a network. What the machine cannot do is ErrUsage.
func New(n *network.Network, lanes, units int, target hdlgen.Target) (*Plan, error) {
	a, err := training.Arithmetic(n)
	if err != nil {
		return nil, err
	}
	if lanes < 1 || units < 1 || lanes%units != 0 || lanes > MaxLanes {
		return nil, golden.Usagef("hardware: %d lanes with %d neuron units; want 1 to %d lanes, a multiple of the units", lanes, units, MaxLanes)
	}
	p := &Plan{Network: n, A: a, D: a.D, Target: target, Lanes: lanes, Units: units, Subs: lanes / units, Contexts: n.Hardware.Contexts, words: map[string]int{}, rows: map[string]int{}, prints: map[*fx.Graph]string{}}
	if err := hdlgen.CheckTarget(target); err != nil {
		return nil, err
	}
	if err := p.refuse(); err != nil {
		return nil, err
	}
	p.needs()
	p.layOut()
	p.store()
	p.placeSynapses()
	if p.Learns() {
		p.planes()
	}
	p.program()
	p.updates()
	for _, f := range p.Formulas {
		_, latency, err := hdlgen.Pipeline("f", f.Graph, target, nil)
		if err != nil {
			return nil, err
		}
		if latency > maxLatency {
			return nil, golden.Usagef("formats: %s takes %d cycles, more than the %d that the machine counts: use shorter types, or a target of larger sums", f.Graph.Name, latency, maxLatency)
		}
		f.Latency = latency
	}
	if err := p.count(); err != nil {
		return nil, err
	}
	if p.HasSchedule() {
		if p.Entries, err = p.entries(); err != nil {
			return nil, err
		}
	}
	if _, err := newShape(p); err != nil {
		return nil, err
	}
	return p, nil
}

// maxLatency is that of a formula: controls count it in 8 bits, and some cycles more.
const maxLatency = 250

// MaxLanes is the largest number of lanes.
const MaxLanes = 1024

func (p *Plan) refuse() error {
	d := p.D
	for _, pr := range d.Projections {
		for _, w := range pr.Words {
			if p.A.Types[w.Tensor].Rounding == fx.Stochastic {
				return golden.Usagef("formats: %v: words beside synapses have no stochastic rounding in hardware yet: round them otherwise", d.Tensors[w.Tensor])
			}
		}
	}
	for i := range d.Steps {
		for _, o := range p.A.Steps[i].Operands {
			if !d.Steps[i].Shared && (o.Source == rule.FromTotal || o.Source == rule.FromLargest) {
				return golden.Usagef("rule: step %s: a neuron's own step reads the layer's %s, for which there is no hardware yet", d.Steps[i].Name, o.Name)
			}
		}
	}
	return nil
}

// Learns tells whether the design learns; others classify only, and have nothing that only learning needs.
func (p *Plan) Learns() bool { return p.Network.Hardware.Learning }

// batch is how many samples the design keeps for an update.
func (p *Plan) batch() int {
	if p.Learns() {
		return p.Network.Learning.Batch
	}
	return 1
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
func earlier(word string) string                 { return word + "_earlier" }
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

// placeSynapses puts the synapses of a presynaptic neuron, its column, into consecutive words of every lane: projection after
// projection, slot after slot. Signal 0 is the input.
func (p *Plan) placeSynapses() {
	d := p.D
	for w := range d.Words {
		if !d.Words[w].Signal {
			continue
		}
		s := Signal{Word: w, Base: p.Depth, Walk: len(p.Walk)}
		for i, pr := range d.Projections {
			if pr.From != w || !p.Holds(i) {
				continue
			}
			layer := d.Sums[pr.To].Layer
			for slot := range p.SlotCount[layer] {
				p.Walk = append(p.Walk, Place{Projection: i, Slot: p.SlotBase[layer] + slot, Kind: p.kind(d.Sums[pr.To].Name), Shift: p.A.Projections[i].Shift})
				s.Stride++
			}
		}
		if s.Stride > 0 || len(p.Signals) == 0 {
			p.Signals = append(p.Signals, s)
			p.Depth += s.Stride * d.Width(w)
		}
	}
}

// signal is the signal of a word of the description; below 0: nobody listens.
func (p *Plan) signal(word int) int {
	return slices.IndexFunc(p.Signals, func(s Signal) bool { return s.Word == word && s.Stride > 0 })
}

// offset is where a projection's rows begin in a column.
func (p *Plan) offset(projection int) (signal *Signal, offset int) {
	signal = &p.Signals[p.signal(p.D.Projections[projection].From)]
	for p.Walk[signal.Walk+offset].Projection != projection {
		offset++
	}
	return signal, offset
}

// Address is where a synapse lives.
func (p *Plan) Address(projection, row, column int) (lane, address int) {
	s, offset := p.offset(projection)
	return row % p.Lanes, s.Base + column*s.Stride + offset + row/p.Lanes
}

// Column is the projection and the column of an address, in every lane, and its slot there: lane i holds row slot Lanes + i.
func (p *Plan) Column(address int) (projection, column, slot int, ok bool) {
	for _, s := range p.Signals {
		n := s.Stride * p.D.Width(s.Word)
		if address >= s.Base && address < s.Base+n {
			within := address - s.Base
			at := p.Walk[s.Walk+within%s.Stride]
			return at.Projection, within / s.Stride, at.Slot - p.SlotBase[p.D.Sums[p.D.Projections[at.Projection].To].Layer], true
		}
	}
	return 0, 0, 0, false
}

// plane is the place of a factor's plane in a list, to which it is added.
func plane(list *[]Plane, d *rule.Description, factor int, role rule.Role) int {
	x := Plane{Factor: d.Factors[factor].Name, Role: role}
	if d.Factors[factor].Second {
		x.Role = rule.NoRole
	}
	if i := slices.Index(*list, x); i >= 0 {
		return i
	}
	*list = append(*list, x)
	return len(*list) - 1
}

// factorsOf is the number of the factors of a layer in a plane of Post: of each the control knows by sample whether all are zero.
func (p *Plan) factorsOf(plane, layer int) int { return max(0, plane)*p.Network.K() + layer - 1 }

// planes lists what updates read.
func (p *Plan) planes() {
	d := p.D
	key := map[int]int{}
	for number, at := range d.Stored() {
		key[at] = number
	}
	add := func(i int, projection int, mirrored bool) {
		u := Update{Update: i, Projection: projection, Mirrored: mirrored, Key: key[d.Updates[i].Projection]}
		for _, t := range d.Updates[i].Terms {
			post, pre := t.Post, t.Pre
			if mirrored {
				post, pre = pre, post
			}
			x := Term{Post: plane(&p.Post, d, post, t.Role), Pre: -1, Negative: t.Negative}
			if f := d.Factors[pre]; f.Graph != nil || !d.Words[f.Word].Fixed {
				x.Pre = plane(&p.Pre, d, pre, t.Role)
			}
			u.Terms = append(u.Terms, x)
		}
		p.Updates = append(p.Updates, u)
	}
	for i := range d.Updates {
		add(i, d.Updates[i].Projection, false)
		for at, pr := range d.Projections {
			if pr.Mirror == d.Updates[i].Projection {
				add(i, at, true)
			}
		}
	}
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
		if old.Use == f.Use && p.fingerprint(old.Graph) == print && slices.Equal(old.Operands, f.Operands) && slices.Equal(old.Guarded, f.Guarded) &&
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
		if old.Formula == s.Formula && old.Layer == s.Layer && old.Step == s.Step && old.Factor == s.Factor && old.Signal == s.Signal && old.Post == s.Post && old.Pre == s.Pre &&
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
	d := p.D
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
				for i, step := range group {
					x := Instruction{Op: OpStep, Step: p.neurons(step), Row: p.constants(step, iteration), Hold: i < len(group)-1, Phase: at, Iteration: iteration}
					if d.Steps[step].Shared {
						x.Op, x.Hold = OpShared, false
					}
					emit(x)
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
		at := Step{Layer: f.Layer, Step: -1, Factor: i, Signal: -1, Post: slices.Index(p.Post, x), Pre: slices.Index(p.Pre, x), Words: []int{-1}}
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

// updates gives the updates their formulas and constants.
func (p *Plan) updates() {
	for i := range p.Updates {
		u := &p.Updates[i]
		f := &p.A.Updates[u.Update]
		u.Formula = p.formula(Formula{Graph: f.Graph, Operands: f.Operands, Use: OfSynapse, Layer: u.Update})
	}
	// Constants of all updates lie in the same places of a row, so that the host finds them.
	for _, u := range p.Updates {
		f, at := p.Formulas[u.Formula], 0
		for i, v := range f.Graph.Inputs() {
			if f.Constants[i] < 0 {
				continue
			}
			if at == len(p.Places) {
				p.Places = append(p.Places, Storage{})
			}
			p.Places[at].Width = max(p.Places[at].Width, f.Graph.Nodes()[v].Format.Width)
			at++
		}
	}
	low := 0
	for i := range p.Places {
		p.Places[i].Low = low
		low += p.Places[i].Width
	}
	for _, f := range p.Formulas {
		at := 0
		for i := range f.Constants {
			if f.Use == OfSynapse && f.Constants[i] >= 0 {
				f.Constants[i] = p.Places[at].Low
				at++
			}
		}
	}
}

// tables are the sizes of all tables, by number.
func (p *Plan) tables(constantBits int) [tableCount]TableSize {
	return [tableCount]TableSize{
		TableConstants: {4 * max(1, len(p.Rows)), constantBits},
		TableProgram:   {max(2, len(p.Program)), instruction.bits()},
		TableSteps:     {max(2, len(p.Steps)), stepEntry.bits()},
		TableSignals:   {max(2, len(p.Signals)), signalEntry.bits()},
		TableColumns:   {max(2, len(p.Walk)), walkEntry.bits()},
		TableUpdates:   {p.updateWords(), updateEntry.bits()},
		TableCounters:  {max(2, len(p.Steps)) + p.updateWords(), 8 * p.Flags},
	}
}

// HostTables are the sizes of those that the host reads and writes, by number; of others 0.
func (p *Plan) HostTables() (sizes [tableCount]TableSize, err error) {
	s, err := newShape(p)
	if err != nil {
		return sizes, err
	}
	sizes = p.tables(s.constants)
	if !p.Network.Hardware.HostTables {
		sizes = [tableCount]TableSize{TableConstants: sizes[TableConstants]}
	}
	return sizes, nil
}

// Dense are the cycles of an inference, about, in which every signal of every step is broadcast.
func (p *Plan) Dense() (cycles int) {
	for _, s := range p.Signals {
		if p.D.Words[s.Word].Fixed {
			cycles += s.Stride * p.D.Width(s.Word)
		}
	}
	for _, i := range p.Program {
		if i.Op == OpStep {
			st := &p.Steps[i.Step]
			cycles += 20 + p.SlotCount[st.Layer]*(p.Subs+len(p.Kinds))
			if st.Signal >= 0 {
				cycles += p.Signals[st.Signal].Stride * p.Network.Layers[st.Layer]
			}
		}
	}
	return cycles
}

// QuantizeInput converts pixels to raw words of the input, into out.
func (p *Plan) QuantizeInput(pixels []uint8, out []int64) { p.A.Input(pixels, out) }
