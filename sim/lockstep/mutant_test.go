package lockstep

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// A design that does something else is found.
func TestMutants(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(8, 1))
	n := ruleNetwork("ep", []int{6, 5, 3}, 2, rng)
	p, err := design.New(n, 4, 2, plainTarget)
	require.NoError(t, err)
	samples := draw(rng, n, model(t, n).Machine, 1, 4)
	for i := range samples {
		samples[i].Negative = i%3 == 1
	}
	for _, mutant := range []struct{ file, old, new string }{
		{},
		{"update.v", "assign order_o       = entry[OrderLow +: OrderBits];", "assign order_o       = 2'd0;"},
		{"context.v", "(sign_q == 2'd1) != negative_q", "sign_q == 2'd1"},
		{"context.v", "exit_word != 16'd0 && !moved_q", "exit_word != 16'd0"},
		{"context.v", "held_q  <= op == OpStep && hold;", "held_q  <= 1'b0;"},
		{"events.v", "issue_value <<< place[ShiftLow +: ShiftBits]", "issue_value"},
		{"events.v", "known_neuron_q * entry_q[StrideLow +: StrideBits]", "known_neuron_q"},
		{"terms.v", "back_negate ? -value : value", "value"},
		{"terms.v", "always_i || keep || count_q != NoTerms", "keep"},
		{"lane.v", "first_q ? {SumWidth{1'b0}} : same_q ? last_q : sum_q", "same_q ? last_q : sum_q"},
		{"lane.v", "same_q ? last_q : sum_q", "sum_q"},
		{"live.v", "mem[place] <= some_q;", "mem[place] <= 1'b0;"},
		{"answer.v", "$signed(score_data_o) > best_q", "$signed(score_data_o) < best_q"},
		{"counters.v", "(parts_q[PartW*k +: PartW] & {PartW{at != k[7:0]}})", "{PartW{1'b0}}"},
		{"host.v", "number_q <= number_q + 32'd1", "number_q <= number_q"},
	} {
		l := model(t, n)
		d := generated(t, p, l)
		if mutant.file != "" {
			goldentest.ReplaceIn(t, verilogPath(d.Dir, "corinfo_"+mutant.file), mutant.old, mutant.new)
		}
		program, err := sim.Compile(context.Background(), d.Dir, d.Manifest, sim.Recipe{Simulator: sim.Icarus}, nil)
		require.NoError(t, err)
		r := follow(t, d, l, program, samples, sim.Options{Simulator: sim.Icarus})
		require.Equal(t, mutant.file == "", r.mismatch == nil, "%+v", mutant)
	}
}
