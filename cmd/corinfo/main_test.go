package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/simd"
	"corinfo/golden/training"
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

func TestWrongUsage(t *testing.T) {
	refused(t, exitUsage, []string{"flag needs an argument", "-o"}, "train", "-c", "x", "-o")
	refused(t, exitUsage, []string{"unknown command", "cosin"}, "cosin")
	refused(t, exitUsage, []string{"-sample", "--help"}, "cosim", "x", "--sample", "3")
	refused(t, exitUsage, []string{"cosim", "0 arguments"}, "cosim")
	refused(t, exitUsage, []string{"unexpected argument", "x"}, "generate", "x", "-o", "y")
	refused(t, exitUsage, []string{"-o is missing"}, "generate", "-c", "x")
	refused(t, exitUsage, []string{"-c is missing"}, "train", "-o", "x")
	refused(t, exitUsage, []string{"no design", "corinfo generate"}, "cosim", t.TempDir())
	refused(t, exitUsage, []string{"no checkpoint", "corinfo train"}, "eval", t.TempDir())
	refused(t, exitUsage, []string{"modelsim", "verilator or icarus"}, "cosim", t.TempDir(), "--simulator", "modelsim")
	refused(t, exitUsage, []string{"--workers 0"}, "cosim", t.TempDir(), "--workers", "0")
	file := smallNetwork(t, 3, "")
	refused(t, exitUsage, []string{"--epochs 0", "at least 1"}, "train", "-c", file, "-o", "x", "--epochs", "0")
	refused(t, exitUsage, []string{"--epochs 1048577", "at most 1048576"}, "train", "-c", file, "-o", "x", "--epochs", "1048577")
	refused(t, exitUsage, []string{"--seed 4294967296"}, "train", "-c", file, "-o", filepath.Join(t.TempDir(), "x"), "--seed", "4294967296")
	refused(t, exitUsage, []string{"lanes", "-1"}, "generate", "-c", file, "-o", filepath.Join(t.TempDir(), "x"), "--lanes", "-1")
}

// Wrong input ends with 2, damaged data with 1, and nothing is left half-written.
func TestBadNetworkFiles(t *testing.T) {
	good, err := os.ReadFile(smallNetwork(t, 3, ""))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		old, new string
		words    []string
	}{
		"unknown key":     {"leak:", "leek:", []string{":5:46", "corinfomax.leek", `"leak"`}},
		"layer of size 0": {"[20, 13, 7]", "[20, 0, 7]", []string{":4:", "layer 1", "0"}},
		"format 0":        {"seed: 5", "seed: 5\nformats: {W: 'ap_fixed<0,0>'}", []string{"W", `"0"`, "1 to 64"}},
		"format 65":       {"seed: 5", "seed: 5\nformats: {r1: 'ap_fixed<65,1>'}", []string{"r1", `"65"`, "1 to 64"}},
		"wrong tensor":    {"seed: 5", "seed: 5\nformats: {Q: 'ap_fixed<8,1>'}", []string{"Q"}},
		"NaN":             {"epsilon: 0.15", "epsilon: .nan", []string{":5:", "epsilon"}},
		"no YAML":         {"layers: [20", "layers: [[20", []string{"small.yaml:"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			text := strings.Replace(string(good), c.old, c.new, 1)
			require.NotEqual(t, string(good), text)
			file := writeFile(t, filepath.Join(dir, "small.yaml"), text)
			out := filepath.Join(dir, "out")
			refused(t, exitUsage, c.words, "train", "-c", file, "-o", out)
			refused(t, exitUsage, c.words, "generate", "-c", file, "-o", out)
			refused(t, exitUsage, c.words, "estimate", "-c", file)
			require.NoFileExists(t, out)
		})
	}
}

// TestImageFolders trains on images in a folder per class, and goes all the way to an estimate.
func TestImageFolders(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	for part, count := range map[string]int{"train": 40, "test": 10} {
		for bright, class := range []string{"a", "b", "c", "d", "e"} { // one column each
			folder := filepath.Join(data, part, class)
			require.NoError(t, os.MkdirAll(folder, 0o755))
			for i := range count {
				m := image.NewGray(image.Rect(0, 0, 5, 4))
				for p := range m.Pix {
					m.Pix[p] = uint8((i*7 + p*5) % 20)
					if p%5 == bright {
						m.Pix[p] += 200
					}
				}
				var text bytes.Buffer
				require.NoError(t, png.Encode(&text, m))
				writeFile(t, filepath.Join(folder, fmt.Sprintf("%d.png", i)), text.String())
			}
		}
	}
	text, err := os.ReadFile(smallNetwork(t, 4, ""))
	require.NoError(t, err)
	network := func(name, folder string) string {
		lines := strings.Split(strings.Replace(string(text), "[20, 13, 7]", "[20, 13, 5]", 1), "\n")
		lines[1] = "dataset: {name: images, path: " + folder + "}"
		return writeFile(t, filepath.Join(dir, name), strings.Join(lines, "\n"))
	}
	file := network("columns.yaml", data)
	run, fixed := filepath.Join(dir, "run"), filepath.Join(dir, "fixed")
	trained := figures(t, done(t, "train", "-c", file, "-o", run, "--json"))
	require.Greater(t, trained["test_accuracy"], 0.4, "one in five by chance")
	done(t, "quantize", run, "-o", fixed)
	done(t, "estimate", "--weights", fixed)

	moved := filepath.Join(dir, "moved")
	require.NoError(t, os.Rename(data, moved))
	refused(t, exitUsage, []string{data, "train/CLASS/NAME.png"}, "train", "-o", run, "--resume", "--epochs", "13")
	other := network("moved.yaml", moved)
	done(t, "train", "-c", other, "-o", run, "--resume", "--epochs", "13")
	broken := writeFile(t, filepath.Join(moved, "test", "a", "3.png"), "no image")
	refused(t, exitFailed, []string{broken, "neither PNG nor JPEG"}, "train", "-c", other, "-o", run, "--resume", "--epochs", "14")
}

// CIFAR-10 that is not there is wrong usage, with a remedy; a file that is not whole is damaged.
func TestCIFARFiles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	done(t, "init", "--preset", "cifar10", "net.yaml")
	words := []string{"data_batch_1.bin", "cifar-10-batches-bin", "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"}
	refused(t, exitUsage, words, "train", "-c", "net.yaml", "-o", "run", "--limit", "20", "--epochs", "1")
	require.NoError(t, os.Mkdir("cifar-10-batches-bin", 0o755))
	broken := writeFile(t, filepath.Join("cifar-10-batches-bin", "data_batch_1.bin"), "\x01\x02\x03")
	refused(t, exitFailed, []string{broken, "at byte 3", "record 0"}, "train", "-c", "net.yaml", "-o", "run", "--limit", "20", "--epochs", "1")
	require.NoFileExists(t, "run")
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

func TestDamagedData(t *testing.T) {
	needTool(t, "iverilog")
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	run, design := filepath.Join(dir, "run"), filepath.Join(dir, "design")
	done(t, "train", "-c", file, "-o", run, "--epochs", "1")
	done(t, "generate", "-c", file, "--weights", run, "-o", design)

	// damaged changes a file, tries, and restores it.
	damaged := func(path string, change func([]byte) []byte, code int, words []string, args ...string) {
		t.Helper()
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, change(bytes.Clone(text)), 0o644))
		refused(t, code, words, args...)
		require.NoError(t, os.WriteFile(path, text, 0o644))
	}
	truncate := func(b []byte) []byte { return b[:len(b)-5] }
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	checkpoint := filepath.Join(run, "checkpoint")
	for _, change := range []func([]byte) []byte{truncate, flip} {
		damaged(checkpoint, change, exitFailed, []string{checkpoint}, "eval", run)
		damaged(checkpoint, change, exitFailed, []string{checkpoint}, "train", "-o", run, "--resume")
		damaged(checkpoint, change, exitFailed, []string{checkpoint}, "quantize", run, "-o", filepath.Join(dir, "fixed"))
		damaged(checkpoint, change, exitFailed, []string{checkpoint}, "generate", "--weights", run, "-o", filepath.Join(dir, "other"))
		damaged(filepath.Join(design, "images/digits_lane_0001.hex"), change, exitFailed, []string{"lane_0001.hex", "generate"}, "cosim", design)
	}
	require.NoFileExists(t, filepath.Join(dir, "fixed"))
	require.NoFileExists(t, filepath.Join(dir, "other"))
	images := filepath.Join(filepath.Dir(file), "train-images-idx3-ubyte")
	damaged(images, truncate, exitFailed, []string{images}, "train", "-c", file, "-o", filepath.Join(dir, "new"))
	damaged(images, func(b []byte) []byte { b[3] ^= 1; return b }, exitFailed, []string{images}, "train", "-c", file, "-o", filepath.Join(dir, "new"))
	require.NoFileExists(t, filepath.Join(dir, "new"))

	// Changed content of the right length is another data set: a run does not go on with it.
	damaged(images, flip, exitUsage, []string{"dataset", "content"}, "train", "-o", run, "--resume", "--epochs", "2")

	damaged(filepath.Join(design, "network.yaml"), func(b []byte) []byte { return bytes.Replace(b, []byte("leak: 0.5"), []byte("leak: 0.4"), 1) },
		exitFailed, []string{"network.yaml", "generate again"}, "cosim", design)

	foreign := filepath.Join(dir, "foreign")
	require.NoError(t, os.Mkdir(foreign, 0o755))
	writeFile(t, filepath.Join(foreign, "thesis.tex"), "years of work")
	refused(t, exitUsage, []string{foreign, "another folder"}, "generate", "-c", file, "-o", foreign)
	require.FileExists(t, filepath.Join(foreign, "thesis.tex"))
	refused(t, exitUsage, []string{images}, "generate", "-c", file, "-o", images)
	refused(t, exitUsage, []string{foreign, "another folder"}, "train", "-c", file, "-o", foreign)
	refused(t, exitUsage, []string{foreign, "another folder"}, "quantize", run, "-o", foreign)
	writeFile(t, filepath.Join(foreign, "corinfo.json"), "{}")
	refused(t, exitUsage, []string{foreign, "another folder"}, "generate", "-c", file, "-o", foreign)
	writeFile(t, filepath.Join(design, "board.xdc"), "pins")
	writeFile(t, filepath.Join(design, "rtl/digits_unit.v"), "module digits_unit; endmodule")
	refused(t, exitUsage, []string{"digits_unit.v", "another folder", "--force"}, "generate", "-c", file, "-o", design)
	done(t, "generate", "-c", file, "-o", design, "--force")
	require.FileExists(t, filepath.Join(design, "board.xdc"))
	done(t, "generate", "-c", file, "-o", design)
	refused(t, exitUsage, []string{"no samples"}, "cosim", design, "--samples", "0")
}

func TestNoSimulator(t *testing.T) {
	file := smallNetwork(t, 3, "")
	design := filepath.Join(t.TempDir(), "design")
	done(t, "generate", "-c", file, "-o", design)
	t.Setenv("PATH", t.TempDir())
	refused(t, exitUsage, []string{"verilator", "not on the PATH", "apt-get install verilator"}, "cosim", design)
	t.Setenv(simd.Variable, "sse")
	code, stdout, stderr := corinfo("doctor")
	require.Equal(t, exitFailed, code)
	require.Regexp(t, `float kernels +`+simd.Name()+" +CORINFO_SIMD=sse is not among", stdout)
	require.Contains(t, stdout, "apt-get install verilator")
	require.Contains(t, stderr, "verilator")
}

// A full disk: the error names the file, the run stays what it was.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount a small file system")
	}
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("cannot mount: %s", out)
	}
	defer exec.Command("umount", disk).Run()
	file := smallNetwork(t, 3, "")
	run := filepath.Join(disk, "run")
	done(t, "train", "-c", file, "-o", run, "--epochs", "1")
	before, err := os.ReadFile(filepath.Join(run, "checkpoint"))
	require.NoError(t, err)
	fill, err := os.Create(filepath.Join(disk, "fill"))
	require.NoError(t, err)
	for err == nil {
		_, err = fill.Write(make([]byte, 512))
	}
	for _, c := range []struct {
		file string
		room int64 // for the lock and the files of metrics, when the run is resumed, but for no checkpoint
	}{{"metrics.jsonl", 0}, {"checkpoint", 8192}} {
		size, err := fill.Seek(0, io.SeekEnd)
		require.NoError(t, err)
		require.NoError(t, fill.Truncate(size-c.room))
		refused(t, exitFailed, []string{filepath.Join(run, c.file), "no space left", "make room", "resume"}, "train", "-o", run, "--resume", "--epochs", "2")
		after, err := os.ReadFile(filepath.Join(run, "checkpoint"))
		require.NoError(t, err)
		require.Equal(t, before, after)
		times, err := training.ReadTimes(run)
		require.NoError(t, err)
		require.Len(t, times, 2) // epochs 0 and 1
	}
	_, err = fill.Write(make([]byte, 8192))
	require.NoError(t, err)
	for _, more := range [][]string{{"--plots"}, {"--predictions", filepath.Join(disk, "answers.csv"), "--states"}, {"--predictions", filepath.Join(disk, "answers.npz"), "--states"}} {
		code, stdout, stderr := corinfo(append([]string{"eval", run}, more...)...)
		require.Equal(t, exitFailed, code)
		require.Contains(t, stderr, "no space left")
		require.Contains(t, stdout, ": test accuracy ", "what was computed is shown")
	}
	fill.Close()
	refused(t, exitFailed, []string{"no space left"}, "generate", "-c", file, "-o", filepath.Join(disk, "design"))
	require.NoFileExists(t, filepath.Join(disk, "design"))
	refused(t, exitFailed, []string{"no space left"}, "quantize", run, "-o", filepath.Join(disk, "fixed"))
	require.NoFileExists(t, filepath.Join(disk, "fixed"))
	left, err := os.ReadDir(disk)
	require.NoError(t, err)
	require.Len(t, left, 2, "nothing half-written: %v", left)
}

// TestFullOutput: what cannot be written to stdout is no success, help among it.
func TestFullOutput(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("no full device: %v", err)
	}
	defer full.Close()
	for _, args := range [][]string{{"--help"}, {"--version"}, {}, {"train", "--help"}, {"study"}, {"study", "run", "--help"},
		{"estimate", "-c", smallNetwork(t, 3, ""), "--samples", "0"}} {
		var stderr bytes.Buffer
		require.Equal(t, exitFailed, run(context.Background(), append([]string{"corinfo"}, args...), full, &stderr), "%v", args)
		require.Contains(t, stderr.String(), "no space left", "%v", args)
	}
}

// TestDesignIsNoRun: a design's folder holds a checkpoint, too, but train and eval do not take it for a run.
func TestDesignIsNoRun(t *testing.T) {
	design := filepath.Join(t.TempDir(), "design")
	file := smallNetwork(t, 3, "")
	done(t, "generate", "-c", file, "-o", design)
	before := folderText(t, design)
	words := []string{design + " holds a design, not a run", "corinfo cosim"}
	refused(t, exitUsage, words, "eval", design)
	refused(t, exitUsage, words, "train", "-o", design, "--resume")
	refused(t, exitUsage, words, "train", "-c", file, "-o", design)
	require.Equal(t, before, folderText(t, design))
}

// folderText is the content of every file of a folder, by its path.
func folderText(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	}))
	return files
}

// TestLargeNetworks: what sizes alone tell is told before synapses are made, an estimate of the dense computation needs none, and the
// making of others is interrupted.
func TestLargeNetworks(t *testing.T) {
	text, err := os.ReadFile(smallNetwork(t, 3, ""))
	require.NoError(t, err)
	of := func(name, layers string) string {
		return writeFile(t, filepath.Join(t.TempDir(), name), strings.Replace(string(text), "[20, 13, 7]", layers, 1))
	}
	file, half := of("large.yaml", "[16000, 8000, 10]"), of("half.yaml", "[16000, 2000, 10]")
	start := time.Now()
	out := filepath.Join(t.TempDir(), "out")
	refused(t, exitUsage, []string{"3 lanes hold", "use more lanes"}, "generate", "-c", file, "-o", out)
	refused(t, exitUsage, []string{"3 lanes hold", "use more lanes"}, "estimate", "-c", file)
	require.Contains(t, done(t, "estimate", "-c", file, "--lanes", "1024", "--samples", "0"), "cycles per inference")
	for _, args := range [][]string{{"generate", "-o", out}, {"estimate"}} {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(100*time.Millisecond, cancel)
		var stdout, stderr bytes.Buffer
		require.Equal(t, exitFailed, run(ctx, slices.Concat([]string{"corinfo"}, args, []string{"-c", half, "--lanes", "1024"}), &stdout, &stderr))
		require.Contains(t, stderr.String(), "interrupted")
	}
	require.NoFileExists(t, out)
	require.Less(t, time.Since(start), 20*time.Second)
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
