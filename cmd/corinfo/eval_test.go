package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
)

// eval's figures agree with one another, of either arithmetic, and its text shows them.
func TestEvalFigures(t *testing.T) {
	file := smallNetwork(t, 3, "")
	for _, arithmetic := range []string{golden.Float, golden.Fixed} {
		run := filepath.Join(t.TempDir(), "run")
		done(t, "train", "-c", file, "-o", run, "--epochs", "6", "--arithmetic", arithmetic)
		var e struct {
			Arithmetic string
			Epochs     int
			golden.Evaluation
			Angles    []golden.Angle
			Overflows map[string]int64
		}
		require.NoError(t, json.Unmarshal([]byte(done(t, "eval", run, "--json")), &e))
		require.Equal(t, arithmetic, e.Arithmetic)
		require.Equal(t, 6, e.Epochs)
		require.Equal(t, arithmetic == golden.Fixed, len(e.Overflows) > 0, "a fixed run counts them, zeros included")
		samples, correct := 0, 0
		require.Len(t, e.Classes, 7)
		for class, m := range e.Classes {
			count, predicted := 0, 0
			for other := range e.Confusion {
				count += e.Confusion[class][other]
				predicted += e.Confusion[other][class]
			}
			require.Equal(t, golden.ClassMetrics{Class: class, Count: count, Predicted: predicted, Recall: m.Recall, Precision: m.Precision}, m)
			require.InDelta(t, e.Confusion[class][class], m.Recall*float64(count), 1e-9)
			require.InDelta(t, e.Confusion[class][class], m.Precision*float64(predicted), 1e-9)
			samples += count
			correct += e.Confusion[class][class]
		}
		require.Equal(t, [2]int{60, samples}, [2]int{e.Samples, e.Samples})
		require.Equal(t, e.Correct, correct)
		require.InDelta(t, e.Accuracy, float64(correct)/60, 1e-12)
		require.Len(t, e.Angles, 1)
		require.Greater(t, e.Angles[0].Degrees, 0.0)
		require.Less(t, e.Angles[0].Degrees, 180.0)

		text := done(t, "eval", run)
		require.Contains(t, text, " ("+arithmetic+"): test accuracy ")
		require.Contains(t, text, "angle between W1 and F1 transposed: ")
		_, table, found := strings.Cut(text, "taken for:\n")
		require.True(t, found)
		require.Len(t, strings.Split(strings.TrimSpace(table), "\n"), 8, "a line for each class below its head")
	}
}

// A network without hidden layers has no angle.
func TestEvalNoHiddenLayer(t *testing.T) {
	file := smallNetwork(t, 3, "")
	text := readFile(t, file)
	for old, by := range map[string]string{"[20, 13, 7]": "[20, 7]", "[1.0, 0.7]": "[1.0]", "[0.15]": "[]"} {
		require.Contains(t, text, old)
		text = strings.Replace(text, old, by, 1)
	}
	writeFile(t, file, text)
	run := filepath.Join(t.TempDir(), "run")
	done(t, "train", "-c", file, "-o", run, "--epochs", "1")
	require.Equal(t, []any{}, figures(t, done(t, "eval", run, "--json"))["angles"])
	done(t, "eval", run)
	weights := run + ".npz"
	done(t, "export", run, "-o", weights)
	done(t, "import", weights, "-c", file, "-o", run+"2")
}
