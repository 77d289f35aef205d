package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/calibrate"
	"corinfo/golden/training"
	"corinfo/golden/weights"
)

// eval's figures agree with one another, of either arithmetic, and its text shows them.
func TestEvalFigures(t *testing.T) {
	file := smallNetwork(t, 3, "")
	for _, arithmetic := range []string{training.Float, training.Fixed} {
		run := filepath.Join(t.TempDir(), "run")
		done(t, "train", "-c", file, "-o", run, "--epochs", "6", "--arithmetic", arithmetic)
		var e struct {
			Arithmetic string
			Epochs     int
			training.Evaluation
			Angles    []weights.Angle
			Overflows map[string]int64
		}
		require.NoError(t, json.Unmarshal([]byte(done(t, "eval", run, "--json")), &e))
		require.Equal(t, arithmetic, e.Arithmetic)
		require.Equal(t, 6, e.Epochs)
		require.Equal(t, arithmetic == training.Fixed, len(e.Overflows) > 0, "a fixed run counts them, zeros included")
		samples, correct := 0, 0
		require.Len(t, e.Classes, 7)
		for class, m := range e.Classes {
			count, predicted := 0, 0
			for other := range e.Confusion {
				count += e.Confusion[class][other]
				predicted += e.Confusion[other][class]
			}
			require.Equal(t, training.ClassMetrics{Class: class, Count: count, Predicted: predicted, Recall: m.Recall, Precision: m.Precision}, m)
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

// A run that cannot be written to shows its figures all the same, with or without its ranges' file.
func TestEvalReadOnly(t *testing.T) {
	file := smallNetwork(t, 3, "")
	run := filepath.Join(t.TempDir(), "run")
	done(t, "train", "-c", file, "-o", run, "--epochs", "1")
	want := figures(t, done(t, "eval", run, "--json"))

	// A folder in the file's place, as rights do not hold root.
	require.NoError(t, os.Remove(filepath.Join(run, calibrate.RangeFile)))
	require.NoError(t, os.Mkdir(filepath.Join(run, calibrate.RangeFile), 0o755))
	require.NoError(t, os.Chmod(run, 0o555))
	t.Cleanup(func() { _ = os.Chmod(run, 0o755) })
	code, stdout, stderr := corinfo("eval", run)
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stdout, ": test accuracy ")
	require.Contains(t, stdout, "Ranges over 200 training samples, settling and learning:\n")
	require.NotContains(t, stdout, "histograms")
	require.Contains(t, stderr, calibrate.RangeFile)
	require.Contains(t, stderr, "not kept")
	got := figures(t, done(t, "eval", run, "--json"))
	require.Len(t, got["warnings"], 1)
	require.Contains(t, got["warnings"].([]any)[0], "the ranges' histograms are not kept")
	got["warnings"] = want["warnings"]
	require.Equal(t, want, got)

	// Plots that were asked for are missed, but only after the figures.
	require.NoError(t, os.Chmod(run, 0o755))
	require.NoError(t, os.RemoveAll(filepath.Join(run, plotsFolder)))
	writeFile(t, filepath.Join(run, plotsFolder), "no folder")
	code, stdout, stderr = corinfo("eval", run, "--plots")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stdout, ": test accuracy ")
	require.Contains(t, stderr, "plots: ")
}

// A network file's data set lies relative to the file; a run, a quantized one and a design know it from anywhere, wherever they
// are moved, and --data names the place of data that were moved.
func TestDataBesideNetwork(t *testing.T) {
	file := smallNetwork(t, 3, "")
	project := filepath.Dir(file)
	writeFile(t, file, strings.Replace(readFile(t, file), "path: "+project, "path: ../data", 1))
	require.NoError(t, os.Mkdir(filepath.Join(project, "data"), 0o755))
	for _, name := range []string{"train", "t10k"} {
		for _, kind := range []string{"-images-idx3-ubyte", "-labels-idx1-ubyte"} {
			require.NoError(t, os.Rename(filepath.Join(project, name+kind), filepath.Join(project, "data", name+kind)))
		}
	}
	require.NoError(t, os.Mkdir(filepath.Join(project, "networks"), 0o755))
	require.NoError(t, os.Rename(file, filepath.Join(project, "networks", "small.yaml")))
	t.Chdir(project)
	done(t, "train", "-c", "networks/small.yaml", "-o", "run", "--epochs", "1")
	done(t, "quantize", "run", "-o", "fixed")
	want := figures(t, done(t, "eval", "run", "--json"))["accuracy"]

	elsewhere := t.TempDir()
	t.Chdir(elsewhere)
	for _, name := range []string{"run", "fixed"} {
		require.NoError(t, os.Rename(filepath.Join(project, name), name))
	}
	require.Equal(t, want, figures(t, done(t, "eval", "run", "--json"))["accuracy"])
	done(t, "train", "-c", "fixed/network.yaml", "-o", "again", "--epochs", "1")
	done(t, "estimate", "--weights", "fixed", "--samples", "2")
	done(t, "estimate", "--weights", "fixed", "--samples", "1000000") // all that there are
	done(t, "train", "-o", "run", "--resume", "--epochs", "2")

	require.NoError(t, os.Rename(filepath.Join(project, "data"), "data"))
	refused(t, exitUsage, []string{filepath.Join(project, "data"), "--data"}, "eval", "run")
	done(t, "eval", "run", "--data", "data")
	done(t, "quantize", "run", "-o", "fixed2", "--data", "data")
	done(t, "estimate", "--weights", "fixed", "--samples", "2", "--data", "data")
	done(t, "train", "-o", "run", "--resume", "--epochs", "3", "--data", "data")
	t.Chdir(project)
	done(t, "eval", filepath.Join(elsewhere, "run"))
	done(t, "eval", filepath.Join(elsewhere, "fixed2"))
}

// Classes have the names of their folders, which are shown as a terminal can show them.
func TestEvalClassNames(t *testing.T) {
	dir := t.TempDir()
	names := []string{"cat", "dog", "odd\x1bname"}
	for label, class := range names {
		for part, count := range map[string]int{"train": 4, "test": 2} {
			folder := filepath.Join(dir, "data", part, class)
			require.NoError(t, os.MkdirAll(folder, 0o755))
			for i := range count {
				m := image.NewGray(image.Rect(0, 0, 5, 4))
				m.Pix[4*label+i] = 255
				var text bytes.Buffer
				require.NoError(t, png.Encode(&text, m))
				writeFile(t, filepath.Join(folder, string(rune('a'+i))+".png"), text.String())
			}
		}
	}
	small := readFile(t, smallNetwork(t, 1, ""))
	network := regexp.MustCompile(`\{name: idx, path: .*\}`).ReplaceAllString(small, "{name: images, path: data}")
	file := writeFile(t, filepath.Join(dir, "net.yaml"), strings.Replace(network, "[20, 13, 7]", "[20, 13, 4]", 1))
	run := filepath.Join(dir, "run")
	done(t, "train", "-c", file, "-o", run, "--epochs", "1")
	require.Equal(t, []any{"cat", "dog", "odd\x1bname"}, figures(t, done(t, "eval", run, "--json"))["class_names"])
	_, table, _ := strings.Cut(done(t, "eval", run), "taken for:\n")
	lines := strings.Split(strings.TrimSpace(table), "\n")
	require.Equal(t, []string{"class", "count", "recall", "precision", "cat", "dog", `"odd\x1bname"`, "3"}, strings.Fields(lines[0]))
	for i, name := range []string{"cat", "dog", `"odd\x1bname"`, "3"} { // the last output has no class
		require.Equal(t, name, strings.Fields(lines[i+1])[0])
	}
}

// A mini-batch that is large for the samples is pointed at; one that is not is not.
func TestHintFewBatches(t *testing.T) {
	file := smallNetwork(t, 20, "")
	dir := t.TempDir()
	code, _, stderr := corinfo("train", "-c", file, "-o", filepath.Join(dir, "few"), "--epochs", "1", "--limit", "50")
	require.Equal(t, exitDone, code, stderr)
	require.Contains(t, stderr, "hint: 50 training samples are 2 mini-batches of 20 an epoch")
	require.Contains(t, stderr, "10 samples are left over")
	_, _, stderr = corinfo("train", "-c", file, "-o", filepath.Join(dir, "more"), "--epochs", "1")
	require.NotContains(t, stderr, "hint")
	_, _, stderr = corinfo("train", "-c", smallNetwork(t, 1, ""), "-o", filepath.Join(dir, "one"), "--epochs", "1", "--limit", "5")
	require.NotContains(t, stderr, "hint")
}

// A fixed run with a value beyond 64 bits is slow, and says which tensor to shorten.
func TestHintSlow(t *testing.T) {
	dir := t.TempDir()
	hints := func(name, formats, arithmetic string) string {
		file := smallNetwork(t, 2, formats)
		code, _, stderr := corinfo("train", "-c", file, "-o", filepath.Join(dir, name), "--epochs", "1", "--limit", "40", "--arithmetic", arithmetic)
		require.Equal(t, exitDone, code, stderr)
		return stderr
	}
	const wide = "formats: {eta: 'ap_ufixed<55,0>'}\n"
	require.Regexp(t, `hint: 2 of the formulas take some hundred times as long .*: soma1: .* eta \(u55f55\).*: more than 64 bits: shorten eta\n`, hints("slow", wide, "fixed"))
	require.NotContains(t, hints("float", wide, "float"), "hint")
	require.NotContains(t, hints("fast", "", "fixed"), "hint")
}

// A run that begins with imported weights may choose its samples, as one that draws them may; once it has learned it may not.
func TestLimitOfImportedWeights(t *testing.T) {
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	done(t, "train", "-c", file, "-o", at("start"), "--epochs", "1")
	done(t, "export", at("start"), "-o", at("w.npz"))
	for _, arithmetic := range []string{training.Float, training.Fixed} {
		run := at(arithmetic)
		done(t, "import", at("w.npz"), "-c", file, "-o", run, "--arithmetic", arithmetic)
		r := figures(t, done(t, "train", "-o", run, "--resume", "--limit", "30", "--epochs", "2", "--json"))
		require.EqualValues(t, 30, r["history"].([]any)[1].(map[string]any)["samples"])
		refused(t, exitUsage, []string{"limit: 30 in the run, 60 now"}, "train", "-o", run, "--resume", "--limit", "60", "--epochs", "3")
		done(t, "train", "-o", run, "--resume", "--epochs", "3") // the run's own
	}
}

// What a run answers to every test sample agrees with its figures, for float and fixed runs.
func TestEvalPredictions(t *testing.T) {
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	for _, arithmetic := range []string{training.Float, training.Fixed} {
		run := filepath.Join(dir, arithmetic)
		done(t, "train", "-c", file, "-o", run, "--epochs", "2", "--arithmetic", arithmetic)
		table := filepath.Join(dir, arithmetic+".csv")
		e := figures(t, done(t, "eval", run, "--predictions", table, "--states", "--json"))
		require.Equal(t, table, e["predictions"])
		lines := strings.Split(strings.TrimSpace(readFile(t, table)), "\n")
		require.Len(t, lines, 61)
		require.True(t, strings.HasPrefix(lines[0], "label,class,score0,") && strings.HasSuffix(lines[0], ",r2_6"), lines[0])
		labels := readFile(t, filepath.Join(filepath.Dir(file), "t10k-labels-idx1-ubyte"))[8:]
		right := 0
		for i, line := range lines[1:] {
			fields := strings.Split(line, ",")
			require.Len(t, fields, 2+7+20+13+7)
			require.Equal(t, strconv.Itoa(int(labels[i])), fields[0])
			require.Equal(t, fields[2:9], fields[42:], "the scores are the states of the last layer")
			if fields[0] == fields[1] {
				right++
			}
		}
		require.EqualValues(t, right, e["correct"])
		require.Contains(t, done(t, "eval", run, "--predictions", filepath.Join(dir, "p.npz")), "p.npz: what was answered to each of the samples\n")
	}
	run := filepath.Join(dir, training.Float)
	refused(t, exitUsage, []string{"--predictions FILE"}, "eval", run, "--states")
	refused(t, exitUsage, []string{"p.txt", ".csv or .npz"}, "eval", run, "--predictions", filepath.Join(dir, "p.txt"))
}
