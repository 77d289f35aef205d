package hdlgen

import (
	"bytes"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen/settling"
	vl "corinfo/hdlgen/verilog"
	"corinfo/rtl"
)

// interneuronBench applies a line of in.hex per cycle. It prints what a pass sees a cycle after it was given layer and context, and
// every step that is done, with the cycle.
const interneuronBench = `
module bench;
  localparam Cycles = %[1]d;
  reg clk = 1'b0;
  always #1 clk = !clk;
  reg  [%[2]d:0] in [0:Cycles-1];
  reg  rst = 1'b1;
  reg  clear = 0, clear_context = 0, start = 0, pass_context = 0, slot_valid = 0, slot_last = 0, slot_context = 0, slot_restart = 0;
  reg  [7:0] pass_layer = 0, slot_layer = 0;
  reg  [%[3]d:0] states = 0;
  wire [%[4]d:0] pass_q, q;
  wire [%[5]d:0] qu;
  wire [1:0] busy;
  wire done, done_context, moved;
  wire [7:0] done_layer;
  wire [2:0] flags;
  %[6]s_interneurons u_dut (
    .clk_i(clk), .rst_i(rst), .clear_i(clear), .clear_context_i(clear_context), .start_i(start), .pass_context_i(pass_context),
    .pass_layer_i(pass_layer), .pass_q_o(pass_q), .busy_o(busy), .slot_valid_i(slot_valid), .slot_last_i(slot_last),
    .slot_context_i(slot_context), .slot_layer_i(slot_layer), .slot_restart_i(slot_restart), .states_i(states), .done_o(done),
    .done_context_o(done_context), .done_layer_o(done_layer), .moved_o(moved), .flags_o(flags), .qu_o(qu), .q_o(q)
  );
  integer i;
  reg started = 0;
  initial begin
    $readmemh("in.hex", in);
    repeat (20) @(negedge clk);
    rst = 1'b0;
    for (i = 0; i < Cycles; i = i + 1) begin
      {clear, clear_context, start, pass_context, pass_layer, slot_valid, slot_last, slot_context, slot_restart, slot_layer, states} = in[i];
      #0.5;
      if (started) $display("%%0d pass %%h", i, pass_q);
      started = start;
      if (done) $display("%%0d done %%0d %%0d moved %%b flags %%b qu %%h q %%h", i, done_context, done_layer, moved, flags, qu, q);
      if (busy != 0) $display("%%0d busy %%b", i, busy);
      @(negedge clk);
    end
    $finish;
  end
endmodule
`

// An interneuronStep is what must come of a step of a layer; one that is not sparse has no overflow.
type interneuronStep struct {
	layer    int
	restart  bool
	r        []int64
	before   int64 // q
	qu, q    int64
	moved    bool
	overflow []bool
}

// interneuronSteps are the steps of a learning sample's layers in order. The words of the bit-true model are those that the graphs give.
func interneuronSteps(t *testing.T, a *settling.Arithmetic, trace *settling.Trace, ofModel bool) (steps []interneuronStep) {
	qu, q := make([]int64, len(a.Network.Layers)), make([]int64, len(a.Network.Layers))
	for _, r := range trace.Records {
		k := r.Layer
		s := interneuronStep{layer: k, restart: r.Iteration == 0, r: r.R, before: q[k]}
		if g := a.Interneuron[k]; g != nil {
			types := a.Formats.Layer[k].Interneuron
			if s.restart {
				qu[k] = q[k] << (types.QU.Frac - types.Q.Frac)
			}
			sum := int64(0)
			for _, word := range r.R {
				sum += word
			}
			var out []int64
			out, s.overflow = g.Eval([]int64{sum, qu[k], q[k], a.Nu[k]})
			s.qu, s.q = out[0], out[1]
			s.moved = s.qu != qu[k] || s.q != q[k] || s.overflow[1]
			if ofModel {
				require.Equal(t, [2]int64{r.QU, r.Q}, [2]int64{s.qu, s.q}, "%+v", r)
			}
		}
		qu[k], q[k] = s.qu, s.q
		steps = append(steps, s)
	}
	return steps
}

// sparseNetwork is a random network with sparse layers, of formats in which much overflows.
func sparseNetwork(rng *rand.Rand) *network.Network {
	n := &network.Network{Name: "inhibited", Rule: "corinfomax", Layers: []int{1 + rng.IntN(5)},
		Own:      &rule.CorInfoMax{Epsilon: 0.15, Lambda: 0.99, Leak: 0.5, Lateral: true},
		Settling: rule.Settling{FreeIterations: 2 + rng.IntN(6), NudgedIterations: 1 + rng.IntN(4), Step: rule.StepSize{Rule: "constant", Start: 0.1}},
		Learning: rule.Learning{Batch: 2, Beta: 1, Contrast: []string{rule.WithFree, rule.WithThird}[rng.IntN(2)], Decay: rule.Decay{Factor: 1}, Epochs: 1},
		Formats:  map[string]fx.Type{}, Hardware: network.Hardware{Lanes: 1, Contexts: 2, Learning: true, Mode: "events"}}
	K := 1 + rng.IntN(3)
	for k := range K {
		n.Layers = append(n.Layers, 1+rng.IntN(12))
		n.Learning.Feedforward = append(n.Learning.Feedforward, 0.5)
		if k > 0 {
			n.Learning.Feedback = append(n.Learning.Feedback, 0.1)
		}
	}
	own := goldentest.CorInfoMax(n)
	for k := 1; k <= K; k++ {
		if k == K && own.Sparse.Layers == nil || rng.IntN(3) > 0 {
			own.Sparse.Layers, own.Sparse.Nu = append(own.Sparse.Layers, k), append(own.Sparse.Nu, []float64{1, 0.3, 0.05, 0.002}[rng.IntN(4)])
		}
		if rng.IntN(3) == 0 {
			continue // defaults
		}
		mode := func(f fx.Format) fx.Type {
			return fx.Type{Format: f, Rounding: fx.Rounding(rng.IntN(7)), Overflow: fx.Overflow(rng.IntN(4))}
		}
		name := func(kind string) string { return fmt.Sprint(kind, k) }
		n.Formats[name("r")] = mode([]fx.Format{fx.U(8, 6), fx.S(9, 6), fx.S(12, 9), fx.U(12, 9)}[rng.IntN(4)])
		n.Formats[name("u")] = mode(fx.S(18, 10))
		n.Formats[name("excess")] = mode([]fx.Format{fx.S(5+rng.IntN(6), 3), fx.S(16, 8)}[rng.IntN(2)])
		n.Formats[name("q")] = mode([]fx.Format{fx.U(9, 6), fx.S(8, 6)}[rng.IntN(2)])
		places := 6 + rng.IntN(3)
		n.Formats[name("qu")] = mode(fx.S(places+4+rng.IntN(5), places))
	}
	return n
}

// TestInterneurons drives the interneurons of random networks with the states of two samples in flight, in any order that the handshake
// allows, and holds every step's words, flags and cycle against the bit-true model, or, for random states, its graphs.
func TestInterneurons(t *testing.T) {
	needTool(t, "iverilog")
	needTool(t, "verilator")
	rng := testSeed(t)
	networks := 24
	if testing.Short() {
		networks = 6
	}
	active, overflows, still, held := 0, 0, 0, 0
	for i := range networks {
		n := sparseNetwork(rng)
		a, err := settling.New(n)
		require.NoError(t, err, "%+v", *n)
		lanes := 1 + rng.IntN(2*slices.Max(n.Layers[1:]))
		target := Target{ReadCycles: 1, FactorCycles: i % 2, RoundBits: rng.IntN(30)}
		l := NewLayout(a, lanes)
		s, err := newShape(a, l)
		require.NoError(t, err)
		p, err := printInterneurons(n.Name, a, target, nil)
		require.NoError(t, err)

		m := settling.NewMachine(a)
		for tensor, x := range a.Matrices {
			for row := range x.Rows {
				for col := range x.Cols {
					m.SetSynapse(tensor, row, col, rng.Int64N(1<<15)-1<<14)
				}
			}
		}
		d := &interneuronDriver{rng: rng, a: a, l: l, s: s, p: p}
		for sample := range 6 {
			x := make([]int64, n.Layers[0])
			for j := range x {
				x[j] = rng.Int64N(257)
			}
			var trace settling.Trace
			m.Run(x, settling.Command{Learn: true, Label: rng.IntN(n.Layers[n.K()])}, &trace)
			if sample == 4 { // a long phase
				for range 30 {
					for k := 1; k <= n.K(); k++ {
						trace.Records = append(trace.Records, settling.Record{Iteration: 1, Layer: k, R: make([]int64, n.Layers[k])})
					}
				}
			}
			if sample > 3 { // states that no network would have
				for _, r := range trace.Records {
					for i := range r.R {
						f := a.Formats.Layer[r.Layer].R.Format
						switch {
						case sample == 4: // q_u comes to its limit and stays there
							r.R[i] = f.Word(f.Max())
						case rng.IntN(3) == 0:
							r.R[i] = randomWord(rng, f)
						default:
							r.R[i] = 0
						}
					}
				}
			}
			steps := interneuronSteps(t, a, &trace, sample <= 3)
			before := map[int]interneuronStep{}
			for _, step := range steps {
				if step.overflow == nil {
					continue
				}
				if step.q != 0 {
					active++
				}
				if slices.Contains(step.overflow, true) {
					overflows++
				}
				if !step.moved {
					still++
				} else if step.qu == before[step.layer].qu && step.q == before[step.layer].q {
					held++
				}
				before[step.layer] = step
			}
			d.samples[sample%2] = append(d.samples[sample%2], steps)
		}
		d.run()

		dir := t.TempDir()
		write := func(name, text string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
		}
		files := []string{"corinfo_ram.v", "corinfo_delay.v", "corinfo_valid.v", "corinfo_interneuron.v"}
		for _, name := range files {
			text, err := rtl.Files.ReadFile(name)
			require.NoError(t, err)
			write(name, string(text))
		}
		modules := []*vl.Module{interneuronModule(n.Name, a, lanes, s, p, nil)}
		for _, u := range p.units {
			modules = append(modules, u.module)
		}
		for _, module := range modules {
			var text bytes.Buffer
			require.NoError(t, vl.Fprint(&text, module))
			write(module.Name+".v", text.String())
			files = append(files, module.Name+".v")
		}
		write("in.hex", d.lines.String())
		write("bench.v", fmt.Sprintf(interneuronBench, d.cycle, 23+lanes*s.R, lanes*s.R-1, p.q-1, p.qu-1, n.Name))
		if i%4 == 0 {
			run(t, dir, "verilator", append([]string{"--lint-only", "-Wall", "--top-module", n.Name + "_interneurons"}, files...)...)
		}
		require.Empty(t, run(t, dir, "iverilog", append([]string{"-g2005", "-Wall", "-Wno-timescale", "-o", "bench", "bench.v"}, files...)...))
		got := strings.Split(strings.TrimSpace(run(t, dir, "vvp", "-n", "bench")), "\n")
		require.Equal(t, d.want, got, "network %d, %d lanes, %+v", i, lanes, *n)
	}
	t.Logf("%d steps left an interneuron active, %d overflowed, %d changed nothing, %d were held by an overflow of q_u", active, overflows, still, held)
	require.NotZero(t, active)
	require.NotZero(t, overflows)
	require.NotZero(t, still)
	require.NotZero(t, held)
}

// interneuronDriver makes the stimulus of two contexts, cycle by cycle, and what must come of it.
type interneuronDriver struct {
	rng     *rand.Rand
	a       *settling.Arithmetic
	l       *Layout
	s       *shape
	p       *interneurons
	samples [2][][]interneuronStep
	lines   strings.Builder
	cycle   int
	want    []string
	due     []interneuronDone
}

// interneuronDone is a step that began in cycle from and is done in cycle at, -1 while its slots are still coming.
type interneuronDone struct {
	context, from, at int
	step              interneuronStep
}

// command is a cycle's input.
type interneuronCommand struct {
	clear, start, valid, last, restart bool
	context, layer                     int
	states                             []int64
}

func (d *interneuronDriver) tick(c interneuronCommand) {
	line := new(big.Int)
	bit := func(b bool) {
		word := int64(0)
		if b {
			word = 1
		}
		appendBits(line, 1, word)
	}
	bit(c.clear)
	appendBits(line, 1, int64(c.context))
	bit(c.start)
	appendBits(line, 1, int64(c.context))
	appendBits(line, 8, int64(c.layer))
	bit(c.valid)
	bit(c.last)
	appendBits(line, 1, int64(c.context))
	bit(c.restart)
	appendBits(line, 8, int64(c.layer))
	for lane := d.l.Lanes - 1; lane >= 0; lane-- {
		word := d.rng.Int64() // whatever stands there when no slot does
		if c.valid {
			word = 0
			if lane < len(c.states) {
				word = c.states[lane]
			}
		}
		appendBits(line, d.s.R, word)
	}
	fmt.Fprintf(&d.lines, "%x\n", line)

	word := func(width int, v int64) string {
		x := new(big.Int)
		appendBits(x, width, v)
		return fmt.Sprintf("%0*x", (width+3)/4, x)
	}
	busy := [2]string{"0", "0"}
	for _, x := range d.due {
		if x.from < d.cycle && (x.at < 0 || d.cycle <= x.at) {
			busy[x.context] = "1"
		}
		if x.at == d.cycle {
			flags := ""
			for _, o := range x.step.overflow {
				flags = fmt.Sprint(count(o)) + flags
			}
			d.want = append(d.want, fmt.Sprintf("%d done %d %d moved %d flags %s qu %s q %s", d.cycle, x.context, x.step.layer, count(x.step.moved), flags,
				word(d.p.qu, x.step.qu), word(d.p.q, x.step.q)))
		}
	}
	if busy != [2]string{"0", "0"} {
		d.want = append(d.want, fmt.Sprintf("%d busy %s%s", d.cycle, busy[1], busy[0]))
	}
	d.cycle++
}

// run interleaves the samples of both contexts: passes of any order, each with pauses between its slots.
func (d *interneuronDriver) run() {
	var at [2]int
	free := map[[2]int]int{} // by context and layer: first cycle in which a pass may start
	for len(d.samples[0])+len(d.samples[1]) > 0 {
		context := d.rng.IntN(2)
		if len(d.samples[context]) == 0 {
			context = 1 - context
		}
		steps := d.samples[context][0]
		if at[context] == 0 {
			for slices.ContainsFunc(d.due, func(x interneuronDone) bool { return x.context == context && x.at >= d.cycle }) {
				d.tick(interneuronCommand{context: context})
			}
			d.tick(interneuronCommand{clear: true, context: context})
		}
		step := steps[at[context]]
		if at[context]++; at[context] == len(steps) {
			at[context] = 0
			d.samples[context] = d.samples[context][1:]
		}
		c := interneuronCommand{context: context, layer: step.layer}
		for d.cycle < free[[2]int{context, step.layer}] || d.rng.IntN(3) == 0 {
			d.tick(c)
		}
		sparse := d.a.Interneuron[step.layer] != nil
		c.start = true
		started := d.cycle
		if sparse {
			d.due = append(d.due, interneuronDone{context, started, -1, step})
		}
		d.tick(c)
		x := new(big.Int)
		appendBits(x, d.p.q, step.before)
		d.want = append(d.want, fmt.Sprintf("%d pass %0*x", d.cycle, (d.p.q+3)/4, x))
		c.start = false
		d.tick(c)
		for slot := range d.l.SlotCount[step.layer] {
			for d.rng.IntN(4) == 0 {
				d.tick(c)
			}
			c.valid, c.restart, c.last = true, step.restart, slot == d.l.SlotCount[step.layer]-1
			c.states = step.r[slot*d.l.Lanes:]
			if c.last && sparse {
				ready := d.cycle + d.p.stepCycles(d.l.Lanes)
				free[[2]int{context, step.layer}] = ready
				d.due[len(d.due)-1].at = ready - 1
			}
			d.tick(c)
			c.valid, c.last, c.restart, c.states = false, false, false, nil
		}
	}
	for range d.p.stepCycles(d.l.Lanes) + 2 {
		d.tick(interneuronCommand{})
	}
}

func count(set bool) int {
	if set {
		return 1
	}
	return 0
}
