package sim

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// closingCases are designs whose shapes differ in what the closing part meets.
var closingCases = []testCase{
	{layers: []int{7, 5, 4}, lanes: 2, batch: 1, rule: "constant", formats: "coarse", dense: true, three: true, early: true},
	{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 3, rule: "divide_by_slow_loop_index", formats: "uneven", contexts: 2, wires: 2, early: true},
	{layers: []int{5, 1, 2}, lanes: 1, batch: 2, rule: "constant", formats: "default", contexts: 3, wires: 1, sparse: true},
	{layers: []int{20, 13, 7}, lanes: 8, batch: 5, rule: "divide_by_loop_index", formats: "default", contexts: 4, sparse: true, shallow: true},
}

// The model follows the closing part on both simulators, whatever was before it.
func TestClosingPart(t *testing.T) {
	rng := testSeed(t)
	for i, c := range closingCases {
		simulator := []Simulator{Icarus, Verilator}[i%2]
		needTool(t, compilers[simulator])
		d := c.generate(t)
		o := c.options(d, simulator, rng)
		o.Closing = true
		report, err := Cosim(context.Background(), d, o)
		require.NoError(t, err)
		require.Nil(t, report.Mismatch, "%v on %s\n%v", c, simulator, report.Mismatch)
	}
}

// What samples alone do not show: each is a fault that the run without its closing part passes, or that it finds only with
// luck, and that the run as the command line has it finds.
func TestClosingPartFinds(t *testing.T) {
	needTool(t, "iverilog")
	one := testCase{layers: []int{7, 5, 4}, lanes: 3, batch: 2, rule: "constant", formats: "default", contexts: 2}
	for _, c := range []struct {
		name, file, old, new string
		step                 string // of the closing part; "" any
	}{
		{"a result is not held until it is taken", "corinfo_sequencer.v", "(state_q == StateResult && result_taken_i)", "(state_q == StateResult)", "ends of their range"},
		{"the result passes to the next context untaken", "corinfo_commands.v", "result_valid_o && result_ready_i;", "result_valid_o;", "ends of their range"},
		{"a word of the input is taken while it is not valid", "corinfo_input.v", "ready_o && valid_i;", "ready_o;", "ends of their range"},
		{"one sign of beta for a mini-batch", "corinfo_learn.v", "if (sample_start_q && sample_i == k[SampleW-1:0])", "if (sample_start_q && sample_i == {SampleW{1'b0}})", ""},
		{"the sign of the last sample", "corinfo_terms.v", "negative_i[sample_q]", "negative_i[Batch-1]", ""},
		{"the host writes to the next lane", "corinfo_host.v", "assign synapse_lane_o  = address_q[20 +: LaneW];", "assign synapse_lane_o  = address_q[20 +: LaneW] ^ {{(LaneW-1){1'b0}}, synapse_we_o};", "host writes"},
		{"the host writes to another address", "corinfo_control.v", "synapse_waddr_o = host_we_o ? host_addr : update_waddr", "synapse_waddr_o = update_waddr", "host writes"},
		{"a synapse's highest bit is not written", "corinfo_host.v", "assign synapse_data_o  = data_q[SynapseWidth-1:0];", "assign synapse_data_o  = {data_q[SynapseWidth-2], data_q[SynapseWidth-2:0]};", "host writes"},
		{"a rate's lowest bit is not written", "corinfo_host.v", ".wdata_i(data_q[RateWidth-1:0]),", ".wdata_i({data_q[RateWidth-1:1], 1'b0}),", "host writes"},
		{"the seed is not written", "corinfo_host.v", "seed_q <= data_q[31:0];", "seed_q <= seed_q;", "host writes"},
		{"the seed that is written is not the one that is used", "corinfo_host.v", "assign seed_o          = seed_q;", "assign seed_o          = Seed;", "signs of beta"},
		{"the update's number is not reset", "corinfo_host.v", "update_q   <= 32'd0;", "update_q   <= update_q === 32'bx ? 32'd0 : update_q;", "settle"},
		{"the event queue is not reset", "corinfo_event_queue.v", "pending_q <= 1'b0;\n    end else if (row_take)", "pending_q <= pending_q === 1'b1;\n    end else if (row_take)", ""},
		{"the samples held are not reset", "corinfo_commands.v", "samples_o <= {SampleW{1'b0}};\n      loading", "samples_o <= samples_o === {SampleW{1'bx}} ? {SampleW{1'b0}} : samples_o;\n      loading", "nudged"},
		{"the turn of the contexts is not reset", "corinfo_commands.v", "turn_o    <= {ContextW{1'b0}};", "turn_o    <= turn_o === {ContextW{1'bx}} ? {ContextW{1'b0}} : turn_o;", ""},
		{"the cycles in which a result waits are not counted", "corinfo_control.v", ".waiting_i     (starved || (result_valid_o && !result_ready_i)),", ".waiting_i     (starved),", "ends of their range"},
		{"a counter starts at one", "corinfo_counters.v", "total_q <= 48'd0;", "total_q <= total_q === 48'bx ? 48'd0 : 48'd1;", ""},
		{"settling cycles miss the input", "corinfo_control.v", ".settling_i    ((loads != {Contexts{1'b0}} && !starved) || settles", ".settling_i    (settles", "signs of beta"},
		{"an update's cycles miss its writes", "corinfo_control.v", ".updating_i    (update),", ".updating_i    (update && !synapse_we_o),", "signs of beta"},
		{"the largest input loses its highest bit", "corinfo_input.v", "      word_q       <= data_i;", "      word_q       <= &data_i ? {1'b0, data_i[XWidth-2:0]} : data_i;", "ends of their range"},
		{"a state's overflow is not counted", "corinfo_control.v", ".soma_flags_i  (soma_flags_i),", ".soma_flags_i  (soma_flags_i & {Lanes{5'b11110}}),", "ends of their range"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := one.generate(t)
			o := Options{Simulator: Icarus, Inference: randomSamples(d, 2, rand.New(rand.NewPCG(1, 2))), Closing: true}
			replaceIn(t, d, c.file, c.old, c.new)
			report, err := Cosim(context.Background(), d, o)
			require.NoError(t, err)
			m := report.Mismatch
			require.NotNil(t, m)
			t.Log(m)
			require.Contains(t, m.Step, c.step)
			require.Equal(t, m.Step != "", strings.Contains(m.String(), "closing part"))
		})
	}
}

// What was not exercised is told, and only that.
func TestNotExercised(t *testing.T) {
	needTool(t, "iverilog")
	d := testCase{layers: []int{7, 5, 4}, lanes: 2, batch: 2, rule: "constant", formats: "default", early: true}.generate(t)
	rng := rand.New(rand.NewPCG(1, 2))
	gaps := func(o Options) map[string][]string {
		o.Simulator = Icarus
		report, err := Cosim(context.Background(), d, o)
		require.NoError(t, err)
		require.Nil(t, report.Mismatch, "%v", report.Mismatch)
		all := map[string][]string{}
		for _, g := range report.NotExercised {
			all[g.What] = g.Of
		}
		return all
	}
	black := Sample{X: make([]int64, 7)}
	got := gaps(Options{Inference: []Sample{black}})
	require.Equal(t, []string{"W0", "W1", "F1", "C1", "C2"}, got[updated])
	require.Equal(t, []string{signPlus, signMinus, signsMixed}, got[hadSign])
	require.Equal(t, []string{"nudged"}, got[endedEarly])
	require.Equal(t, []string{"free", "nudged"}, got[ranThrough])
	require.Equal(t, []string{"1", "2", "3"}, got[gaveClass])
	require.Contains(t, got[overflowed], "current1")

	learning := randomSamples(d, 2, rng)
	learning[0].Negative, learning[1].Negative = false, false
	got = gaps(Options{Learning: learning})
	require.NotContains(t, got, updated)
	require.Equal(t, []string{signMinus, signsMixed}, got[hadSign])

	got = gaps(Options{Inference: []Sample{black}, Closing: true})
	require.NotContains(t, got, updated)
	require.NotContains(t, got, hadSign)
	require.NotContains(t, got[overflowed], "current1")
}
