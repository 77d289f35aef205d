package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/hdlgen"
)

// needTool skips a test without its tool.
var needTool = goldentest.NeedTool

// corinfo runs a command line.
func corinfo(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(context.Background(), append([]string{"corinfo"}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// done runs a command line that must succeed and returns what it prints.
func done(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := corinfo(args...)
	require.Equal(t, exitDone, code, "%v: %s", args, stderr)
	return stdout
}

// refused runs a command line that must end with a code and say every one of the words.
func refused(t *testing.T, code int, words []string, args ...string) {
	t.Helper()
	got, stdout, stderr := corinfo(args...)
	require.Equal(t, code, got, "%v: %s", args, stderr)
	require.Empty(t, stdout)
	for _, word := range words {
		require.Contains(t, stderr, word)
	}
	require.NotContains(t, stderr, "panic")
}

// figures decodes the one JSON object that a command prints.
func figures(t *testing.T, stdout string) map[string]any {
	t.Helper()
	var all map[string]any
	d := json.NewDecoder(strings.NewReader(stdout))
	require.NoError(t, d.Decode(&all))
	require.False(t, d.More(), "more than one object")
	return all
}

// smallNetwork writes a network file of 20-13-7 neurons on idx files of its own and returns the file.
func smallNetwork(t *testing.T, batch int, more string) string {
	t.Helper()
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(3, 3))
	for i, name := range []string{"train", "t10k"} {
		count := []int{300, 60}[i]
		images := binary.BigEndian.AppendUint32(nil, 0x803)
		for _, n := range []int{count, 4, 5} {
			images = binary.BigEndian.AppendUint32(images, uint32(n))
		}
		labels := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, 0x801), uint32(count))
		for range count {
			label := rng.IntN(7)
			labels = append(labels, byte(label))
			for pixel := range 20 {
				value := byte(0)
				if pixel/3 == label || rng.IntN(8) == 0 {
					value = byte(128 + rng.IntN(128))
				}
				images = append(images, value)
			}
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+"-images-idx3-ubyte"), images, 0o644))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name+"-labels-idx1-ubyte"), labels, 0o644))
	}
	return writeFile(t, filepath.Join(dir, "small.yaml"), fmt.Sprintf(`name: digits
dataset: {name: idx, path: %s}
rule: corinfomax
layers: [20, 13, 7]
corinfomax: {epsilon: 0.15, lambda: 0.99999, leak: 0.5}
settling:
  free_iterations: 20
  nudged_iterations: 4
  step: {rule: divide_by_slow_loop_index, start: 0.05, stop: 0.001, decay: 0.01}
learning:
  batch: %d
  beta: 1
  feedforward: [1.0, 0.7]
  feedback: [0.15]
  epochs: 12
seed: 5
hardware: {lanes: 3}
%s`, dir, batch, more))
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

// The README's worked example on a small data set.
func TestWholeWay(t *testing.T) {
	needTool(t, "iverilog")
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	float, fixed, design := filepath.Join(dir, "float"), filepath.Join(dir, "fixed"), filepath.Join(dir, "design")

	trained := figures(t, done(t, "train", "-c", file, "-o", float, "--json"))
	require.EqualValues(t, 12, trained["epochs"])
	require.Greater(t, trained["samples_per_second"], 0.0)
	require.Greater(t, trained["test_accuracy"], 0.6, "the digits are easy to tell apart")

	evaluated := figures(t, done(t, "eval", float, "--json"))
	require.Equal(t, trained["test_accuracy"], evaluated["accuracy"])
	require.Len(t, evaluated["angles"], 1)

	quantized := figures(t, done(t, "quantize", float, "-o", fixed, "--samples", "60", "--json"))
	require.Empty(t, quantized["misfits"])
	done(t, "eval", fixed)

	done(t, "generate", "--weights", fixed, "--lanes", "4", "-o", design)
	// Flags may follow the argument.
	r := figures(t, done(t, "cosim", design, "--simulator", "icarus", "--samples", "3", "--learn", "7", "--json"))
	for _, key := range []string{"samples", "learned", "compared_states", "compared_synapses", "mismatches", "cycles_per_inference",
		"cycles_per_learning_sample", "lane_utilisation", "skipped_fraction", "simulator", "seconds"} {
		require.Contains(t, r, key)
	}
	require.EqualValues(t, 3, r["samples"])
	require.EqualValues(t, 7, r["learned"])
	require.EqualValues(t, 0, r["mismatches"])
	require.Greater(t, r["compared_synapses"], 100.0)

	estimated := figures(t, done(t, "estimate", "-c", file, "--weights", fixed, "--lanes", "4", "--json"))
	require.InEpsilon(t, r["cycles_per_inference"], estimated["cycles_per_inference"], 0.1)
}

// quantize gives all layers one format per kind of tensor; what formats of each layer's own cost, estimate tells.
func TestQuantizeScope(t *testing.T) {
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	done(t, "train", "-c", file, "-o", at("float"), "--epochs", "2")
	formats := func(run string, flags ...string) (perKind map[string]map[string]bool) {
		q := figures(t, done(t, append([]string{"quantize", at("float"), "-o", at(run), "--json"}, flags...)...))
		perKind = map[string]map[string]bool{}
		for _, x := range q["tensors"].([]any) {
			tensor := x.(map[string]any)
			kind := strings.TrimRight(tensor["tensor"].(string), "0123456789")
			if perKind[kind] == nil {
				perKind[kind] = map[string]bool{}
			}
			perKind[kind][tensor["format"].(string)] = true
		}
		return perKind
	}
	for kind, types := range formats("shared") {
		require.Len(t, types, 1, kind)
	}
	several := 0
	for _, types := range formats("layers", "--per-layer") {
		if len(types) > 1 {
			several++
		}
	}
	require.Positive(t, several)
	// Once for all layers in the network file too.
	require.Contains(t, readFile(t, at("shared/network.yaml")), "  drive: ap_fixed<")
	require.NotContains(t, readFile(t, at("shared/network.yaml")), "drive1")

	estimated := func(run string) map[string]any {
		return figures(t, done(t, "estimate", "--weights", at(run), "--lanes", "4", "--samples", "2", "--json"))
	}
	shared, own := estimated("shared"), estimated("layers")
	require.NotContains(t, shared, "shared_formats")
	require.Equal(t, map[string]any{"pipelines": shared["pipelines"], "multipliers": shared["multipliers"]}, own["shared_formats"])
	require.Greater(t, own["multipliers"], shared["multipliers"])
	require.Greater(t, own["pipelines"], shared["pipelines"])
	text := done(t, "estimate", "--weights", at("layers"), "--lanes", "4", "--samples", "2")
	require.Contains(t, text, fmt.Sprintf("formats differ        %v pipelines and %v multipliers; %v and %v if all layers had one format per kind",
		own["pipelines"], own["multipliers"], shared["pipelines"], shared["multipliers"]))
	require.NotContains(t, done(t, "estimate", "--weights", at("shared"), "--lanes", "4", "--samples", "2"), "formats differ")
}

// An unsigned type that cannot hold what is negative does not keep training and evaluation from describing the values.
func TestUnsignedFactorsAreDescribed(t *testing.T) {
	file := smallNetwork(t, 3, "formats: {e: \"ap_ufixed<18,4>\", drive: \"ap_ufixed<18,4>\"}\n")
	run := filepath.Join(t.TempDir(), "run")
	done(t, "train", "-c", file, "-o", run, "--epochs", "1")
	done(t, "eval", run)
}

// A learned network gives the same design whether its run is given by words or by the float run with the
// formats of the network file that quantize writes.
func TestGenerateFromEitherRun(t *testing.T) {
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	done(t, "train", "-c", file, "-o", at("float"))
	done(t, "quantize", at("float"), "-o", at("fixed"))
	done(t, "generate", "--weights", at("fixed"), "-o", at("a"))
	done(t, "generate", "-c", at("fixed/network.yaml"), "--weights", at("float"), "-o", at("b"))
	done(t, "generate", "-c", file, "--weights", at("fixed"), "-o", at("c"))
	for _, other := range []string{"b", "c"} {
		for _, name := range []string{"corinfo.json", "rtl/digits_unit.v", "images/digits_lane_0001.hex"} {
			want, err := os.ReadFile(at("a/" + name))
			require.NoError(t, err)
			got, err := os.ReadFile(at(other + "/" + name))
			require.NoError(t, err)
			require.Equal(t, string(want), string(got), name)
		}
	}
}

func TestTrainFixed(t *testing.T) {
	file := smallNetwork(t, 3, "")
	run := filepath.Join(t.TempDir(), "run")
	r := figures(t, done(t, "train", "--arithmetic", "fixed", "-c", file, "-o", run, "--epochs", "11", "--json"))
	require.EqualValues(t, 11, r["epochs"])
	r = figures(t, done(t, "train", "-o", run, "--resume", "--json")) // to the 11 epochs that it was started for
	require.EqualValues(t, 11, r["epochs"])
	r = figures(t, done(t, "train", "-o", run, "--resume", "--epochs", "12", "--json"))
	require.EqualValues(t, 12, r["epochs"])
	require.Greater(t, r["test_accuracy"], 0.6)
	refused(t, exitUsage, []string{"holds a run already", "--resume"}, "train", "-c", file, "-o", run)
	refused(t, exitUsage, []string{"arithmetic", "fixed", "float"}, "train", "-o", run, "--resume", "--arithmetic", "float")
}

func TestInit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tiny.yaml")
	done(t, "init", "--preset", "tiny", file)
	refused(t, exitUsage, []string{file, "exists"}, "init", file)
	refused(t, exitUsage, []string{"tinny", "tiny", "cifar10-sparse"}, "init", "--preset", "tinny", file+"2")
	require.NoFileExists(t, file+"2")
	for _, name := range network.Presets() {
		file := filepath.Join(t.TempDir(), name+".yaml")
		done(t, "init", "--preset", name, file)
		n, err := network.Load(file)
		require.NoError(t, err)
		require.NoError(t, hdlgen.CheckName(n.Name))
		require.Contains(t, done(t, "init", "--help"), name)
	}
}

// A network with sparse layers trains in every arithmetic, is quantized, and its design runs in lock step.
func TestSparse(t *testing.T) {
	needTool(t, "iverilog")
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	writeFile(t, file, strings.Replace(readFile(t, file), "leak: 0.5", "leak: 0.5, sparse: {layers: [1, 2], nu: [1e-6, 0.01]}", 1))
	run, quantized, out := filepath.Join(dir, "run"), filepath.Join(dir, "quantized"), filepath.Join(dir, "out")
	done(t, "train", "-c", file, "-o", run, "--epochs", "1")
	text := done(t, "quantize", run, "-o", quantized)
	for _, tensor := range []string{"excess1", "qu1", "q1", "excess2", "qu2", "q2"} {
		require.Regexp(t, `(?m)^`+tensor+` +ap_`, text)
	}
	done(t, "eval", quantized)
	done(t, "train", "-c", file, "-o", filepath.Join(dir, "fixed"), "--arithmetic", "fixed", "--epochs", "1")
	done(t, "estimate", "--weights", quantized, "--samples", "2")
	done(t, "generate", "--weights", quantized, "--lanes", "3", "--contexts", "2", "-o", out)
	require.Contains(t, done(t, "cosim", out, "--simulator", "icarus", "--samples", "2", "--learn", "3"), "mismatches            0")
}

func TestProperties(t *testing.T) {
	needTool(t, "iverilog")
	out := filepath.Join(t.TempDir(), "out")
	done(t, "generate", "-c", smallNetwork(t, 3, ""), "--lanes", "3", "-o", out)
	cosim := []string{"cosim", out, "--simulator", "icarus", "--properties", "--samples", "2", "--learn", "3"}
	require.Contains(t, done(t, cosim...), "mismatches            0")
	goldentest.ReplaceIn(t, filepath.Join(out, "library/corinfo_fifo.v"), "valid_q <= words_q != OneWord;", "valid_q <= 1'b1;")
	refused(t, exitFailed, []string{"a property is violated: corinfo_fifo: valid_o is not that there is a word"}, cosim...)
}

// generate --vectors puts samples and answers into the design, which plays them; a design without them has none left.
func TestGenerateVectors(t *testing.T) {
	needTool(t, "iverilog")
	file := smallNetwork(t, 3, "")
	out := filepath.Join(t.TempDir(), "design")
	text := done(t, "generate", "-c", file, "-o", out, "--vectors", "2", "--vectors-learn")
	require.Contains(t, text, "vectors of 5 samples: `sh "+filepath.Join(out, "vectors", "simulate")+" icarus` plays them")
	var d struct {
		Design     string
		Classified int
		Learned    int
		Inputs     int
		Files      map[string]struct {
			File, Format string
			Words, Width int
			Signed       bool
			Fraction     *int
		}
		Samples []struct {
			Learn, Negative bool
			Label, Class    int
		}
	}
	require.NoError(t, json.Unmarshal([]byte(readFile(t, filepath.Join(out, "vectors", "digits_vectors.json"))), &d))
	require.Equal(t, []any{"digits", 2, 3, 20}, []any{d.Design, d.Classified, d.Learned, d.Inputs})
	require.Len(t, d.Samples, 5)
	labels := readFile(t, filepath.Join(filepath.Dir(file), "t10k-labels-idx1-ubyte"))[8:]
	images := readFile(t, filepath.Join(filepath.Dir(file), "t10k-images-idx3-ubyte"))[16:]
	inputs := strings.Fields(readFile(t, filepath.Join(out, "vectors", d.Files["inputs"].File)))
	require.Len(t, inputs, 5*20)
	require.Equal(t, 100, d.Files["inputs"].Words)
	for i := range 2 {
		require.Equal(t, int(labels[i]), d.Samples[i].Label)
		require.False(t, d.Samples[i].Learn)
		for j := range 20 {
			word, err := strconv.ParseUint(inputs[20*i+j], 16, 64)
			require.NoError(t, err)
			require.InDelta(t, float64(images[20*i+j])/255, math.Ldexp(float64(word), -*d.Files["inputs"].Fraction), math.Ldexp(0.5, -*d.Files["inputs"].Fraction))
		}
	}
	for name, f := range d.Files {
		require.Len(t, strings.Fields(readFile(t, filepath.Join(out, "vectors", f.File))), f.Words, name)
	}
	cmd := exec.Command("sh", filepath.Join(out, "vectors", "simulate"), "icarus")
	answer, err := cmd.CombinedOutput()
	require.NoError(t, err, string(answer))
	require.Contains(t, string(answer), "passed: 35 scores and 5 classes, ")

	done(t, "generate", "-c", file, "-o", out)
	require.NoDirExists(t, filepath.Join(out, "vectors"))
	require.NoDirExists(t, filepath.Join(out, "sim", "vectors"))
	refused(t, exitUsage, []string{"give --vectors N"}, "generate", "-c", file, "-o", out, "--vectors-learn")
	refused(t, exitUsage, []string{"--vectors 0", "at least 1"}, "generate", "-c", file, "-o", out, "--vectors", "0")
	refused(t, exitUsage, []string{"61 test samples; the test set has 60"}, "generate", "-c", file, "-o", out, "--vectors", "61")
}
