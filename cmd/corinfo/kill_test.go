package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"corinfo/golden/calibrate"
	"corinfo/golden/training"
)

// TestMain makes the test's binary the command itself where asked, so that there is a process to kill.
func TestMain(m *testing.M) {
	if os.Getenv("CORINFO_TEST_AS_COMMAND") != "" {
		main()
	}
	os.Exit(m.Run())
}

// killed is a run of a network file in a process of its own.
type killed struct {
	file, arithmetic, dir string
}

// start starts or continues the run, with a checkpoint every so often.
func (r killed) start(t *testing.T, every time.Duration) (*exec.Cmd, *bytes.Buffer) {
	args := []string{"train", "-o", r.dir, "--save-every", every.String()}
	if training.IsRun(r.dir) {
		args = append(args, "--resume")
	} else {
		args = append(args, "-c", r.file, "--arithmetic", r.arithmetic)
	}
	self, err := os.Executable()
	require.NoError(t, err)
	command, stderr := exec.Command(self, args...), new(bytes.Buffer)
	command.Env, command.Stderr = append(os.Environ(), "CORINFO_TEST_AS_COMMAND=1"), stderr
	require.NoError(t, command.Start())
	return command, stderr
}

// finish runs to the end and gives what is to be the same with and without interruptions.
func (r killed) finish(t *testing.T) map[string]string {
	t.Helper()
	command, stderr := r.start(t, 50*time.Millisecond)
	require.NoError(t, command.Wait(), "%s", stderr)
	return r.result(t)
}

var times = regexp.MustCompile(`"seconds":[^,]*,"samples_per_second":[^}]*}`)

func (r killed) result(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range []string{training.CheckpointFile, training.MetricsTable, training.MetricsLines, calibrate.RangeFile,
		"plots/accuracy.svg", "plots/angle.svg", "plots/information.svg", "plots/activity.svg", "plots/activity.png"} {
		text, err := os.ReadFile(filepath.Join(r.dir, name))
		require.NoError(t, err)
		files[name] = string(text)
	}
	var table strings.Builder
	for _, row := range strings.Split(files[training.MetricsTable], "\n") {
		cells := strings.Split(row, ",")
		fmt.Fprintln(&table, cells[:max(0, len(cells)-2)])
	}
	files[training.MetricsTable] = table.String()
	files[training.MetricsLines] = times.ReplaceAllString(files[training.MetricsLines], "}")
	entries, err := os.ReadDir(r.dir)
	require.NoError(t, err)
	require.Len(t, entries, 5, "more than checkpoint, metrics, ranges and plots: %v", entries)
	return files
}

// slowNetwork trains for about a second.
func slowNetwork(t *testing.T) string {
	file := smallNetwork(t, 3, "")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return writeFile(t, file, strings.NewReplacer("[20, 13, 7]", "[20, 120, 7]", "epochs: 12", "epochs: 16").Replace(string(text)))
}

// TestKills kills training at 20 random moments or more and resumes it: the run ends with the bytes that it has without.
func TestKills(t *testing.T) {
	seed := rand.Uint64()
	if s := os.Getenv("CORINFO_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("CORINFO_SEED=%d repeats the moments", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	arithmetics := []string{training.Float, training.Float32, training.Fixed}
	file, kills, runs := slowNetwork(t), 0, 0
	wanted, lasts := map[string]map[string]string{}, map[string]time.Duration{}
	for _, arithmetic := range arithmetics {
		start := time.Now()
		wanted[arithmetic] = killed{file, arithmetic, filepath.Join(t.TempDir(), "whole")}.finish(t)
		lasts[arithmetic] = time.Since(start)
	}
	found := map[string]int{} // what kills have left
	// Where the disk is slow few checkpoints are of within an epoch: one of them is worth some more kills.
	more := func() bool { return kills < 20 || found["mid-epoch"] == 0 && kills < 200 }
	for more() {
		runs++
		r := killed{file, arithmetics[runs%len(arithmetics)], filepath.Join(t.TempDir(), "run")}
		for own := 0; own < 7 && more(); {
			// Within, between and while writing checkpoints.
			command, stderr := r.start(t, []time.Duration{3, 10, 50}[rng.IntN(3)]*time.Millisecond)
			time.Sleep(time.Duration(rng.Float64() * 0.3 * float64(lasts[r.arithmetic])))
			require.NoError(t, command.Process.Signal(syscall.SIGKILL))
			if command.Wait() == nil {
				break // it was faster
			}
			require.Equal(t, syscall.SIGKILL, command.ProcessState.Sys().(syscall.WaitStatus).Signal(), "%s", stderr)
			kills++
			own++
			found[leftBy(t, r.dir)]++
		}
		got := r.finish(t)
		for name, want := range wanted[r.arithmetic] {
			require.True(t, want == got[name], "%s of a %s run that was killed differs", name, r.arithmetic)
		}
	}
	t.Logf("%d kills in %d runs; without: %v; left: %v", kills, runs, lasts, found)
	require.Greater(t, found["mid-epoch"], 0, "no kill was within an epoch")
}

// leftBy tells in what state a killed process has left a run.
func leftBy(t *testing.T, dir string) string {
	if !training.IsRun(dir) {
		return "no checkpoint"
	}
	c, err := training.LoadCheckpoint(dir)
	require.NoError(t, err)
	if left, err := filepath.Glob(filepath.Join(dir, ".corinfo-*")); len(left) > 0 {
		require.NoError(t, err)
		return "half a file"
	}
	if c.Batch > 0 {
		return "mid-epoch"
	}
	return "between epochs"
}

// TestInterrupt: Ctrl-C leaves a run that can be resumed, with its plots.
func TestInterrupt(t *testing.T) {
	file := slowNetwork(t)
	want := killed{file, training.Float, filepath.Join(t.TempDir(), "whole")}.finish(t)
	r := killed{file, training.Float, filepath.Join(t.TempDir(), "run")}
	command, stderr := r.start(t, time.Hour)
	for range 2000 { // until the second epoch
		if text, _ := os.ReadFile(filepath.Join(r.dir, training.MetricsTable)); bytes.Count(text, []byte("\n")) >= 3 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	require.NoError(t, command.Process.Signal(os.Interrupt))
	require.Error(t, command.Wait())
	require.Equal(t, exitFailed, command.ProcessState.ExitCode(), "%s", stderr)
	require.Contains(t, stderr.String(), "interrupted in epoch")
	require.Contains(t, stderr.String(), "corinfo train -o "+r.dir+" --resume")
	require.FileExists(t, filepath.Join(r.dir, "plots/accuracy.png"))
	c, err := training.LoadCheckpoint(r.dir)
	require.NoError(t, err)
	require.Less(t, c.Epoch, 16)
	got := r.finish(t)
	for name := range want {
		require.True(t, want[name] == got[name], "%s differs", name)
	}
}

// TestTrainReport: what train --json and eval --plots tell, and a resume without the files of metrics.
func TestTrainReport(t *testing.T) {
	file := smallNetwork(t, 3, "")
	run := filepath.Join(t.TempDir(), "run")
	r := figures(t, done(t, "train", "-c", file, "-o", run, "--epochs", "2", "--seed", "9", "--json"))
	for _, key := range []string{"run", "arithmetic", "seed", "epochs", "train_accuracy", "test_accuracy", "samples_per_second", "start", "history", "plots",
		"misfits", "overflows", "lost"} {
		require.Contains(t, r, key)
	}
	require.EqualValues(t, 9, r["seed"])
	require.Len(t, r["history"], 2)
	first := r["history"].([]any)[0].(map[string]any)
	for _, key := range []string{"epoch", "train_accuracy", "test_accuracy", "samples", "angles", "information", "activity"} {
		require.Contains(t, first, key)
	}
	require.Len(t, r["plots"], 8)
	for _, name := range r["plots"].([]any) {
		require.FileExists(t, name.(string))
	}
	require.NoError(t, os.RemoveAll(filepath.Join(run, "plots")))
	again := figures(t, done(t, "eval", run, "--plots", "--json"))
	require.Equal(t, r["plots"], again["plots"])
	require.FileExists(t, filepath.Join(run, "plots/angle.svg"))

	require.NoError(t, os.Remove(filepath.Join(run, training.MetricsLines)))
	code, _, stderr := corinfo("train", "-o", run, "--resume", "--epochs", "3")
	require.Equal(t, exitDone, code)
	require.Contains(t, stderr, "times of the epochs before are left empty")
	require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	text, err := os.ReadFile(filepath.Join(run, training.MetricsLines))
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Len(t, lines, 4)
	for epoch, known := range []bool{false, false, false, true} {
		var row map[string]any
		require.NoError(t, json.Unmarshal([]byte(lines[epoch]), &row))
		require.Equal(t, known, row["seconds"] != nil, "epoch %d", epoch)
	}
	refused(t, exitUsage, []string{"--save-every 0s", "above 0"}, "train", "-o", run, "--resume", "--save-every", "0s")
}

func TestTrainingProgressFits(t *testing.T) {
	p := training.Progress{Epoch: 13, Epochs: 50, Done: 20000, Total: 60000, Answers: training.Score{Correct: 19524, Of: 20000}, TestAccuracy: 0.965,
		Learned: 740000, Learning: 740 * time.Second, Left: 10*time.Hour + 4*time.Minute + 40*time.Second}
	require.Equal(t, "epoch 13/50, train 97.6 %, test 96.50 %, 1000/s, 10h05m left", trainingLabel(p, 80))
	require.Equal(t, "epoch 13/50, train 97.6 %, 10h05m left", trainingLabel(p, 60))
	require.Equal(t, "epoch 13/50, 10h05m left", trainingLabel(p, 30))
	require.Equal(t, "epoch 13 of 50, 20000 of 60000 samples learned, train accuracy 97.62 %, last test accuracy 96.50 %, 1000 samples/s, 10h05m left", trainingLine(p))
	p.Testing, p.Done, p.Total = true, 500, 10000
	require.Equal(t, "epoch 13/50 test, train 97.6 %, test 96.50 %, 1000/s, 10h05m left", trainingLabel(p, 80))
	require.Contains(t, trainingLine(p), "500 of 10000 samples tested")
	for want, d := range map[string]time.Duration{"0s": time.Millisecond, "59s": 59 * time.Second, "1m01s": 61 * time.Second, "2h00m": 2 * time.Hour, "2d01h": 49 * time.Hour} {
		require.Equal(t, want, shortTime(d))
	}
	require.Equal(t, "epoch 1/3", trainingLabel(training.Progress{Epoch: 1, Epochs: 3, Done: 1, Total: 2}, 80))
}
