package lockstep

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// A host that writes the constants of every epoch and mini-batch, gives N learning commands a mini-batch with the sign that the seed
// draws, and inferences in between, which take no part, trains the design as corinfo train does the model;
// and so does nobody, where the design has a schedule of its own.
func TestTraining(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(22, goldentest.Seed(t)))
	for i, name := range []string{"corinfomax", "bp", "corinfomax", "bp"} {
		n := ruleNetwork(name, []int{4, 3, 2}, 2, rng)
		n.Hardware.Schedule, n.Hardware.EpochSamples = i > 1, 5
		n.Learning.RandomSign, n.Learning.Epochs, n.Learning.Decay = true, 2, rule.Decay{Factor: 0.7}
		p, err := design.New(n, 2, 1, plainTarget)
		require.NoError(t, err)
		l := model(t, n)
		d, program := build(t, p, l, simulatorOf(i))
		data := &dataset.Data{Name: "random", Checksum: "of random"}
		for _, set := range []*dataset.Set{&data.Train, &data.Test} {
			set.Size = n.Layers[0]
			for range 5 { // one is left out of every epoch
				for range n.Layers[0] {
					set.Pixels = append(set.Pixels, uint8(rng.IntN(256)))
				}
				set.Labels = append(set.Labels, uint8(rng.IntN(n.Layers[n.K()])))
			}
		}
		trained := &training.Checkpoint{Network: n, Arithmetic: training.Fixed, Seed: n.Seed, Tensors: l.Tensors()}
		_, err = training.Train(t.Context(), trained, data, training.TrainOptions{Dir: t.TempDir()})
		require.NoError(t, err)

		s, step := newScript(p), 0
		for epoch := range n.Learning.Epochs {
			order := training.Order(n.Seed, epoch, data.Train.Len())
			for first := 0; first+n.Learning.Batch <= len(order); first += n.Learning.Batch {
				for i := range s.constants {
					x := &s.constants[i]
					if n.Hardware.Schedule {
						break
					}
					at := rule.Moment{Epoch: epoch, Update: step}
					s.write(x.address(), p.A.Constant(&p.A.Updates[p.Updates[x.update].Update].Formula, x.name, at))
				}
				for _, i := range order[first : first+n.Learning.Batch] {
					x := hdlgen.Sample{X: make([]int64, n.Layers[0]), Label: int(data.Train.Labels[i]), Negative: training.Negative(&n.Learning, n.Seed, step)}
					p.QuantizeInput(data.Train.Sample(i), x.X)
					s.run(&command{Sample: x, kind: learning})
					s.run(&command{Sample: x, kind: inference})
				}
				step++
			}
		}
		s.idle()
		s.readBack()
		r := followScript(t, d, l, program, s, sim.Options{Simulator: simulatorOf(i)})
		require.Nil(t, r.mismatch, "%s: %v", name, r.mismatch)
		require.EqualValues(t, trained.Step, r.c.l.Step())
		require.Equal(t, trained.Tensors, r.c.l.Tensors(), name)
	}
}

// Without its tools on the PATH a co-simulation says what is missing and how to get it.
func TestMissingTools(t *testing.T) {
	d := small(t)
	one := samplesOf(d, 1, rand.New(rand.NewPCG(1, 2)))
	t.Setenv("PATH", t.TempDir())
	for simulator, tool := range map[sim.Simulator]string{sim.Verilator: "verilator", sim.Icarus: "iverilog"} {
		_, err := Cosim(t.Context(), d, sim.Options{Simulator: simulator, Inference: one})
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, tool)
		require.ErrorContains(t, err, "apt-get install "+tool)
	}
	_, err := os.Stat(filepath.Join(d.Dir, "sim"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A simulation without one of its memory images says which.
func TestMissingImage(t *testing.T) {
	t.Parallel()
	d := small(t)
	require.NoError(t, os.Remove(filepath.Join(d.Dir, "images", "tester_program.hex")))
	_, err := Cosim(t.Context(), d, sim.Options{Simulator: sim.Icarus, Inference: samplesOf(d, 1, rand.New(rand.NewPCG(1, 2)))})
	require.ErrorContains(t, err, "ERROR")
	require.ErrorContains(t, err, "images/tester_program.hex")
}
