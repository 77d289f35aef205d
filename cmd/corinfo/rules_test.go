package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/network"
	"corinfo/golden/training"
)

// rulesNetwork writes the small network of another rule beside its data.
func rulesNetwork(t *testing.T, rule string) string {
	t.Helper()
	file := smallNetwork(t, 3, "")
	section := map[string]string{"ep": "", "csm": "csm: {lateral: [-0.02]}"}[rule]
	text := strings.NewReplacer("rule: corinfomax", "rule: "+rule, "corinfomax: {epsilon: 0.15, lambda: 0.99999, leak: 0.5}", section, "  feedback: [0.15]\n", "",
		"{rule: divide_by_slow_loop_index, start: 0.05, stop: 0.001, decay: 0.01}", "{rule: constant, start: 0.5}", "[1.0, 0.7]", "[0.2, 0.1]").Replace(readFile(t, file))
	return writeFile(t, file, text)
}

// TestRules goes the way of a rule in every arithmetic: train, eval, quantize, export and
// import by the rule's own names.
func TestRules(t *testing.T) {
	for rule, arrays := range map[string][]string{"ep": {"W0 13 20", "W1 7 13", "b1 13 1", "b2 7 1"}, "csm": {"W0 13 20", "W1 7 13", "b1 13 1", "b2 7 1", "M1 13 13"}} {
		t.Run(rule, func(t *testing.T) {
			file, dir := rulesNetwork(t, rule), t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			for _, arithmetic := range []string{training.Float, training.Float32, training.Fixed} {
				trained := figures(t, done(t, "train", "-c", file, "-o", at(arithmetic), "--epochs", "6", "--arithmetic", arithmetic, "--json"))
				require.Greater(t, trained["test_accuracy"], 0.6, "one in seven by chance")
				require.Len(t, trained["plots"], 4, "accuracy and activity, no angle and no information")
				e := figures(t, done(t, "eval", at(arithmetic), "--json"))
				require.Empty(t, e["angles"])
				require.Equal(t, trained["test_accuracy"], e["accuracy"])
				text := done(t, "eval", at(arithmetic), "--plots")
				require.NotContains(t, text, "angle")
				require.NotContains(t, text, "information")
			}
			done(t, "train", "-o", at("float32"), "--resume", "--epochs", "7")
			text := done(t, "quantize", at("float"), "-o", at("quantized"), "--samples", "60")
			for _, tensor := range []string{"W0", "W1", "b1", "b2", "r1", "r2", "drive2"} {
				require.Regexp(t, `(?m)^`+tensor+` +ap_`, text)
			}
			done(t, "eval", at("quantized"))

			exported := figures(t, done(t, "export", at("float"), "-o", at("w.npz"), "--json"))
			var got []string
			for _, x := range exported["arrays"].([]any) {
				a := x.(map[string]any)
				got = append(got, fmt.Sprint(a["name"], " ", a["rows"], " ", a["cols"]))
			}
			require.Equal(t, arrays, got)
			done(t, "import", at("w.npz"), "-c", file, "-o", at("imported"))
			before, err := training.LoadCheckpoint(at("float"))
			require.NoError(t, err)
			asVectors(t, at("w.npz"), at("vectors.npz"))
			for _, file := range []string{"own.safetensors", "torch.safetensors", "torch.npz"} {
				names, _, _ := strings.Cut(strings.Replace(file, "own", "rule", 1), ".")
				told := done(t, "export", at("float"), "-o", at(file), "--names", names)
				require.Equal(t, names == "torch", strings.Contains(told, "W1  7 x 13  2.weight\n"), told)
			}
			for _, source := range []string{"w.npz", "vectors.npz", "own.safetensors", "torch.safetensors", "torch.npz"} {
				run := at("imported-" + source)
				done(t, "import", at(source), "-c", file, "-o", run)
				after, err := training.LoadCheckpoint(run)
				require.NoError(t, err)
				require.Equal(t, before.Tensors, after.Tensors)
			}
			other := smallNetwork(t, 3, "")
			refused(t, exitUsage, []string{"w.npz", `unknown array "b1"`, "W0, W1, F1, C1, C2"}, "import", at("w.npz"), "-c", other, "-o", at("other"))
			refused(t, exitUsage, []string{"rule", "corinfomax"}, "train", "-c", other, "-o", at("float"), "--resume")
		})
	}
}

// asVectors copies an archive, its matrices of one column as vectors: the way in which PyTorch has biases.
func asVectors(t *testing.T, from, to string) {
	t.Helper()
	r, err := zip.OpenReader(from)
	require.NoError(t, err)
	defer r.Close()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	changed := 0
	for _, f := range r.File {
		in, err := f.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(in)
		require.NoError(t, err)
		if head := 10 + int(binary.LittleEndian.Uint16(text[8:])); strings.HasPrefix(f.Name, "b") {
			require.Contains(t, string(text[:head]), ", 1)")
			copy(text, strings.Replace(string(text[:head]), ", 1)", ",)  ", 1))
			changed++
		}
		entry, err := w.Create(f.Name)
		require.NoError(t, err)
		_, err = entry.Write(text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.Equal(t, 2, changed)
	require.NoError(t, os.WriteFile(to, out.Bytes(), 0o644))
}

// TestRulesInHardware: rules and what they leave out, optimizers and schedules.
func TestRulesInHardware(t *testing.T) {
	whole := smallNetwork(t, 3, "")
	with := func(old, by string) string {
		text := readFile(t, whole)
		require.Contains(t, text, old)
		return writeFile(t, filepath.Join(t.TempDir(), "other.yaml"), strings.Replace(text, old, by, 1))
	}
	for name, file := range map[string]string{
		"ep":               rulesNetwork(t, "ep"),
		"csm":              rulesNetwork(t, "csm"),
		"no lateral":       with("leak: 0.5", "leak: 0.5, lateral: false"),
		"optimizer":        with("beta: 1", "beta: 1\n  optimizer: {kind: adam}"),
		"mini-batches":     with("beta: 1", "beta: 1\n  decay: {factor: 0.9, batches: 100}"),
		"centred":          with("beta: 1", "beta: 1\n  contrast: centred"),
		"inference's step": with("start: 0.05", "start: 0.05, inference: 0.1"),
		"asked for":        whole,
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			asked := []string{"--lanes", "6"}
			if name == "asked for" {
				asked = append(asked, "--neuron-units", "3")
			}
			made := figures(t, done(t, append([]string{"generate", "-c", file, "-o", out, "--board", "ulx3s-85f", "--vectors", "2", "--vectors-learn", "--json"}, asked...)...))
			require.NotZero(t, made["neuron_units"])
			require.NotNil(t, made["board"])
			estimate := figures(t, done(t, append([]string{"estimate", "-c", file, "--samples", "6", "--board", "ulx3s-85f", "--json"}, asked...)...))
			require.Positive(t, estimate["cycles_per_learning_sample"])
			if name != "ep" && name != "optimizer" { // compiled designs take their time
				return
			}
			r := figures(t, done(t, "cosim", out, "--samples", "6", "--learn", "6", "--json"))
			require.Zero(t, r["mismatches"])
			for _, figure := range []string{"cycles_per_inference", "cycles_per_learning_sample"} {
				require.InEpsilon(t, r[figure], estimate[figure], 0.05, figure)
			}
		})
	}
}

// TestRuleErrors: what a network file has of another rule, or wants of an input that it cannot hold, is said with its place.
func TestRuleErrors(t *testing.T) {
	good, ep, csm := smallNetwork(t, 3, ""), rulesNetwork(t, "ep"), rulesNetwork(t, "csm")
	for name, c := range map[string]struct{ file, old, new, want string }{
		"unknown rule":           {ep, "rule: ep", "rule: oja", `other.yaml:3:1: rule: "oja"; want one of corinfomax, ep, csm, pc, pc-nudge, fa, bp`},
		"no rule":                {ep, "rule: ep\n", "", "other.yaml: rule: missing; every network file sets it"},
		"section of another":     {ep, "seed: 5", "corinfomax: {epsilon: 1}\nseed: 5", "corinfomax: a section of rule corinfomax; this network's rule is ep"},
		"section of csm":         {good, "seed: 5", "csm: {lateral: [-1]}\nseed: 5", ":16:1: csm: a section of rule csm; this network's rule is corinfomax"},
		"setting of another":     {ep, "batch: 3", "batch: 3\n  feedback: [0.1]", "learning.feedback: ep has no such setting"},
		"contrast of another":    {csm, "batch: 3", "batch: 3\n  contrast: third", `learning.contrast: "third"; csm has only free`},
		"missing of its own":     {csm, "csm: {lateral: [-0.02]}", "", "csm.lateral: missing"},
		"lateral rates":          {csm, "[-0.02]", "[0.02]", "csm.lateral: 0.02; want a number below 0"},
		"tensor of another":      {ep, "seed: 5", "formats: {M: 'ap_fixed<8,1>'}\nseed: 5", "formats.M: unknown tensor"},
		"signed into unsigned x": {ep, "{name: idx", "{normalize: {mean: [0.5], deviation: [0.5]}, name: idx", ""},
	} {
		t.Run(name, func(t *testing.T) {
			text := readFile(t, c.file)
			require.Contains(t, text, c.old)
			text = strings.Replace(text, c.old, c.new, 1)
			out := filepath.Join(t.TempDir(), "out")
			if name == "signed into unsigned x" {
				text += "formats: {x: 'ap_ufixed<9,1,RND,SAT>'}\n"
				c.want = "formats.x: ap_ufixed<9,1,RND,SAT> holds no input below 0, and dataset.normalize makes some down to -1; use ap_fixed"
			}
			file := writeFile(t, filepath.Join(t.TempDir(), "other.yaml"), text)
			refused(t, exitUsage, []string{"other.yaml", c.want}, "train", "-c", file, "-o", out, "--arithmetic", "fixed")
			refused(t, exitUsage, []string{"other.yaml", c.want}, "estimate", "-c", file)
			require.NoFileExists(t, out)
		})
	}
}

// TestHelpNamesNoRule: what holds for every rule is said without the names that one has for its synapses.
func TestHelpNamesNoRule(t *testing.T) {
	for _, c := range newApp(io.Discard, io.Discard).Commands {
		help := done(t, c.Name, "--help")
		for _, name := range []string{"W0", "F1", "C1", "W and F"} {
			require.NotContains(t, help, name, c.Name)
		}
	}
}

// TestStudyRules does docs/studies/rules-smoke.yaml: all systems of the paper's table beside each other, with memory, multipliers and cycles of each, in table,
// page and JSON.
func TestStudyRules(t *testing.T) {
	file, folder := filepath.Join("..", "..", "docs", "studies", "rules-smoke.yaml"), filepath.Join(t.TempDir(), "rules")
	stdout := done(t, "study", "run", file, "-o", folder, "--json")
	got := figures(t, stdout)
	require.Equal(t, 40.0, got["done"])
	best := got["recommended"].(map[string]any)
	require.NotContains(t, []any{"mnist", "mnist-sparse"}, best["settings"].(map[string]any)["network"], "the others are more accurate here")
	require.ElementsMatch(t, []string{"settings", "accuracy", "accuracy_low", "accuracy_high", "loss", "synapse_bits", "memory_bits", "multipliers",
		"cycles_per_inference", "run"}, slices.Collect(maps.Keys(best)))
	run := best["run"].(map[string]any)
	n, err := network.Load(run["network"].(string))
	require.NoError(t, err)
	require.Equal(t, []int{784, 64, 10}, n.Layers)
	require.NotEqual(t, "corinfomax", n.Rule)
	checkpoint, err := training.LoadCheckpoint(run["weights"].(string))
	require.NoError(t, err)
	require.Equal(t, n.Fingerprint(), checkpoint.Network.Fingerprint())

	rows, err := csv.NewReader(strings.NewReader(readFile(t, got["table"].(string)))).ReadAll()
	require.NoError(t, err)
	column := func(row []string, name string) string { return row[slices.Index(rows[0], name)] }
	for _, row := range rows[1:] {
		require.Equal(t, "done", column(row, "status"))
		inference := column(row, "kind") == "inference"
		for _, name := range []string{"memory_bits", "multipliers", "cycles_per_inference"} {
			require.Equal(t, inference, column(row, name) != "", "%v", row)
		}
	}
	page := readFile(t, got["report"].(string))
	for _, words := range []string{"study of mnist, mnist-sparse, mnist-ep, mnist-csm, mnist-pc, mnist-pc-nudge, mnist-fa-mse, mnist-fa-ce, mnist-bp-mse, mnist-bp-ce on mnist", "The point with the fewest memory bits", "<dt>memory</dt>", "<code>corinfo eval recommended</code>", "<code>corinfo generate --weights recommended"} {
		require.Contains(t, page, words)
	}
	require.NotContains(t, page, "<td></td><td></td><td></td>")
	text := done(t, "study", "report", file, "-o", folder)
	require.Contains(t, text, "without more memory bits:")
	require.Contains(t, text, "its run, for generate --weights: ")
}
