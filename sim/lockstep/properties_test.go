package lockstep

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/sim"
)

// violations are changes of a design that violate a property of the library, and its message: one of every module that has properties, but for
// corinfo_choice, which has no clock, and the cells of functions, which hdlgen's TestFunctionMutants has.
var violations = []struct{ file, old, new, message string }{
	{"corinfo_fifo.v", "valid_q <= words_q != OneWord;", "valid_q <= 1'b1;", "corinfo_fifo: valid_o is not that there is a word"},
	{"corinfo_queue.v", "mem[{put_context_i, tail}] <= data_i;", "mem[{put_context_i, tail}] <= ~data_i;",
		"corinfo_queue: the head is not the event that was put"},
	{"corinfo_synapses.v", ".waddr_i(synapse_waddr_i),", ".waddr_i(~synapse_waddr_i),", "corinfo_ram: a word is written that it has not"},
	{"tester_unit.v", "write_addr_q <= {context_i, ", "write_addr_q <= {~context_i, ", "corinfo_words: a word is written that it has not"},
	{"corinfo_steps.v", ".host_we_i(host_we_i[0]),", ".host_we_i(start_i && !rst_i),", "corinfo_table: a row is written that is not addressed"},
	{"corinfo_host.v", ".Width(Tables), .Zero(1)", ".Width(Tables)", "corinfo_table: a row is written before the first reset"},
	{"corinfo_valid.v", "rest_q <= !rst_i && |line[Cycles-1:0];", "rest_q <= !rst_i && line[0];",
		"corinfo_valid: busy_o is not that any is under way"},
	{"corinfo_delay.v", "data_o = words[Width*Cycles +: Width];", "data_o = words[Width*(Cycles-1) +: Width];",
		"corinfo_delay: the word is not that of Cycles before"},
	{"corinfo_ring.v", "data_q    <= mem[at_q];", "data_q    <= data_i;", "corinfo_ring: the word is not that of Cycles before"},
	{"corinfo_reset.v", "held_q    <= rst_i || (line_q << 1) != {Cycles{1'b0}};", "held_q    <= rst_i;", "corinfo_reset: the reset is not held for Cycles"},
	{"corinfo_walk.v", "left_q  <= slot_count_i;", "left_q  <= OneLeft;",
		"corinfo_walk: a walk does not take slots x (kinds + lanes) cycles"},
	{"corinfo_commands.v", "idle_i[next_q] && !loading_q", "idle_i[next_q]", "corinfo_commands: a command is taken too early"},
	{"corinfo_context.v", "op == OpUpdate;", "(op == OpUpdate || op == OpLoad);", "corinfo_context: several units are wanted at once"},
	{"corinfo_control.v", ".start_i        (grant_update != {Contexts{1'b0}}),", ".start_i        (start),", "corinfo_control: a step in an update"},
	{"corinfo_grant.v", "(!steps_busy_i || steps_done_i) && ", "", "corinfo_grant: the steps are granted while they are busy"},
	{"corinfo_grant.v", "Groups != 0 && held_i", "0 && held_i", "corinfo_grant: a sample's step between those of another one's group"},
	{"corinfo_load.v", "one_q && event_take_i :", "input_valid && event_take_i :", "corinfo_load: a sample ends that is still loaded"},
	{"corinfo_join.v", "steps_hold_i && steps_kind_i == Index[KindW-1:0]", "steps_hold_i", "corinfo_join: several sums are held at once"},
	{"corinfo_host.v", "counter_read_o   = compared_q;", "counter_read_o   = compared_q || checked_q;",
		"corinfo_counters: counters are read in two cycles running"},
	{"corinfo_events.v", "issued_q && issued_addr_q == sum_addr", "issued_q",
		"corinfo_events: sum_same_o is not that the product before was for the same sum"},
	{"corinfo_steps.v", "(visits && !clear) || answer_o", "visits || holds || answer_o", "corinfo_steps: a sum is held in a visit"},
	{"corinfo_terms.v", "place_first_q   <= term_q == NoTerms;", "place_first_q   <= 1'b1;",
		"corinfo_terms: a synapse's products do not begin with its first"},
	{"corinfo_update.v", "input_live_i || !from_input_o", "1'b0", "corinfo_terms: a column is passed over that has a term"},
	{"corinfo_update.v", "ready_q <= 1'b0;", "ready_q <= 1'b1;", "corinfo_update: a sum is held before the lanes of the one before are visited"},
	{"corinfo_input.v", "event_neuron_o = event_neuron_q;", "event_neuron_o = ~event_neuron_q;",
		"corinfo_input: an event of an input that there is not"},
	{"corinfo_input.v", "open_q && (!event_q || event_take_i);", "!event_q || event_take_i;", "corinfo_input: a word is taken of no sample"},
	{"corinfo_live_inputs.v", "some_q || (live_o && !first_q);", "some_q;", "corinfo_live_inputs: an input's bit is not that of its words"},
	{"corinfo_join.v", "update_i ? update_same_i", "update_i ? 1'b0", "corinfo_lane: a sum is read before the product before is in it"},
	{"corinfo_host.v", "= ReadCycles + 4;", "= ReadCycles + 5;", "corinfo_host: an access is not answered after ReadCycles + 6 cycles"},
	{"corinfo_status.v", "(errors_q & ~(data_i[12:8] & {5{we_i && place_i == PlaceStatus}}))\n                   | {refused_i, asked, late, long_i, short_i};",
		"{4'd0, accepted_i};", "corinfo_status: an error goes without the host"},
	{"corinfo_sign.v", "left_q   <= 7'd63;", "left_q   <= 7'd62;", "corinfo_sign: a draw does not take 259 cycles"},
	{"corinfo_schedule.v", "entry[31:0] <= number_i;", "entry[31:0] <= number_i + 32'd1;",
		"corinfo_schedule: constants of a later mini-batch are written"},
	{"corinfo_random_keys.v", "round_q != LastRound;", "round_q != 4'd14;", "corinfo_random_keys: keys do not take 16 cycles"},
	{"corinfo_random.v", "column_q <= column_i;", "column_q <= ~column_i;", "corinfo_random: a word does not decrypt to its row and column"},
	{"corinfo_presynaptic.v", "kept_q       <= kept;", "kept_q       <= ~kept;", "corinfo_presynaptic: a factor is not what was asked for"},
	{"corinfo_live.v", "mem[place] <= some_q;", "mem[place] <= ~some_q;", "corinfo_live: a sample's bit is not that of its factors"},
	{"corinfo_answer.v", "best_q  <= score_data_o;", "best_q  <= ~score_data_o;", "corinfo_answer: the largest score is not that of the class"},
}

// A violated property ends a co-simulation with its message, in Icarus and in Verilator; without a violation there is none.
func TestProperties(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(12, goldentest.Seed(t)))
	c := closingCase{rule: "ep", layers: []int{6, 5, 3}, batch: 3, lanes: 4, units: 2, contexts: 3, rings: 3, change: scheduled}
	d := c.generate(t, rng)
	o := sim.Options{Simulator: sim.Icarus, Inference: samplesOf(d, 3, rng), Learning: samplesOf(d, 2*c.batch, rng), Closing: true, Properties: true}
	report, err := Cosim(t.Context(), d, o)
	require.NoError(t, err)
	require.Nil(t, report.Mismatch, "%v", report.Mismatch)
	for i, v := range violations {
		path := verilogPath(d.Dir, v.file)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		goldentest.ReplaceIn(t, path, v.old, v.new)
		simulators := []sim.Simulator{sim.Icarus}
		if i == 0 {
			simulators = append(simulators, sim.Verilator)
		}
		for _, o.Simulator = range simulators {
			_, err = Cosim(t.Context(), d, o)
			require.ErrorContains(t, err, "a property is violated: "+v.message, "%s: %s -> %s", filepath.Base(path), v.old, v.new)
		}
		require.NoError(t, os.WriteFile(path, text, 0o644))
	}
}
