package training_test

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
	"corinfo/golden/dataset"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/training"
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
func reproduce(t *testing.T, n *network.Network, set *dataset.Set, limit int) (r reproduced) {
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
	program, err := os.Open(filepath.Join("..", "..", "docs", "arithmetic.py")) // by the test, so that Go knows that it depends on it
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
		change func(n *network.Network)
	}{
		"defaults, rates that decay": {[]int{9, 6, 4, 3}, 0, func(n *network.Network) {
			n.Learning.Decay = rule.Decay{Factor: 0.95, Then: []rule.Stage{{From: 2, Factor: 0.9}}}
			n.Learning.Epochs = 3
		}},
		"three phases, sparse layers, a limit": {[]int{8, 7, 3}, 9, func(n *network.Network) {
			goldentest.CorInfoMax(n).Sparse = rule.Sparse{Layers: []int{1, 2}, Nu: []float64{0.01, 0.05}}
			n.Learning.Contrast, n.Learning.Epochs, n.Seed = rule.WithThird, 2, 1<<32-1
			n.Settling.EarlyEnd = false
		}},
		"centred phases, no lateral synapses, rates that fall every other epoch": {[]int{8, 6, 5, 3}, 8, func(n *network.Network) {
			goldentest.CorInfoMax(n).Lateral = false
			goldentest.CorInfoMax(n).Sparse = rule.Sparse{Layers: []int{2}, Nu: []float64{0.3}}
			n.Learning.Contrast, n.Learning.Epochs = rule.WithCentred, 5
			n.Learning.Decay = rule.Decay{Factor: 0.9, Every: 2, Then: []rule.Stage{{From: 3, Factor: 0.7}, {From: 4, Factor: 0.3}}}
		}},
		"inputs of three planes that are normalized": {[]int{9, 5, 3}, 0, func(n *network.Network) {
			n.Dataset.Normalize = dataset.Normalize{Mean: []float64{0.5, 0.25, 0.9}, Deviation: []float64{0.25, 0.5, 0.4}}
		}},
		"types that round and overflow in other ways, one sign": {[]int{10, 5, 4}, 0, func(n *network.Network) {
			n.Learning.RandomSign, n.Learning.Batch, n.Seed = false, 1, 0
			n.Settling.Step = rule.StepSize{Rule: "divide_by_loop_index", Start: 1 - 1e-9, Stop: 0.01, Decay: 1}
			n.Formats = map[string]fx.Type{"x": parse("ap_ufixed<5,1,TRN>"), "r": parse("ap_ufixed<7,0,RND_CONV,SAT_SYM>"),
				"u": parse("ap_fixed<9,2,RND_ZERO,SAT>"), "e": parse("ap_fixed<8,1,RND_INF,WRAP>"), "current1": parse("ap_fixed<10,4,TRN_ZERO,SAT_ZERO>"),
				"W1": parse("ap_fixed<9,1,RND_MIN_INF,SAT>"), "W": parse("ap_fixed<12,2,STOCHASTIC,SAT_SYM>"), "dF": parse("ap_fixed<6,1>")}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			n := goldentest.Network(c.layers, 4)
			n.Seed, n.Settling.EarlyEnd = 3, true
			n.Learning.Decay = rule.Decay{Factor: 0.97}
			n.Settling.FreeIterations, n.Settling.NudgedIterations = 6, 3
			n.Settling.Step.Start = 0.1
			c.change(n)
			data := &dataset.Data{Name: "random", Checksum: "of random", Train: randomSet(n, 11), Test: randomSet(n, 3)}
			checkpoint, misfits, err := training.NewCheckpoint(n, training.Fixed, n.Seed)
			require.NoError(t, err)
			require.Empty(t, misfits)
			real, _, err := training.NewCheckpoint(n, training.Float, n.Seed)
			require.NoError(t, err)
			checkpoint.Limit = c.limit
			_, err = training.Train(t.Context(), checkpoint, data, training.TrainOptions{Dir: t.TempDir()})
			require.NoError(t, err)

			page, d := reproduce(t, n, &data.Train, c.limit), n.Describe()
			for _, tensor := range real.Tensors {
				for i, v := range tensor.Values {
					want, err := strconv.ParseFloat(page.Weights[tensor.Name][i], 64)
					require.NoError(t, err)
					require.Equal(t, want, v, "%s element %d", tensor.Name, i)
				}
			}
			used := len(page.Orders[0])
			require.Equal(t, map[bool]int{true: c.limit, false: 11}[c.limit > 0], used)
			for epoch, order := range page.Orders {
				require.Equal(t, order, training.Order(n.Seed, epoch, used))
			}
			require.Len(t, page.Negative, checkpoint.Step)
			for step, negative := range page.Negative {
				require.Equal(t, negative, training.Negative(&n.Learning, n.Seed, step), "mini-batch %d", step)
			}
			for epoch, text := range page.Factors {
				factor, err := strconv.ParseFloat(text, 64)
				require.NoError(t, err)
				for _, u := range d.Updates {
					switch p := d.Projections[u.Projection]; p.Name {
					case "W1":
						require.Equal(t, n.Learning.Feedforward[1]*factor, u.Rate(rule.Moment{Epoch: epoch}), "epoch %d", epoch)
					case "F1":
						require.Equal(t, n.Learning.Feedback[0]*factor, u.Rate(rule.Moment{Epoch: epoch}), "epoch %d", epoch)
					}
				}
			}
			changed := 0
			for i, tensor := range checkpoint.Tensors {
				require.Equal(t, page.Synapses[tensor.Name], tensor.Words, tensor.Name)
				start, _, err := training.NewCheckpoint(n, training.Fixed, n.Seed)
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

// randomSet are random samples.
func randomSet(n *network.Network, count int) dataset.Set {
	samples, labels := goldentest.Samples(rand.New(rand.NewPCG(uint64(n.Seed), uint64(count))), n, count)
	set := dataset.Set{Size: n.Layers[0]}
	for i, pixels := range samples {
		set.Pixels = append(set.Pixels, pixels...)
		set.Labels = append(set.Labels, uint8(labels[i]))
	}
	return set
}
