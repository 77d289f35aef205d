package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"corinfo/golden/simd"
	"corinfo/golden/training"
)

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
