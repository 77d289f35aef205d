package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

// randomCase is a network, whose file has lanes and formats too, and what is run on its design.
type randomCase struct {
	network *network.Network
	setup
}

// setup is what a network file does not say.
type setup struct {
	Target    hdlgen.Target `json:"target"`
	Wild      bool          `json:"wild"`      // synapses over the whole range of their formats: everything saturates
	Zeros     int           `json:"zeros"`     // percentage of pixels that are zero
	Inference int           `json:"inference"` // samples
	Learning  int           `json:"learning"`
	Stall     int           `json:"stall"`  // seed of stalls on the handshakes; 0: none
	Reset     int           `json:"reset"`  // Verilator's initial state
	Seed      uint64        `json:"seed"`   // of samples and wild synapses
	Icarus    bool          `json:"icarus"` // runs on Icarus too
}

// caseMark starts the first line of a case's file, a comment to every other reader.
const caseMark = "# case "

// file is the network file of a case with the setup in its first line.
func (c *randomCase) file() []byte {
	head, err := json.Marshal(c.setup)
	if err != nil {
		panic(err) // numbers and truth values only
	}
	return slices.Concat([]byte(caseMark), head, []byte("\n"), c.network.YAML())
}

// parseCase reads what file wrote.
func parseCase(name string, text []byte) (*randomCase, error) {
	head, _, _ := bytes.Cut(text, []byte("\n"))
	own, found := bytes.CutPrefix(head, []byte(caseMark))
	if !found {
		return nil, fmt.Errorf("%s: the first line is not %q with the setup", name, caseMark)
	}
	c := &randomCase{}
	if err := json.Unmarshal(own, &c.setup); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	n, err := network.Parse(name, text)
	c.network = n
	return c, err
}

// clone is a copy that shares nothing.
func (c *randomCase) clone() *randomCase {
	n := *c.network
	n.Layers = slices.Clone(n.Layers)
	n.Learning.Feedforward, n.Learning.Feedback = slices.Clone(n.Learning.Feedforward), slices.Clone(n.Learning.Feedback)
	own := *goldentest.CorInfoMax(&n)
	own.Sparse = rule.Sparse{Layers: slices.Clone(own.Sparse.Layers), Nu: slices.Clone(own.Sparse.Nu)}
	n.Own = &own
	n.Formats = maps.Clone(n.Formats)
	return &randomCase{&n, c.setup}
}

// arithmetic is the case's, or the refusal (golden.ErrUsage) of a network or design that there is not; most is what a run
// takes at most, in lanes x cycles.
func (c *randomCase) arithmetic() (a *settling.Arithmetic, most int, err error) {
	n, err := network.Parse("case.yaml", c.network.YAML())
	if err != nil {
		return nil, 0, err
	}
	if a, err = settling.New(n); err != nil {
		return nil, 0, err
	}
	lanes := n.Hardware.Lanes
	e, err := hdlgen.Estimate(a, lanes, c.Target, nil)
	if err != nil {
		return nil, 0, err
	}
	d := &hdlgen.Design{Manifest: &hdlgen.Manifest{Lanes: lanes}, Layout: hdlgen.NewLayout(a, lanes)}
	return a, work(d, e, Options{Inference: make([]Sample, c.Inference), Learning: make([]Sample, c.Learning)}), nil
}

// machine has the synapses that a case starts from. Wild ones are functions of their place, as samples are: those that a
// smaller case keeps stay the same.
func (c *randomCase) machine(a *settling.Arithmetic) (*settling.Machine, error) {
	m := settling.NewMachine(a)
	if _, err := m.SetWeights(weights.Initial(c.network.Describe(), c.network.Seed)); err != nil {
		return nil, err
	}
	if !c.Wild {
		return m, nil
	}
	for i, x := range a.Matrices {
		for row := range x.Rows {
			for column := range x.Cols {
				place := [2]int{row, column}
				if x.Kind == settling.Lateral {
					place = [2]int{max(row, column), min(row, column)}
				}
				rng := rand.New(rand.NewPCG(c.Seed, uint64(x.Kind)<<48|uint64(x.Index)<<32|uint64(place[0])<<16|uint64(place[1])))
				m.SetSynapse(i, row, column, anyWord(rng, x.Type.Format))
			}
		}
	}
	return m, nil
}

// anyWord draws a word from the whole range of a format.
func anyWord(rng *rand.Rand, f fx.Format) int64 {
	word := rng.Uint64()
	if spare := fx.MaxWord - f.Width; f.Signed {
		return int64(word) >> spare
	} else {
		return int64(word >> spare)
	}
}

// samples draws the first of a case's samples of a kind; whole mini-batches have one sign of beta.
func (c *randomCase) samples(a *settling.Arithmetic, kind uint64, count int) []Sample {
	n := c.network
	list := make([]Sample, count)
	for i := range list {
		rng := rand.New(rand.NewPCG(c.Seed, kind<<60|uint64(i)))
		list[i] = Sample{X: make([]int64, n.Layers[0]), Label: int(rng.Uint32() % uint32(n.Layers[n.K()]))}
		sign := rand.New(rand.NewPCG(c.Seed, 3<<60|uint64(i/n.Learning.Batch)))
		list[i].Negative = sign.IntN(2) == 0
		pixels := make([]uint8, n.Layers[0])
		for j := range pixels {
			if value := uint8(1 + rng.IntN(255)); rng.IntN(100) >= c.Zeros {
				pixels[j] = value
			}
		}
		a.QuantizeInput(pixels, list[i].X)
	}
	return list
}

// options are those of the case's co-simulation.
func (c *randomCase) options(a *settling.Arithmetic, simulator Simulator) Options {
	return Options{Simulator: simulator, Inference: c.samples(a, 1, c.Inference), Learning: c.samples(a, 2, c.Learning), Stall: c.Stall, Reset: c.Reset, Closing: true}
}

// run holds the case's design against the model in lock step and tells what is wrong, nil if nothing is. tamper may
// change the design's files before.
func (c *randomCase) run(ctx context.Context, simulator Simulator, tamper func(dir string) error) (*Report, error) {
	folder, err := os.MkdirTemp("", "corinfo-random-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	dir := filepath.Join(folder, "design")
	a, _, err := c.arithmetic()
	if err != nil {
		return nil, err
	}
	machine, err := c.machine(a)
	if err != nil {
		return nil, err
	}
	if _, err := hdlgen.Generate(a, machine, c.network.Hardware.Lanes, c.Target, dir); err != nil {
		return nil, err
	}
	if tamper != nil {
		if err := tamper(dir); err != nil {
			return nil, err
		}
	}
	d, err := hdlgen.OpenDesign(dir)
	if err != nil {
		return nil, err
	}
	report, err := Cosim(ctx, d, c.options(a, simulator))
	if err != nil {
		return nil, err
	}
	return report, c.judge(a, report)
}

// judge tells what is wrong with a report: a mismatch, or fewer words compared than the case has.
func (c *randomCase) judge(a *settling.Arithmetic, r *Report) error {
	if r.Mismatch != nil {
		return errMismatch{r.Mismatch}
	}
	n := c.network
	var least struct{ states, synapses, words int64 }
	for _, size := range n.Layers[1:] {
		least.states += int64(2 * size * (c.Inference + 2*c.Learning)) // u and r, once a phase at least
	}
	for _, x := range a.Matrices {
		least.words += int64(x.Rows * x.Cols)
		if x.Kind == settling.Lateral {
			least.synapses += int64(x.Rows * x.Cols * (c.Learning / n.Learning.Batch)) // the others only where factors are not zero
		}
	}
	if r.ComparedStates < least.states || r.ComparedSynapses < least.synapses || r.ComparedMemoryWords < least.words {
		return fmt.Errorf("compared %d states, %d synapses, %d memory words; there are at least %+v", r.ComparedStates, r.ComparedSynapses, r.ComparedMemoryWords, least)
	}
	return nil
}

// errMismatch is a mismatch as an error.
type errMismatch struct{ m *Mismatch }

func (e errMismatch) Error() string { return e.m.String() }
