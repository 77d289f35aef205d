package rule_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/arithmetic"
	"corinfo/golden/float"
	"corinfo/golden/machine"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// TestRuleInAnAfternoon: the rule that docs/RULES.md writes learns in real numbers and in words, by its description alone.
func TestRuleInAnAfternoon(t *testing.T) {
	s := &rule.Settings{
		Layers:   []int{16, 12, 4},
		Settling: rule.Settling{FreeIterations: 12, NudgedIterations: 6, EarlyEnd: true, Step: rule.StepSize{Rule: "constant", Start: 0.5}},
		Learning: rule.Learning{Batch: 4, Beta: 1, Contrast: rule.WithFree, Feedforward: []float64{0.1, 0.1}, Decay: rule.Decay{Factor: 1}},
	}
	rule.HebbRule.Check(s, func(path, format string, args ...any) { t.Errorf(path+": "+format, args...) })
	d := rule.HebbRule.Describe(s)
	var pixels [256]float64
	for p := range pixels {
		pixels[p] = float64(p) / 255
	}
	inputs := [][256]float64{pixels}
	w := weights.Initial(d, 1)
	real, err := float.New[float64](d, 4, inputs, w)
	require.NoError(t, err)
	a, err := arithmetic.New(d, 4, nil, inputs)
	require.NoError(t, err)
	words := machine.New(a, 1)
	for i, at := range d.Stored() {
		rows, cols := w[i].Dims()
		for row := range rows {
			for col := range cols {
				word, _, err := a.Types[d.Projections[at].Tensor].FromFloat(w[i].At(row, col))
				require.NoError(t, err)
				words.SetSynapse(at, row, col, word)
			}
		}
	}

	// Four classes, each a quarter of the input that is bright.
	rng := rand.New(rand.NewPCG(3, 0))
	batch := func() (samples [][]uint8, labels []int) {
		for label := range 4 {
			x := make([]uint8, 16)
			for j := range x {
				x[j] = uint8(rng.IntN(60))
				if j/4 == label {
					x[j] += 180
				}
			}
			samples, labels = append(samples, x), append(labels, label)
		}
		return samples, labels
	}
	score := func(classify func([][]uint8, []int)) (right int) {
		for range 25 {
			samples, labels := batch()
			classes := make([]int, 4)
			classify(samples, classes)
			for i := range labels {
				if classes[i] == labels[i] {
					right++
				}
			}
		}
		return right
	}
	for range 200 {
		samples, labels := batch()
		real.Learn(samples, labels, false)
		words.Learn(samples, labels, false)
	}
	require.GreaterOrEqual(t, score(real.Classify), 95, "of 100, in real numbers")
	require.GreaterOrEqual(t, score(words.Classify), 95, "of 100, in words")
}

// TestRulesPage: docs/RULES.md holds the rule as it is tested.
func TestRulesPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "RULES.md"))
	require.NoError(t, err)
	code, err := os.ReadFile("hebb_test.go")
	require.NoError(t, err)
	_, body, found := strings.Cut(string(code), "package rule\n\n")
	require.True(t, found)
	var indented []string
	for _, line := range strings.Split(strings.TrimSpace(body), "\n") {
		if line != "" {
			line = "    " + strings.ReplaceAll(line, "\t", "    ")
		}
		indented = append(indented, line)
	}
	require.Contains(t, string(page), strings.Join(indented, "\n"))
}

// TestRulesPageFile: the network file of docs/RULES.md is one of its rule, once that is among the rules; a setting that the
// rule does not have is refused.
func TestRulesPageFile(t *testing.T) {
	rules := rule.Rules
	t.Cleanup(func() { rule.Rules = rules })
	rule.Rules = append(slices.Clone(rules), rule.HebbRule)
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "RULES.md"))
	require.NoError(t, err)
	_, file, found := strings.Cut(string(page), "\n    name: first\n")
	require.True(t, found)
	file, _, _ = strings.Cut("    name: first\n"+file, "\n\n")
	file = strings.ReplaceAll(file, "\n    ", "\n")[len("    "):] + "\n"
	n, err := network.Parse("network.yaml", []byte(file))
	require.NoError(t, err)
	require.Equal(t, []int{784, 100, 10}, n.Layers)
	require.Len(t, n.Describe().Stored(), 2)
	_, err = network.Parse("network.yaml", []byte(strings.Replace(file, "beta: 1,", "beta: 1, contrast: third,", 1)))
	require.ErrorContains(t, err, "hebb has no such setting")
}
