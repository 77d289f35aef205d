package hdlgen

import (
	fx "corinfo/fixedpoint"
	"corinfo/golden/calibrate"
	"corinfo/hdlgen/settling"
)

// Estimates are what a design will take, before any synthesis.
type Estimates struct {
	Lanes                  int            `json:"lanes"`
	Measured               bool           `json:"measured"`                   // cycles are those of samples; else of the dense computation
	CyclesPerInference     float64        `json:"cycles_per_inference"`       // from command to command
	CyclesPerLearning      float64        `json:"cycles_per_learning_sample"` // with its share of the update
	CyclesPerUpdate        float64        `json:"cycles_per_update"`          // of a mini-batch; the last sample's share of CyclesPerLearning
	SettlingCycles         float64        `json:"settling_cycles"`            // of CyclesPerInference: some sample is taken or settles
	LearningSettlingCycles float64        `json:"learning_settling_cycles"`   // of CyclesPerLearning
	LanesBusy              float64        `json:"lanes_busy"`                 // share of SettlingCycles in which the lanes multiply for events
	LaneUtilisation        float64        `json:"lane_utilisation"`           // useful products over lanes x SettlingCycles: without the padding of layers that L does not divide
	DrainCycles            []int          `json:"drain_cycles"`               // by layer k = 1..: a settling step without its products, one sample in flight
	MemoryBits             int            `json:"memory_bits"`
	Memories               []MemoryBits   `json:"memories"`
	MultiplierKinds        []Multiplier   `json:"multiplier_kinds"`
	Latency                map[string]int `json:"latency"` // of the pipelines soma, record and synapse, in cycles

	Parts
}

// Parts are what a design's arithmetic takes.
type Parts struct {
	Multipliers int `json:"multipliers"`
	Pipelines   int `json:"pipelines"` // distinct ones; those of neurons and synapses are in every lane
}

// MemoryBits is one kind of memory of the design, all lanes together.
type MemoryBits struct {
	Name     string `json:"name"`
	Words    int    `json:"words"` // of one memory
	Width    int    `json:"width"`
	Memories int    `json:"memories"`
	Bits     int    `json:"bits"`
	ReadOnly bool   `json:"read_only"`
	InLUTs   bool   `json:"in_luts"` // whatever its size
}

// Multiplier is a kind of multiplier: signed operands of these widths, the wider first.
type Multiplier struct {
	Use   string `json:"use"` // mac, soma, record, synapse
	A     int    `json:"a"`
	B     int    `json:"b"`
	Count int    `json:"count"`
}

// Estimate tells what a network on lanes takes on a target. Cycles are those of the activity's samples, or with nil
// those of the dense computation: every state changes in every step, no factor is zero and no phase ends early.
// Time that a design waits for its surroundings is not counted. Errors are those of Build.
func Estimate(a *settling.Arithmetic, lanes int, target Target, activity *Activity) (*Estimates, error) {
	t, s, err := newTiming(a, lanes, target)
	if err != nil {
		return nil, err
	}
	l, p := t.l, t.p
	e := &Estimates{Lanes: lanes, Measured: activity != nil, Latency: p.latencies()}
	t.dense = a.Network.Hardware.Mode == "dense" || activity == nil
	if activity == nil {
		activity = t.everything()
	}
	t.run(activity, e)
	e.memories(a, l, s)
	e.multipliers(a, s, p)
	return e, nil
}

// WithSharedFormats gives the parts that the design of a network takes where all layers share one format per kind of
// tensor (calibrate.SharedFormats); nil if they are not fewer, or if the shared formats do not get on with one another.
func (e *Estimates) WithSharedFormats(a *settling.Arithmetic, target Target) *Parts {
	a, err := settling.New(calibrate.SharedFormats(a.Network))
	if err != nil {
		return nil
	}
	_, s, err := layOut(a, e.Lanes)
	if err != nil {
		return nil
	}
	p, err := printGraphs(a.Network.Name, a, target, nil)
	if err != nil {
		return nil
	}
	shared := Estimates{Lanes: e.Lanes}
	shared.multipliers(a, s, p)
	if shared.Multipliers >= e.Multipliers && shared.Pipelines >= e.Pipelines {
		return nil
	}
	return &shared.Parts
}

// newTiming knows how long a network on lanes takes for what, when it is told what is dense.
func newTiming(a *settling.Arithmetic, lanes int, target Target) (*timing, *shape, error) {
	l, s, err := layOut(a, lanes)
	if err == nil {
		err = checkTarget(target)
	}
	if err != nil {
		return nil, nil, err
	}
	p, err := printGraphs(a.Network.Name, a, target, nil)
	if err != nil {
		return nil, nil, err
	}
	return &timing{a: a, l: l, contexts: s.contexts, p: p, terms: s.Term}, s, nil
}

func (e *Estimates) memories(a *settling.Arithmetic, l *Layout, s *shape) {
	add := func(name string, words, width, memories int) {
		e.Memories = append(e.Memories, MemoryBits{Name: name, Words: words, Width: width, Memories: memories, Bits: words * width * memories,
			ReadOnly: name == "program" || name == "constants"})
		e.MemoryBits += words * width * memories
	}
	n := a.Network
	add("synapses", s.synapseDepth, s.Word, l.Lanes)
	slots, each := 1<<s.Slot, l.Lanes*s.contexts // every sample in flight has its own
	add("sums of W", slots, s.Accumulator, each)
	add("sums of F", slots, s.Accumulator, each)
	add("sums of C", slots, s.Accumulator, each)
	add("states", slots, s.R, each)
	add("potentials", slots, s.U, each)
	add("changes", slots, s.Delta, each)
	add("kept factors", s.keptDepth, s.E+s.D+s.C, l.Lanes)
	add("kept states and c", s.keptDepth, s.R+s.C, l.Lanes)
	add("input", max(2, n.Learning.Batch*n.Layers[0]), s.X, 1)
	add("program", len(a.Program), instructionBits+s.Eta, s.contexts)
	add("constants", 3*n.K(), s.Constants, 1)
	add("rates", len(a.Matrices), s.Rate, 1)
}

// AddMultiplier counts multipliers of a use, whose operands have these widths.
func (e *Estimates) AddMultiplier(use string, x, y, count int) {
	x, y = max(x, y), min(x, y)
	e.Multipliers += count
	for i := range e.MultiplierKinds {
		if m := &e.MultiplierKinds[i]; m.Use == use && m.A == x && m.B == y {
			m.Count += count
			return
		}
	}
	e.MultiplierKinds = append(e.MultiplierKinds, Multiplier{use, x, y, count})
}

// multipliers counts the pipelines and the multipliers: those of the lanes' products and of the distinct graphs, which
// every lane has. The control has none.
func (e *Estimates) multipliers(a *settling.Arithmetic, s *shape, p *arithmetic) {
	e.Pipelines = p.count()
	e.AddMultiplier("mac", max(s.E, s.D, s.C, s.Word), s.Operand, e.Lanes)
	e.AddMultiplier("rate", s.Rate+1, s.Update, e.Lanes)
	for _, kind := range []struct {
		use   string
		units []unit
	}{{"soma", p.soma}, {"record", p.record}, {"synapse", append(p.update, p.synapse...)}} {
		for _, u := range kind.units {
			for _, w := range MultipliersOf(u.graph, p.target) {
				e.AddMultiplier(kind.use, w[0], w[1], e.Lanes)
			}
		}
	}
}

// MultipliersOf are the widths of the operands of all multipliers of a graph's pipeline.
func MultipliersOf(g *fx.Graph, target Target) (list [][2]int) {
	pipeline := newPipeline(g, target)
	for _, n := range g.Nodes() {
		if n.Op == fx.OpMul && pipeline.narrow(n) < 0 {
			list = append(list, [2]int{widthOf(g, n.Args[0]), widthOf(g, n.Args[1])})
		}
		if n.Op == fx.OpTable { // the difference by the place in the segment
			list = append(list, [2]int{segmentsOf(n.Table).difference, n.Format.Frac - n.Table.Format.Frac + 2})
		}
	}
	return list
}

// widthOf is a factor's width as a signed number.
func widthOf(g *fx.Graph, v fx.Value) int {
	f := g.Nodes()[v].Format
	if !f.Signed && f.Width > 1 {
		return f.Width + 1
	}
	return f.Width
}
