package lockstep

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"corinfo/golden/machine"
	"corinfo/golden/network"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// randomCase is a network, whose file has lanes and formats too, and what is run on its design.
type randomCase struct {
	network *network.Network
	setup
}

// setup is what a network file does not say.
type setup struct {
	Units     int           `json:"units"`
	Target    hdlgen.Target `json:"target"`
	Wild      bool          `json:"wild"`      // synapses over the whole range of their formats: everything saturates
	Zeros     int           `json:"zeros"`     // percentage of inputs that are zero
	Inference int           `json:"inference"` // samples
	Learning  int           `json:"learning"`
	Mixed     bool          `json:"mixed"` // inferences between those to learn
	Ended     *ended        `json:"ended,omitempty"`
	Closing   bool          `json:"closing"`
	Stall     int           `json:"stall"` // seed of stalls on the handshakes; 0: none
	Reset     int           `json:"reset"` // Verilator's initial state
	Seed      uint64        `json:"seed"`  // of samples and wild synapses
}

// ended is a sample that a reset ends; a whole mini-batch comes after all.
type ended struct {
	At     int    `json:"at"`
	Tag    string `json:"tag"`
	Lines  int    `json:"lines"`
	Cycles int    `json:"cycles"`
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

// plan is the case's, or the refusal (golden.ErrUsage) of a network or design that there is not.
func (c *randomCase) plan() (*design.Plan, error) {
	n, err := network.Parse("case.yaml", c.network.YAML())
	if err != nil {
		return nil, err
	}
	return design.New(n, n.Hardware.Lanes, c.Units, c.Target)
}

// model has the synapses that a case starts from. Wild ones are functions of their place, as samples are: those that a
// smaller case keeps stay the same.
func (c *randomCase) model(p *design.Plan) (*training.FixedLearner, error) {
	l, _, err := training.StartMachine(p.Network, nil)
	if err != nil {
		return nil, err
	}
	l.Dense = p.Network.Hardware.Mode == "dense"
	if c.Wild {
		c.scatter(l.Machine)
	}
	return l, nil
}

// scatter gives a model wild synapses, and any words beside them.
func (c *randomCase) scatter(m *machine.Machine) {
	for at, p := range m.A.D.Projections {
		if p.Mirror >= 0 {
			continue
		}
		for row := range p.Rows {
			for column := range p.Cols {
				rng := rand.New(rand.NewPCG(c.Seed, uint64(at)<<32|uint64(row)<<16|uint64(column)))
				if !p.Symmetric || row >= column {
					m.SetSynapse(at, row, column, anyWord(rng, m.A.Types[p.Tensor].Format))
					if p.Symmetric {
						m.SetSynapse(at, column, row, m.Synapse(at, row, column))
					}
				}
				for k, word := range p.Words {
					m.SetBeside(at, k, row, column, anyWord(rng, m.A.Types[word.Tensor].Format))
				}
			}
		}
	}
}

// samples are those of a case.
func (c *randomCase) samples(p *design.Plan) (list []command) {
	n := p.Network
	draw := func(kind kind, stream uint64, count int) { // a smaller case keeps the first of a stream
		for i := range count {
			rng := rand.New(rand.NewPCG(c.Seed, stream<<60|uint64(i)))
			s := hdlgen.Sample{X: make([]int64, n.Layers[0]), Label: rng.IntN(n.Layers[n.K()]), Negative: n.Learning.RandomSign && toss(rng)}
			pixels := make([]uint8, n.Layers[0])
			for j := range pixels {
				if value := uint8(1 + rng.IntN(255)); rng.IntN(100) >= c.Zeros {
					pixels[j] = value
				}
			}
			p.QuantizeInput(pixels, s.X)
			list = append(list, command{Sample: s, kind: kind})
		}
	}
	draw(inference, 1, c.Inference)
	draw(learning, 2, c.Learning)
	if c.Mixed {
		rand.New(rand.NewPCG(c.Seed, 1)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	}
	if e := c.Ended; e != nil {
		list[min(e.At, len(list)-1)].reset = &reset{e.Tag[0], e.Lines, e.Cycles}
		behind := learning
		if !p.Learns() {
			behind = inference
		}
		draw(behind, 3, n.Learning.Batch)
	}
	return list
}

// moves tells whether signals change at least half as often as samples come.
func (c *randomCase) moves(p *design.Plan) (bool, error) {
	l, err := c.model(p)
	if err != nil {
		return false, err
	}
	samples := c.samples(p)
	for _, s := range samples {
		l.Run(s.X, machine.Command{Learn: s.kind.learns(), Label: s.Label, Negative: s.Negative}, nil)
	}
	counts := l.Counts()
	return p.Network.K() == 1 || counts.Events-counts.LayerEvents[0] >= int64(len(samples)/2), nil
}

// errMismatch is a mismatch as an error.
type errMismatch struct{ m *sim.Mismatch }

func (e errMismatch) Error() string { return e.m.String() }

// run holds the case's design against the model in lock step and tells what is wrong, nil if nothing is. tamper may
// change the design's files before.
func (c *randomCase) run(ctx context.Context, simulator sim.Simulator, tamper func(dir string) error) (*run, error) {
	folder, err := os.MkdirTemp("", "corinfo-random-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	dir := filepath.Join(folder, "design")
	p, err := c.plan()
	if err != nil {
		return nil, err
	}
	l, err := c.model(p)
	if err != nil {
		return nil, err
	}
	m, err := design.Generate(p, l, nil, nil, dir, hdlgen.RefuseEdited)
	if err != nil {
		return nil, err
	}
	if tamper != nil {
		if err := tamper(dir); err != nil {
			return nil, err
		}
	}
	program, err := sim.Compile(ctx, dir, m, sim.Recipe{Simulator: simulator, Properties: true}, nil)
	if err != nil {
		return nil, err
	}
	d := &design.Design{Dir: dir, Plan: p, Manifest: m, Learner: l}
	s := scriptOf(d, l, c.samples(p), c.Stall)
	if c.Closing {
		(&cosimulation{d: d}).close(s)
		s.readBack()
	}
	r, err := playScript(ctx, d, l, program, s, sim.Options{Simulator: simulator, Reset: c.Reset})
	if err == nil && r.mismatch != nil {
		err = errMismatch{r.mismatch}
	}
	return r, err
}
