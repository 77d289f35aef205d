package hdlgen

import fx "corinfo/fixedpoint"

// Estimates are what a design will take, before any synthesis.
type Estimates struct {
	Lanes                  int          `json:"lanes"`
	Units                  int          `json:"neuron_units"`
	Measured               bool         `json:"measured"`                   // cycles are those of samples; else of the dense computation
	CyclesPerInference     float64      `json:"cycles_per_inference"`       // from command to command
	CyclesPerLearning      float64      `json:"cycles_per_learning_sample"` // with its share of the update
	CyclesPerUpdate        float64      `json:"cycles_per_update"`          // of a mini-batch; the last sample's share of CyclesPerLearning
	SettlingCycles         float64      `json:"settling_cycles"`            // of CyclesPerInference: some sample is taken or settles
	LearningSettlingCycles float64      `json:"learning_settling_cycles"`   // of CyclesPerLearning
	LanesBusy              float64      `json:"lanes_busy"`                 // share of SettlingCycles in which the lanes multiply for events
	LaneUtilisation        float64      `json:"lane_utilisation"`           // useful products over lanes x SettlingCycles: without the padding of layers that L does not divide
	MemoryBits             int          `json:"memory_bits"`
	Memories               []MemoryBits `json:"memories"`
	MultiplierKinds        []Multiplier `json:"multiplier_kinds"`
	LUTs                   int          `json:"luts"`  // about, as Yosys makes them for an ECP5: of all Logic
	Logic                  []LogicPart  `json:"logic"` // them by part

	Parts
}

// Parts are what a design's arithmetic takes.
type Parts struct {
	Multipliers int `json:"multipliers"`
	Pipelines   int `json:"pipelines"` // distinct ones; those of neurons and synapses are in every neuron unit
}

// MemoryBits is one kind of memory of the design, all lanes together.
type MemoryBits struct {
	Name     string `json:"name"`
	Words    int    `json:"words"` // of one memory
	Width    int    `json:"width"`
	Memories int    `json:"memories"`
	Bits     int    `json:"bits"`
	ReadOnly bool   `json:"read_only"`
	InLUTs   bool   `json:"in_luts"`           // whatever its size
	Varying  int    `json:"varying,omitempty"` // of a read-only one: bits of a word that are not the same in all words
}

// LogicPart is what a part of the design takes in LUTs of four inputs.
type LogicPart struct {
	Name string `json:"name"`
	LUTs int    `json:"luts"`
}

// Multiplier is a kind of multiplier: signed operands of these widths, the wider first.
type Multiplier struct {
	Use   string `json:"use"` // lanes, or a formula
	A     int    `json:"a"`
	B     int    `json:"b"`
	Count int    `json:"count"`
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
