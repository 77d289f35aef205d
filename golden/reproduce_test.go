package golden_test

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
)

// reproduced is what docs/arithmetic.py prints.
type reproduced struct {
	Weights  map[string][]string
	Orders   [][]int
	Negative []bool
	Factors  []string
	Synapses map[string][]int64
	Correct  []int
}

const factorEpochs = 300 // whose learning rates are compared

// reproduce runs docs/arithmetic.py, which is written from docs/ARITHMETIC.md alone.
func reproduce(t *testing.T, n *golden.Network, set *golden.Set, limit int) (r reproduced) {
	t.Helper()
	var settings map[string]any
	require.NoError(t, yaml.Unmarshal(n.YAML(), &settings))
	settings["limit"], settings["float_epochs"] = limit, factorEpochs
	var samples [][2]any
	for i := range set.Len() {
		var pixels []int
		for _, p := range set.Sample(i) {
			pixels = append(pixels, int(p))
		}
		samples = append(samples, [2]any{pixels, set.Labels[i]})
	}
	settings["samples"] = samples
	text, err := json.Marshal(settings)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "settings.json")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	program, err := os.Open(filepath.Join("..", "docs", "arithmetic.py")) // by the test, so that Go knows that it depends on it
	require.NoError(t, err)
	defer program.Close()
	command := exec.Command("python3", "-", path)
	command.Stdin = program
	out, err := command.Output()
	if exit := (*exec.ExitError)(nil); err != nil {
		require.ErrorAs(t, err, &exit)
		t.Fatalf("arithmetic.py: %v\n%s", err, exit.Stderr)
	}
	require.NoError(t, json.Unmarshal(out, &r))
	return r
}

// TestTrainingFromThePage: whole trainings in the bit-true arithmetic are what an independent program computes from
// docs/ARITHMETIC.md: initial weights, order of samples, signs of beta, learning rates, and every synapse at the end.
func TestTrainingFromThePage(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no python3")
		}
		t.Skip("no python3")
	}
	parse := func(text string) fx.Type {
		parsed, err := fx.ParseType(text)
		require.NoError(t, err)
		return parsed
	}
	for name, c := range map[string]struct {
		layers []int
		limit  int
		change func(n *golden.Network)
	}{
		"defaults, rates that decay": {[]int{9, 6, 4, 3}, 0, func(n *golden.Network) {
			n.Learning.Decay = golden.Decay{Factor: 0.95, Epochs: 2, Then: 0.9}
			n.Learning.Epochs = 3
		}},
		"three phases, sparse layers, a limit": {[]int{8, 7, 3}, 9, func(n *golden.Network) {
			n.Sparse = golden.Sparse{Layers: []int{1, 2}, Nu: []float64{0.01, 0.05}}
			n.Learning.ThreePhase, n.Learning.Epochs, n.Seed = true, 2, 1<<32-1
			n.Settling.EarlyEnd = false
		}},
		"types that round and overflow in other ways, one sign": {[]int{10, 5, 4}, 0, func(n *golden.Network) {
			n.Learning.RandomSign, n.Learning.Batch, n.Seed = false, 1, 0
			n.Settling.Step = golden.Step{Rule: "divide_by_loop_index", Start: 1 - 1e-9, Stop: 0.01, Decay: 1}
			n.Formats = map[string]fx.Type{"x": parse("ap_ufixed<5,1,TRN>"), "r": parse("ap_ufixed<7,0,RND_CONV,SAT_SYM>"),
				"u": parse("ap_fixed<9,2,RND_ZERO,SAT>"), "e": parse("ap_fixed<8,1,RND_INF,WRAP>"), "current1": parse("ap_fixed<10,4,TRN_ZERO,SAT_ZERO>"),
				"W1": parse("ap_fixed<9,1,RND_MIN_INF,SAT>"), "W": parse("ap_fixed<12,2,STOCHASTIC,SAT_SYM>"), "dF": parse("ap_fixed<6,1>")}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			n := digitNetwork(c.layers, 4)
			n.Rule, n.Dataset.Name, n.Hardware = "corinfomax", "mnist", golden.Hardware{Lanes: 1, Contexts: 1, Mode: "events"}
			n.Learning.Decay = golden.Decay{Factor: 0.97, Then: 1}
			n.Settling.FreeIterations, n.Settling.NudgedIterations = 6, 3
			n.Settling.Step.Start = 0.1
			c.change(n)
			data := &golden.Data{Name: "random", Checksum: "of random", Train: randomSet(n, 11), Test: randomSet(n, 3)}
			checkpoint, misfits, err := golden.NewCheckpoint(n, golden.Fixed, n.Seed)
			require.NoError(t, err)
			require.Empty(t, misfits)
			float, _, err := golden.NewCheckpoint(n, golden.Float, n.Seed)
			require.NoError(t, err)
			checkpoint.Limit = c.limit
			_, err = golden.Train(t.Context(), checkpoint, data, golden.TrainOptions{Dir: t.TempDir()})
			require.NoError(t, err)

			page := reproduce(t, n, &data.Train, c.limit)
			for _, tensor := range float.Tensors {
				for i, v := range tensor.Values {
					want, err := strconv.ParseFloat(page.Weights[tensor.Name][i], 64)
					require.NoError(t, err)
					require.Equal(t, want, v, "%s element %d", tensor.Name, i)
				}
			}
			used := len(page.Orders[0])
			require.Equal(t, map[bool]int{true: c.limit, false: 11}[c.limit > 0], used)
			for epoch, order := range page.Orders {
				require.Equal(t, order, golden.Order(n.Seed, epoch, used))
			}
			require.Len(t, page.Negative, checkpoint.Step)
			for step, negative := range page.Negative {
				require.Equal(t, negative, golden.Negative(&n.Learning, n.Seed, step), "mini-batch %d", step)
			}
			for epoch, text := range page.Factors {
				factor, err := strconv.ParseFloat(text, 64)
				require.NoError(t, err)
				ff, fb := n.LearningRate(epoch)
				require.Equal(t, n.Learning.Feedforward[1]*factor, ff[1], "epoch %d", epoch)
				require.Equal(t, n.Learning.Feedback[0]*factor, fb[0], "epoch %d", epoch)
			}
			changed := 0
			for i, tensor := range checkpoint.Tensors {
				require.Equal(t, page.Synapses[tensor.Name], tensor.Words, tensor.Name)
				start, _, err := golden.NewCheckpoint(n, golden.Fixed, n.Seed)
				require.NoError(t, err)
				for j, word := range tensor.Words {
					if word != start.Tensors[i].Words[j] {
						changed++
					}
				}
			}
			require.Greater(t, changed, 50, "synapses that learned")
			for i, epoch := range checkpoint.History {
				require.Equal(t, float64(page.Correct[i])/float64(epoch.Samples), *epoch.TrainAccuracy, "epoch %d", epoch.Epoch)
			}
		})
	}
}

// randomSet are samples of digits.
func randomSet(n *golden.Network, count int) golden.Set {
	samples, labels := digits(rand.New(rand.NewPCG(uint64(n.Seed), uint64(count))), n, count)
	set := golden.Set{Size: n.Layers[0]}
	for i, pixels := range samples {
		set.Pixels = append(set.Pixels, pixels...)
		set.Labels = append(set.Labels, uint8(labels[i]))
	}
	return set
}

// TestDenseEvents: in dense mode every input and, after every step, every state of the layer is an event, and the bits are the same.
func TestDenseEvents(t *testing.T) {
	n := digitNetwork([]int{9, 6, 4}, 2)
	n.Settling.FreeIterations, n.Settling.NudgedIterations, n.Settling.EarlyEnd = 5, 3, false
	dense, events := startMachine(t, n), startMachine(t, n)
	dense.Dense = true
	samples, labels := digits(rand.New(rand.NewPCG(1, 1)), n, 2)
	require.Equal(t, dense.LearnBatch(samples, labels, false), events.LearnBatch(samples, labels, false))
	require.Equal(t, allSynapses(events), allSynapses(dense))
	counts := dense.Counts()
	require.Equal(t, []int64{2 * 9, 2 * 8 * 6, 2 * 8 * 4}, counts.LayerEvents)
	require.Less(t, events.Counts().Events, counts.Events)
}
