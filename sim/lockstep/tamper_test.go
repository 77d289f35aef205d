package lockstep

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// small is the design that tampering tests change: its Icarus model is ready in no time.
func small(t *testing.T) *design.Design {
	t.Helper()
	c := closingCase{rule: "corinfomax", layers: []int{6, 5, 4}, batch: 1, lanes: 3, units: 1, contexts: 1}
	return c.generate(t, rand.New(rand.NewPCG(1, 2)))
}

// cosimSmall runs a (changed) design on Icarus.
func cosimSmall(t *testing.T, d *design.Design) *sim.Report {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	o := sim.Options{Simulator: sim.Icarus, Inference: samplesOf(d, 1, rng), Learning: samplesOf(d, 2, rng)}
	for i := range o.Learning {
		o.Learning[i].Negative = i == 1
	}
	report, err := Cosim(t.Context(), d, o)
	require.NoError(t, err)
	return report
}

// flipBit changes the lowest bit of a digit of one word of a memory image; digit 0 is the lowest.
func flipBit(t *testing.T, dir, image string, line, place int) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(image))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	word := lines[line]
	at := len(word) - 1 - place
	digit := strings.IndexByte("0123456789abcdef", word[at])
	lines[line] = word[:at] + string("0123456789abcdef"[digit^1]) + word[at+1:]
	require.NotEqual(t, word, lines[line])
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644))
}

// A flipped bit in a memory image is refused when a design is opened; of one that is open, the lock step finds it.
func TestFlippedImages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		image       string
		line, digit int
		check       func(t *testing.T, m *sim.Mismatch)
	}{
		{"lane_0001", 0, 0, func(t *testing.T, m *sim.Mismatch) { // W0, row 1, column 0: its first effect is on the state of neuron 1
			require.Equal(t, []any{"u1", 1, 1, "free"}, []any{m.Tensor, m.Layer, m.Neuron, m.Phase})
		}},
		{"constants", 0, 3, func(t *testing.T, m *sim.Mismatch) { // of layer 1, while a sample is classified
			require.Equal(t, []any{1, "free", false}, []any{m.Layer, m.Phase, m.Learning})
		}},
		{"program", 3, 0, func(t *testing.T, m *sim.Mismatch) { require.NotEmpty(t, m.Tensor) }}, // the opcode of a step
		{"rates", 0, 0, func(t *testing.T, m *sim.Mismatch) { require.Contains(t, m.Tensor, "W0") }},
	} {
		d := small(t)
		image := "images/tester_" + c.image + ".hex"
		flipBit(t, d.Dir, image, c.line, c.digit)
		_, err := design.Open(d.Dir)
		require.ErrorIs(t, err, golden.ErrDamaged)
		require.ErrorContains(t, err, c.image)
		report := cosimSmall(t, d)
		require.NotNil(t, report.Mismatch, c.image)
		t.Log(report.Mismatch)
		c.check(t, report.Mismatch)
		checkWave(t, report.Mismatch)
	}
}

// A synapse that settling has no use for yet is found at the end, with its place in the memory.
func TestFlippedSynapseNamesItsPlace(t *testing.T) {
	t.Parallel()
	d := small(t)
	lane, address := d.Plan.Address(0, 4, 3)
	require.Equal(t, 1, lane)
	flipBit(t, d.Dir, "images/tester_lane_0001.hex", address, 0)
	zero := hdlgen.Sample{X: make([]int64, 6)}
	report, err := Cosim(t.Context(), d, sim.Options{Simulator: sim.Icarus, Inference: []hdlgen.Sample{zero}})
	require.NoError(t, err)
	m := report.Mismatch
	require.NotNil(t, m)
	require.Equal(t, []any{"W0", 4, 3, lane, address}, []any{m.Tensor, m.Row, m.Column, m.Lane, m.Address})
}

// checkWave holds that a mismatch left a waveform.
func checkWave(t *testing.T, m *sim.Mismatch) {
	t.Helper()
	text, err := os.ReadFile(m.Wave)
	require.NoError(t, err, m.Detail)
	require.Greater(t, len(text), 1000)
	if strings.HasSuffix(m.Wave, ".vcd") {
		require.Contains(t, string(text), "$enddefinitions")
		require.Contains(t, string(text), "\n#"+strconv.FormatInt(40+10*m.Cycle, 10)) // four cycles of reset, 10 time units each
	}
}

// One operator, sign, place or flag changed in the Verilog makes the lock step fail and name the place.
func TestTamperedVerilog(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, old, new, tensor string }{
		{"sign of beta", "corinfo_context.v", "((sign_q == 2'd1) != negative_q)", "((sign_q == 2'd1) == negative_q)", "u2"},
		{"role of a term", "corinfo_terms.v", "back_negate ? -value : value", "value", "W0"},
		{"where a synapse is", "corinfo_events.v", "known_neuron_q * entry_q[StrideLow +: StrideBits]", "known_neuron_q", "u1"},
		{"number of a mini-batch", "corinfo_host.v", "number_q <= number_q + 32'd1", "number_q <= number_q", "W0"},
		{"an output is unknown", "corinfo_answer.v", "class_o <= score_index_o;", "class_o <= {LabelW{1'bx}};", "outputs"},
		{"a class", "corinfo_answer.v", "class_o <= score_index_o;", "class_o <= ~score_index_o;", "class"},
		{"a score", "corinfo_answer.v", "score_data_o  <= score;", "score_data_o  <= ~score;", "score"},
		{"the design stops", "corinfo_control.v", ".quiet_i           (quiet[c])", ".quiet_i           (quiet[c] && !load_learn)", "time"},
	} {
		d := small(t)
		goldentest.ReplaceIn(t, verilogPath(d.Dir, c.file), c.old, c.new)
		report := cosimSmall(t, d)
		m := report.Mismatch
		require.NotNil(t, m, c.name)
		t.Log(c.name, m)
		require.Contains(t, m.Tensor, c.tensor, c.name)
		require.True(t, m.Detail != "" || m.Expected != m.Got, c.name)
		checkWave(t, m)
	}
}

// What samples alone do not show: each is a fault that the run without its closing part passes, or that it finds only with
// luck, and that the run as the command line has it finds.
func TestClosingPartFinds(t *testing.T) {
	t.Parallel()
	one := closingCase{rule: "ep", layers: []int{5, 4, 3}, batch: 2, lanes: 2, units: 1, contexts: 2}
	for _, c := range []struct {
		name, file, old, new string
		step                 string // of the closing part; "" any
	}{
		{"the result passes to the next context untaken", "corinfo_commands.v", "result_valid_o && result_ready_i;", "result_valid_o;", "ends of their range"},
		{"a word of the input is taken while it is not valid", "corinfo_input.v", "ready_o && valid_i;", "ready_o;", "ends of their range"},
		{"one sign of beta for a mini-batch", "corinfo_context.v", "negative_q <= command_negative_i;", "negative_q <= 1'b0;", ""},
		{"the host writes to the next lane", "corinfo_host.v", "assign synapse_lane_o   = address_q[18 +: LaneW];", "assign synapse_lane_o   = address_q[18 +: LaneW] ^ {{(LaneW-1){1'b0}}, synapse_we_o};", "host writes"},
		{"the host writes to another address", "corinfo_join.v", "synapse_waddr_o <= host_i ? host_addr_i : update_waddr_i;", "synapse_waddr_o <= update_waddr_i;", "host writes"},
		{"a synapse's highest bit is not written", "corinfo_host.v", "= data_q[SynapseWidth-1:0];", "= {data_q[SynapseWidth-2], data_q[SynapseWidth-2:0]};", "host writes"},
		{"the seed is not written", "corinfo_host.v", "seed_q <= data_q[31:0];", "seed_q <= seed_q;", "host writes"},
		{"a seed that is not the one that is read", "corinfo_host.v", "= seed_q;", "= Seed;", ""},
		{"the number of the mini-batch is not reset", "corinfo_host.v", "number_q   <= 32'd0;", "number_q   <= number_q === 32'bx ? 32'd0 : number_q;", "settle"},
		{"the samples held are not reset", "corinfo_commands.v", "samples_o <= {SampleW{1'b0}};\n      loading", "samples_o <= samples_o === {SampleW{1'bx}} ? {SampleW{1'b0}} : samples_o;\n      loading", "nudged"},
		{"the largest input loses its highest bit", "corinfo_input.v", "      word_q         <= data_i;", "      word_q         <= &data_i ? {1'b0, data_i[XWidth-2:0]} : data_i;", "ends of their range"},
	} {
		d := one.generate(t, rand.New(rand.NewPCG(3, 4)))
		o := sim.Options{Simulator: sim.Icarus, Inference: samplesOf(d, 2, rand.New(rand.NewPCG(1, 2))), Closing: true}
		goldentest.ReplaceIn(t, verilogPath(d.Dir, c.file), c.old, c.new)
		report, err := Cosim(t.Context(), d, o)
		require.NoError(t, err)
		m := report.Mismatch
		require.NotNil(t, m, c.name)
		t.Log(c.name, m)
		require.Contains(t, m.Step, c.step, "%s: %v", c.name, m)
		require.Equal(t, m.Step != "", strings.Contains(m.String(), "closing part"))
	}
}

// What was not exercised is told, and only that.
func TestNotExercised(t *testing.T) {
	t.Parallel()
	c := closingCase{rule: "corinfomax", layers: []int{5, 4, 3}, batch: 2, lanes: 2, units: 1, contexts: 1}
	rng := rand.New(rand.NewPCG(1, 2))
	d := c.generate(t, rng)
	gaps := func(o sim.Options) map[string][]string {
		o.Simulator = sim.Icarus
		report, err := Cosim(t.Context(), d, o)
		require.NoError(t, err)
		require.Nil(t, report.Mismatch, "%v", report.Mismatch)
		all := map[string][]string{}
		for _, g := range report.NotExercised {
			all[g.What] = g.Of
		}
		return all
	}
	black := hdlgen.Sample{X: make([]int64, 5)}
	got := gaps(sim.Options{Inference: []hdlgen.Sample{black}})
	require.Equal(t, []string{"W0", "W1", "F1", "C1", "C2"}, got[updated])
	require.Equal(t, []string{signPlus, signMinus, signsMixed}, got[hadSign])
	require.Equal(t, []string{"nudged"}, got[endedEarly])
	require.Equal(t, []string{"free", "nudged"}, got[ranThrough])
	require.Equal(t, []string{"1", "2"}, got[gaveClass])
	require.Contains(t, got[overflowed], "current1")

	learns := samplesOf(d, 2, rng)
	learns[0].Negative, learns[1].Negative = false, false
	got = gaps(sim.Options{Learning: learns})
	require.NotContains(t, got, updated)
	require.Equal(t, []string{signMinus, signsMixed}, got[hadSign])

	got = gaps(sim.Options{Inference: []hdlgen.Sample{black}, Closing: true})
	require.NotContains(t, got, updated)
	require.NotContains(t, got, hadSign)
	require.NotContains(t, got[overflowed], "current1")
}

// A label that no output neuron has pulls nothing up, neither a neuron nor the padding of the last slot.
func TestLabelOutOfRange(t *testing.T) {
	t.Parallel()
	c := closingCase{rule: "corinfomax", layers: []int{4, 3, 5}, batch: 1, lanes: 3, units: 1, contexts: 1}
	rng := rand.New(rand.NewPCG(1, 2))
	d := c.generate(t, rng)
	right := sim.Options{Simulator: sim.Icarus, Learning: samplesOf(d, 4, rng)}
	for i, label := range []int{5, 6, 7, 5} { // lane 2 of slot 1 is padding, slot 2 is none
		right.Learning[i].Label = label
	}
	report, err := Cosim(t.Context(), d, right)
	require.NoError(t, err)
	require.Nil(t, report.Mismatch, "%v", report.Mismatch)
}

// No design uses a word that a memory gives while it is being written.
func TestMemoriesNeedNoBypass(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range closingCases[:4] {
		d := c.generate(t, rng)
		goldentest.ReplaceIn(t, verilogPath(d.Dir, "corinfo_ram.v"), "read_q <= mem[raddr_i];", "read_q <= (we_i && waddr_i == raddr_i) ? {Width{1'bx}} : mem[raddr_i];")
		report, err := Cosim(t.Context(), d, sim.Options{Simulator: sim.Icarus, Inference: samplesOf(d, 1, rng), Learning: samplesOf(d, c.batch, rng)})
		require.NoError(t, err)
		require.Nil(t, report.Mismatch, "%s: %v", c.rule, report.Mismatch)
	}
}
