package network

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/rule"
)

// TestTableOfPresets: docs/NETWORKS.md gives the settings behind every number of the paper's Table 1 as the presets
// have them. The page was written from the paper's scripts, the presets apart from it.
func TestTableOfPresets(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "NETWORKS.md"))
	require.NoError(t, err)
	rows := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "| `"); ok {
			name, _, _ = strings.Cut(name, "`")
			if _, data := rows[name]; !data { // mnist, fashion and cifar10 are the names of data sets too, further down
				rows[name] = line
			}
		}
	}
	for _, name := range Presets() {
		if name == "tiny" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			plain, err := presets.ReadFile("presets/" + name + ".yaml")
			require.NoError(t, err)
			n, err := Parse(name, plain)
			require.NoError(t, err)
			require.Equal(t, tableRow(t, name, string(plain), n), rows[name])

			// What the page says of all.
			require.Equal(t, 20, n.Learning.Batch)
			require.Equal(t, 50, n.Learning.Epochs)
			adam := rule.DefaultOptimizer()
			adam.Kind = rule.Adam
			descent := rule.DefaultOptimizer()
			beta := 1.0
			switch own := n.Own.(type) {
			case *rule.PC:
				require.Equal(t, &rule.PC{Activation: "sigmoid", Target: []float64{0.03, 0.97}}, own)
				adam.PlainRoot = true
				descent, beta = adam, 0
			case *rule.PCNudge:
				require.Equal(t, "relu", own.Activation)
				beta = 0.001
			case *rule.Backprop:
				require.Equal(t, "relu", own.Activation)
				descent, beta = adam, 0
			default:
				require.True(t, n.Learning.RandomSign)
			}
			require.Equal(t, beta, n.Learning.Beta)
			require.Equal(t, descent, n.Learning.Optimizer)
			require.Equal(t, rule.WithFree, n.Learning.Contrast)
			if own, ok := n.Own.(*rule.CorInfoMax); ok {
				require.Equal(t, 0.15, own.Epsilon)
				lambda := 0.99999
				if name == "cifar10" {
					lambda = 0.99995
				}
				require.Equal(t, lambda, own.Lambda)
				require.True(t, own.Lateral)
				if len(own.Sparse.Layers) > 0 {
					require.Equal(t, []int{1, 2}, own.Sparse.Layers)
				}
			}
			require.Equal(t, strings.HasPrefix(name, "cifar10"), len(n.Dataset.Normalize.Mean) > 0)
			if strings.HasPrefix(name, "cifar10") {
				planes := []string{fmt.Sprintf("| mean | %v |", list(n.Dataset.Normalize.Mean, " | "))}
				planes = append(planes, fmt.Sprintf("| deviation, 3 times 0.2023, 0.1994, 0.2010 | %v |", list(n.Dataset.Normalize.Deviation, " | ")))
				for _, row := range planes {
					require.Contains(t, string(text), row)
				}
				for i, deviation := range []float64{0.2023, 0.1994, 0.2010} {
					require.InDelta(t, 3*deviation, n.Dataset.Normalize.Deviation[i], 1e-12)
				}
				d := n.Describe()
				require.Contains(t, string(text), "`"+d.Tensors[d.Tensor("x", -1)].Default.String()+"`")
				low, high := n.Dataset.Normalize.Range()
				require.Contains(t, string(text), fmt.Sprintf("%.2f to %.2f", low, high))
			}
		})
	}
}

// tableRow is a preset's row of the page's table.
func tableRow(t *testing.T, name, plain string, n *Network) string {
	t.Helper()
	var layers []string
	for _, neurons := range n.Layers {
		layers = append(layers, fmt.Sprint(neurons))
	}
	decay := "none"
	switch d := n.Learning.Decay; {
	case d.Batches > 0:
		decay = fmt.Sprintf("%v every %d mini-batches", d.Factor, d.Batches)
	case d.Every > 1:
		decay = fmt.Sprintf("%v every %d", d.Factor, d.Every)
	case d.Factor != 1:
		decay = fmt.Sprint(d.Factor)
		for _, stage := range d.Then {
			decay += fmt.Sprintf(", %v from %d", stage.Factor, stage.From)
		}
	}
	step := n.Settling.Step
	iterations := fmt.Sprintf("%d, %d", n.Settling.FreeIterations, n.Settling.NudgedIterations)
	about, _, _ := strings.Cut(plain, "\n")
	_, about, _ = strings.Cut(about, ": ")
	paper, _, found := strings.Cut(about, " % in arXiv 2306.04810")
	require.True(t, found)
	columns := []string{"`" + name + "`", strings.Join(layers, "-"), list(n.Learning.Feedforward, ", ")}
	switch own := n.Own.(type) {
	case *rule.CorInfoMax:
		kind := step.Rule
		if kind == "divide_by_slow_loop_index" {
			kind = "slow"
			require.Equal(t, rule.StepSize{Rule: step.Rule, Start: step.Start, Stop: 0.001, Decay: 0.01}, step)
		} else {
			require.Equal(t, rule.StepSize{Rule: "constant", Start: step.Start}, step)
		}
		columns = append(columns, list(n.Learning.Feedback, ", "), decay, fmt.Sprint(kind, " ", step.Start), fmt.Sprint(own.Leak), list(own.Sparse.Nu, ", "), iterations)
	case *rule.PC, *rule.PCNudge:
		require.Equal(t, rule.StepSize{Rule: "constant", Start: 0.1}, step)
		require.Equal(t, 50, n.Settling.NudgedIterations)
		sign := ""
		if n.Rule == "pc-nudge" {
			sign = map[bool]string{true: "random", false: "positive"}[n.Learning.RandomSign]
		}
		columns = append(columns, decay, sign)
	case *rule.Backprop:
		require.Equal(t, map[string]string{"mse": rule.MSE, "ce": rule.CrossEntropy}[name[strings.LastIndex(name, "-")+1:]], own.Loss)
		columns = append(columns, decay)
	default:
		require.Equal(t, rule.StepSize{Rule: "constant", Start: step.Start, Inference: step.Inference}, step)
		eta, alpha := fmt.Sprint(step.Start), ""
		if step.Inference > 0 {
			eta += fmt.Sprintf(", %v", step.Inference)
		}
		if own, ok := own.(*rule.CSM); ok {
			alpha = list(own.Lateral, ", ")
		}
		columns = append(columns, decay, alpha, eta, iterations)
	}
	row := "|"
	for _, column := range append(columns, paper) {
		if column != "" {
			column = " " + column
		}
		row += column + " |"
	}
	return row
}

// list joins numbers as the page writes them.
func list(values []float64, between string) string {
	var texts []string
	for _, v := range values {
		texts = append(texts, strings.ReplaceAll(fmt.Sprint(v), "e-0", "e-"))
	}
	return strings.Join(texts, between)
}
