package training

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
)

// trainData are random samples that fit runNetwork; a mini-batch of 3 leaves one of 31 out.
func trainData() *dataset.Data {
	rng := rand.New(rand.NewPCG(1, 2))
	set := func(n int) dataset.Set {
		s := dataset.Set{Size: 6, Labels: make([]uint8, n), Pixels: make([]uint8, 6*n)}
		for i := range n {
			s.Labels[i] = uint8(i % 5)
		}
		for i := range s.Pixels {
			s.Pixels[i] = uint8(rng.IntN(256) & -rng.IntN(2)) // half of them 0, as digits have
		}
		return s
	}
	return &dataset.Data{Name: "random", Train: set(31), Test: set(20), Checksum: "sum of random"}
}

func TestTrain(t *testing.T) {
	for _, arithmetic := range []string{Float, Float32, Fixed} {
		dir := t.TempDir()
		c, start := newRun(t, arithmetic), newRun(t, arithmetic)
		var heard []Progress
		_, err := Train(t.Context(), c, trainData(), TrainOptions{Dir: dir, Progress: func(p Progress) { heard = append(heard, p) }})
		require.NoError(t, err)
		require.Equal(t, [3]int{3, 0, 30}, [3]int{c.Epoch, c.Batch, c.Step})
		require.Equal(t, "sum of random", c.Data)
		require.NotEqual(t, start.Tensors, c.Tensors)
		require.Len(t, c.History, 3)
		for i, e := range c.History {
			require.Equal(t, i+1, e.Epoch)
			require.Equal(t, 30, e.Samples)
		}
		back, err := LoadCheckpoint(dir)
		require.NoError(t, err)
		require.Equal(t, c, back)

		require.Len(t, heard, 3*(10+1))
		for i, p := range heard {
			want := Progress{Epoch: i/11 + 1, Epochs: 3, Done: 3 * (i%11 + 1), Total: 30, TestAccuracy: p.TestAccuracy,
				Learned: 30*(i/11) + 3*min(i%11+1, 10), Learning: p.Learning, Answers: Score{p.Answers.Correct, 3 * min(i%11+1, 10)}, Left: p.Left}
			require.Equal(t, i == 32, p.Left == 0, "%v left", p.Left) // all is done
			if i%11 == 10 {
				want.Testing, want.Done, want.Total = true, 20, 20
			}
			require.Equal(t, want, p)
			if i >= 11 {
				require.Equal(t, c.History[i/11-1].TestAccuracy, p.TestAccuracy)
			}
			if i%11 == 10 {
				require.Equal(t, *c.History[i/11].TrainAccuracy, p.TrainAccuracy())
			}
		}
		l, err := NewLearner(back) // the last accuracy is that of the checkpoint
		require.NoError(t, err)
		e, err := Evaluate(t.Context(), l, &trainData().Test, 5, nil)
		require.NoError(t, err)
		require.Equal(t, c.History[2].TestAccuracy, e.Accuracy)
	}
}

// TestResume interrupts runs at random mini-batches, by cancellation or by the loss of all since the last
// checkpoint, and continues them from the folder to the same bits as without interruption.
func TestResume(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	for _, arithmetic := range []string{Float, Float32, Fixed} {
		for _, limit := range []int{0, 17} {
			t.Run(fmt.Sprint(arithmetic, limit), func(t *testing.T) {
				start := func() *Checkpoint {
					c := newRun(t, arithmetic)
					c.Limit = limit
					return c
				}
				whole := start()
				_, err := Train(t.Context(), whole, trainData(), TrainOptions{Dir: t.TempDir()})
				require.NoError(t, err)
				for range 6 {
					require.Equal(t, whole, interruptedRun(t, rng, start()))
				}
			})
		}
	}
}

// interruptedRun trains from start, again and again from what is on disk.
func interruptedRun(t *testing.T, rng *rand.Rand, start *Checkpoint) *Checkpoint {
	dir := t.TempDir()
	require.NoError(t, start.Save(dir))
	path := filepath.Join(dir, CheckpointFile)
	for tries := 0; ; tries++ {
		c, err := LoadCheckpoint(dir)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		stop, kill, heard := 1+rng.IntN(20), rng.IntN(2) == 0, 0
		if tries > 50 {
			stop = 1000
		}
		var left []byte // what is on disk when the run is killed
		o := TrainOptions{Dir: dir, SaveEvery: []time.Duration{time.Nanosecond, time.Hour}[rng.IntN(2)], Progress: func(Progress) {
			if heard++; heard == stop {
				if kill {
					left, err = os.ReadFile(path)
					require.NoError(t, err)
				}
				cancel()
			}
		}}
		_, err = Train(ctx, c, trainData(), o)
		cancel()
		if err == nil {
			return c
		}
		require.ErrorIs(t, err, ErrInterrupted)
		if kill {
			require.NoError(t, os.WriteFile(path, left, 0o644))
		}
	}
}

// spy notes what a learner is given.
type spy struct {
	Learner
	epochs   []int
	samples  [][]uint8
	labels   []int
	negative []bool
}

func (s *spy) SetEpoch(epoch int) { s.epochs = append(s.epochs, epoch); s.Learner.SetEpoch(epoch) }
func (s *spy) Learn(samples [][]uint8, labels []int, negative bool) int {
	s.samples, s.labels, s.negative = append(s.samples, samples...), append(s.labels, labels...), append(s.negative, negative)
	return s.Learner.Learn(samples, labels, negative)
}

// TestTrainOrder: every epoch learns each of the first samples at most once, in an order of its own, with its label.
func TestTrainOrder(t *testing.T) {
	c, data := newRun(t, Fixed), trainData()
	c.Limit = 20
	tr, err := newTrainer(c, data, TrainOptions{Dir: t.TempDir()})
	require.NoError(t, err)
	s := &spy{Learner: tr.l}
	tr.l = s
	require.NoError(t, tr.run(t.Context()))
	require.Equal(t, []int{0, 1, 2}, s.epochs)
	require.Len(t, s.samples, 3*18) // 2 of 20 are left out
	place := map[*uint8]int{}
	for i := range data.Train.Len() {
		place[&data.Train.Sample(i)[0]] = i
	}
	var orders [3][]int
	for i, sample := range s.samples {
		at, ok := place[&sample[0]]
		require.True(t, ok && at < 20, "sample %d", at)
		require.Equal(t, int(data.Train.Labels[at]), s.labels[i])
		require.NotContains(t, orders[i/18], at)
		orders[i/18] = append(orders[i/18], at)
	}
	for epoch, order := range orders {
		require.Equal(t, Order(5, epoch, 20)[:18], order)
	}
	require.NotEqual(t, orders[0], orders[1])
	require.Contains(t, s.negative, true)
	require.Contains(t, s.negative, false)
	for step, negative := range s.negative {
		require.Equal(t, Negative(&c.Network.Learning, 5, step), negative)
	}
}

// TestDraws pins the draws of order and sign: a change would break every run that is under way.
func TestDraws(t *testing.T) {
	require.Equal(t, []int{1, 7, 2, 5, 0, 3, 4, 9, 8, 6}, Order(7, 3, 10))
	random := &rule.Learning{RandomSign: true}
	var signs []bool
	for step := range 8 {
		signs = append(signs, Negative(random, 7, step))
	}
	require.Equal(t, []bool{false, false, true, true, false, false, true, true}, signs)
	count := 0
	for step := range 10000 {
		if Negative(random, 3, step) {
			count++
		}
		require.False(t, Negative(&rule.Learning{}, 3, step))
	}
	require.InDelta(t, 5000, count, 200) // 4 standard deviations, of a fixed seed
	require.NotEqual(t, Order(1, 0, 100), Order(2, 0, 100))
	require.NotEqual(t, Order(1, 0, 100), Order(1, 1, 100))
}

func TestTrainRefuses(t *testing.T) {
	cases := map[string]struct {
		change func(c *Checkpoint, d *dataset.Data)
		want   error
		text   string
	}{
		"other data":      {func(c *Checkpoint, d *dataset.Data) { c.Data = "another" }, golden.ErrUsage, "dataset random: its content is not that which the run has learned"},
		"no mini-batch":   {func(c *Checkpoint, d *dataset.Data) { c.Limit = 2 }, golden.ErrUsage, "2 training samples; a mini-batch takes 3"},
		"other inputs":    {func(c *Checkpoint, d *dataset.Data) { d.Test.Size = 5 }, golden.ErrUsage, "test samples have 5 inputs"},
		"other classes":   {func(c *Checkpoint, d *dataset.Data) { d.Train.Labels[7] = 5 }, golden.ErrUsage, "training sample 7 has label 5"},
		"impossible step": {func(c *Checkpoint, d *dataset.Data) { c.Step = 4 }, golden.ErrDamaged, "no step 4"},
		"missing matrix":  {func(c *Checkpoint, d *dataset.Data) { c.Tensors = c.Tensors[1:] }, golden.ErrUsage, "4 matrices; the network has 5"},
	}
	for name, x := range cases {
		t.Run(name, func(t *testing.T) {
			c, d, dir := newRun(t, Float), trainData(), t.TempDir()
			x.change(c, d)
			_, err := Train(t.Context(), c, d, TrainOptions{Dir: dir})
			require.ErrorIs(t, err, x.want)
			require.ErrorContains(t, err, x.text)
			files, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, files, "half-written")
		})
	}
}

// TestTrainDiverges: learning that ends in NaN leaves the last checkpoint without any.
func TestTrainDiverges(t *testing.T) {
	c, dir := newRun(t, Float), t.TempDir()
	c.Network.Learning.Feedforward = []float64{1e308, 1e308}
	c.Network.Learning.Feedback = []float64{1e308}
	require.NoError(t, c.Save(dir))
	_, err := Train(t.Context(), c, trainData(), TrainOptions{Dir: dir})
	require.ErrorContains(t, err, "learning diverged by mini-batch 10 of the run: damaged data: W0 row 0 column 0 is NaN")
	back, err := LoadCheckpoint(dir)
	require.NoError(t, err)
	require.Zero(t, back.Step)
}

// TestTrainFromHugeWeights: what is amiss before anything was learned is not put down to the learning rates.
func TestTrainFromHugeWeights(t *testing.T) {
	c, dir := newRun(t, Float), t.TempDir()
	for i := range c.Tensors[0].Values {
		c.Tensors[0].Values[i] = 1e300
	}
	_, err := Train(t.Context(), c, trainData(), TrainOptions{Dir: dir})
	require.ErrorIs(t, err, golden.ErrDamaged)
	require.ErrorContains(t, err, "before learning: damaged data: information of r0 and r1 is ")
	require.False(t, IsRun(dir))
}

func TestResumeRefusesOtherSettings(t *testing.T) {
	c, data := newRun(t, Fixed), trainData()
	c.Data = data.Checksum
	again := func(change func(n *network.Network)) *network.Network {
		n := *goldentest.Run()
		change(&n)
		return &n
	}
	// Free to change, the limit before the first mini-batch only.
	n := again(func(n *network.Network) {
		n.Name, n.Learning.Epochs, n.Hardware.Lanes, n.Dataset.Path, n.Seed = "other", 9, 2, "digits", 77
	})
	require.NoError(t, c.Resume(n, data, Fixed, 5, 30))
	require.Equal(t, 9, c.Network.Learning.Epochs)
	require.Equal(t, 30, c.Limit)
	require.Equal(t, "other", c.Network.Name)
	require.EqualValues(t, 5, c.Network.Seed)
	require.EqualValues(t, 77, n.Seed)

	other := *data
	other.Checksum = "another"
	n = again(func(n *network.Network) { n.Settling.FreeIterations, n.Learning.Feedforward = 7, []float64{1, 2} })
	c.Step = 1
	err := c.Resume(n, &other, Float, 6, 8)
	require.EqualError(t, err, `wrong input: the run cannot be resumed with other settings; restore them or start another run:
  arithmetic: fixed in the run, float now
  seed: 5 in the run, 6 now
  limit: 30 in the run, 8 now
  dataset random: other content
  settling.free_iterations: 6 in the run, 7 now
  learning.feedforward: [1 0.9] in the run, [1 2] now`)
	require.Equal(t, 9, c.Network.Learning.Epochs)
	require.True(t, errors.Is(err, golden.ErrUsage))

	// The rule's own section.
	n = again(func(n *network.Network) {
		own := *goldentest.CorInfoMax(n)
		own.Leak, own.Sparse = 0.25, rule.Sparse{Layers: []int{2}, Nu: []float64{0.5}}
		n.Own = &own
	})
	err = c.Resume(n, data, Fixed, 5, 30)
	require.ErrorContains(t, err, `
  corinfomax.leak: 0.5 in the run, 0.25 now
  corinfomax.sparse.layers: [] in the run, [2] now
  corinfomax.sparse.nu: [] in the run, [0.5] now`)
	require.ErrorIs(t, err, golden.ErrUsage)
	err = c.Resume(again(func(n *network.Network) { n.Rule, n.Own = "ep", nil }), data, Fixed, 5, 30)
	require.ErrorContains(t, err, "\n  rule: corinfomax in the run, ep now")
	require.ErrorIs(t, err, golden.ErrUsage)
}
