package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/training"
	"corinfo/hdlgen/design"
	"corinfo/sim/study"
)

// process starts a command line in a process of its own.
func process(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	command, stderr := exec.Command(self, args...), new(bytes.Buffer)
	command.Env, command.Stderr = append(os.Environ(), "CORINFO_TEST_AS_COMMAND=1"), stderr
	require.NoError(t, command.Start())
	return command, stderr
}

// awaitFile waits for a file that a process writes.
func awaitFile(t *testing.T, path string) {
	t.Helper()
	for range 2000 {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s does not come", path)
}

// TestHeldRun: a run that a process trains is refused to others, who are told by whom it is held and since when; its figures are
// shown, but nothing is written beside it. When the process is killed, the run is free.
func TestHeldRun(t *testing.T) {
	file := slowNetwork(t)
	dir := filepath.Join(t.TempDir(), "run")
	command, stderr := process(t, "train", "-c", file, "-o", dir, "--epochs", "1000", "--save-every", "20ms")
	awaitFile(t, filepath.Join(dir, training.CheckpointFile))
	words := []string{"in use: " + dir + ": held by process " + fmt.Sprint(command.Process.Pid) + " on ", " since 20"}
	refused(t, exitFailed, words, "train", "-o", dir, "--resume", "--epochs", "1000")
	refused(t, exitUsage, []string{"holds a run already"}, "train", "-c", file, "-o", dir)
	code, _, warned := corinfo("eval", dir, "--plots")
	require.Equal(t, exitFailed, code)
	require.Contains(t, warned, "plots: "+words[0])
	code, stdout, warned := corinfo("eval", dir, "--json")
	require.Equal(t, exitDone, code, warned)
	require.Equal(t, 1, strings.Count(warned, "\n"), warned)
	require.Contains(t, warned, words[0])
	require.Contains(t, figures(t, stdout)["warnings"].([]any)[0], words[0])
	require.NoFileExists(t, filepath.Join(dir, calibrate.RangeFile))

	require.NoError(t, command.Process.Signal(syscall.SIGKILL))
	require.Error(t, command.Wait(), "%s", stderr)
	require.FileExists(t, filepath.Join(dir, golden.LockFile), "it was killed")
	done(t, "eval", dir)
	require.FileExists(t, filepath.Join(dir, calibrate.RangeFile))
	require.NoFileExists(t, filepath.Join(dir, golden.LockFile))
}

// TestHeldDesign: a design in which a process works is neither replaced nor worked in by another.
func TestHeldDesign(t *testing.T) {
	needTool(t, "iverilog")
	file := smallNetwork(t, 3, "")
	dir := filepath.Join(t.TempDir(), "design")
	done(t, "generate", "-c", file, "-o", dir)
	lock, err := golden.LockFolder(dir)
	require.NoError(t, err)
	words := []string{"in use: " + dir + ": held by process " + fmt.Sprint(os.Getpid())}
	refused(t, exitFailed, words, "generate", "-c", file, "-o", dir)
	refused(t, exitFailed, words, "cosim", dir, "--simulator", "icarus")
	refused(t, exitFailed, words, "synth", dir)
	lock.Unlock()
	done(t, "cosim", dir, "--simulator", "icarus", "--samples", "1")
	require.NoFileExists(t, filepath.Join(dir, golden.LockFile))
}

// TestTwoProcesses: of processes that make one folder at the same time, one does and the others say that they did not.
func TestTwoProcesses(t *testing.T) {
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	float, archive := filepath.Join(dir, "float"), filepath.Join(dir, "weights.npz")
	done(t, "train", "-c", file, "-o", float, "--epochs", "1")
	done(t, "export", float, "-o", archive)
	for name, args := range map[string][]string{
		"train": {"train", "-c", file, "--epochs", "2"}, "quantize": {"quantize", float}, "import": {"import", archive, "-c", file},
	} {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(dir, name)
			var wait sync.WaitGroup
			var lock sync.Mutex
			var whole int
			for i := range 4 {
				command, stderr := process(t, append(args, "-o", out)...)
				wait.Go(func() {
					err := command.Wait()
					lock.Lock()
					defer lock.Unlock()
					if err == nil {
						whole++
					} else if text := stderr.String(); !strings.Contains(text, "in use") && !strings.Contains(text, "holds a run already") {
						t.Errorf("process %d: %s", i, text)
					}
				})
			}
			wait.Wait()
			require.Equal(t, 1, whole)
			_, err := training.LoadCheckpoint(out)
			require.NoError(t, err)
			require.NoFileExists(t, filepath.Join(out, golden.LockFile))
		})
	}
}

// TestKilledGenerate kills generate at random moments: the design is always whole, the old one or the new one, and the next that
// ends leaves nothing of those that were killed.
func TestKilledGenerate(t *testing.T) {
	file := smallNetwork(t, 3, "")
	parent := t.TempDir()
	dir := filepath.Join(parent, "design")
	lanes := []string{"2", "3"}
	start := time.Now()
	done(t, "generate", "-c", file, "-o", dir, "--lanes", lanes[0])
	command, stderr := process(t, "generate", "-c", file, "-o", dir, "--lanes", lanes[0])
	require.NoError(t, command.Wait(), "%s", stderr)
	lasts := time.Since(start)
	killed, left := 0, 0
	for i := range 40 {
		command, _ := process(t, "generate", "-c", file, "-o", dir, "--lanes", lanes[i%2])
		time.Sleep(time.Duration(rand.Float64() * float64(lasts)))
		require.NoError(t, command.Process.Signal(syscall.SIGKILL))
		if command.Wait() != nil {
			killed++
		}
		d, err := design.Open(dir)
		require.NoError(t, err)
		require.Contains(t, lanes, fmt.Sprint(d.Manifest.Lanes))
		entries, err := os.ReadDir(parent)
		require.NoError(t, err)
		left += len(entries) - 1
	}
	t.Logf("%d of 40 killed, %d leftovers seen", killed, left)
	require.Positive(t, killed)
	done(t, "generate", "-c", file, "-o", dir)
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Len(t, entries, 1, "%v", entries)
	require.NoFileExists(t, filepath.Join(dir, golden.LockFile))
}

// TestOtherData: a data set that is not the one that a run has learned is told of in one line and in the JSON, also of the run that
// quantize makes.
func TestOtherData(t *testing.T) {
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	float, fixed, other := filepath.Join(dir, "float"), filepath.Join(dir, "fixed"), filepath.Join(dir, "other")
	done(t, "train", "-c", file, "-o", float, "--epochs", "1")
	done(t, "quantize", float, "-o", fixed)
	require.Empty(t, figures(t, done(t, "eval", float, "--json"))["warnings"])
	require.Empty(t, figures(t, done(t, "eval", fixed, "--json"))["warnings"])
	images := filepath.Join(filepath.Dir(file), "t10k-images-idx3-ubyte")
	text, err := os.ReadFile(images)
	require.NoError(t, err)
	text[len(text)-1] ^= 1
	require.NoError(t, os.WriteFile(images, text, 0o644))
	for _, args := range [][]string{{"eval", float}, {"eval", fixed}, {"quantize", float, "-o", other}, {"eval", other}} {
		code, stdout, stderr := corinfo(append(args, "--json")...)
		require.Equal(t, exitDone, code, stderr)
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		require.Contains(t, stderr, "dataset idx: its content is not that which "+args[1]+" has learned")
		require.Contains(t, figures(t, stdout)["warnings"].([]any)[0], "its content is not that which "+args[1]+" has learned")
	}
}

// smallStudy writes a study of the small network that takes a moment, or with many epochs long.
func smallStudy(t *testing.T, epochs int) string {
	t.Helper()
	network := smallNetwork(t, 3, "")
	return writeFile(t, filepath.Join(filepath.Dir(network), "small-study.yaml"), fmt.Sprintf(
		"name: small\nnetwork: small.yaml\nkind: inference\nepochs: %d\naxes:\n  - {set: [W.width, F.width], values: [6, 10]}\nsearch: {max_loss: 90}\n", epochs))
}

// TestStudyFolder: a folder that is no study's is refused untouched, and in one that is, what a study has not written stays.
func TestStudyFolder(t *testing.T) {
	file := smallStudy(t, 1)
	foreign := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(foreign, "trainings", "marathon"), 0o755))
	writeFile(t, filepath.Join(foreign, "trainings", "marathon", "log"), "years of work")
	writeFile(t, filepath.Join(foreign, "table.csv"), "1,2,3")
	before := folderText(t, foreign)
	for _, command := range []string{"run", "worker"} {
		refused(t, exitUsage, []string{foreign + " exists and is no study's folder", "-o"}, "study", command, file, "-o", foreign)
	}
	writeFile(t, filepath.Join(foreign, study.DatabaseFile), "mine")
	before[filepath.Join(foreign, study.DatabaseFile)] = "mine"
	refused(t, exitUsage, []string{foreign + " exists and is no study's folder"}, "study", "report", file, "-o", foreign)
	require.Equal(t, before, folderText(t, foreign))

	own := filepath.Join(t.TempDir(), "own")
	r := figures(t, done(t, "study", "run", file, "-o", own, "--json"))
	run := r["recommended"].(map[string]any)["run"].(map[string]any)["weights"].(string)
	require.NoFileExists(t, filepath.Join(own, "trainings"))
	mine := []string{filepath.Join(own, "trainings", "marathon"), filepath.Join(own, "notes"), filepath.Join(run, "notes")}
	for _, path := range mine {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		writeFile(t, path, "mine")
	}
	done(t, "study", "run", file, "-o", own)
	// Nothing is recommended any more: the run goes, what was put beside it stays.
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	strict := writeFile(t, filepath.Join(filepath.Dir(file), "strict.yaml"), strings.NewReplacer("max_loss: 90", "max_loss: 0", "epochs: 1", "epochs: 12", "[6, 10]", "[2]").Replace(string(text)))
	require.Nil(t, figures(t, done(t, "study", "run", strict, "-o", own, "--json"))["recommended"])
	require.NoFileExists(t, filepath.Join(run, training.CheckpointFile))
	for _, path := range mine {
		require.FileExists(t, path)
	}

	// A recommended run that was trained further is someone's work.
	done(t, "study", "run", file, "-o", own)
	done(t, "train", "-o", run, "--resume", "--arithmetic", "fixed", "--epochs", "2")
	refused(t, exitUsage, []string{run, "was trained after the study had recommended it"}, "study", "report", file, "-o", own)
}

// TestHeldStudy: a second `study run` in a folder is refused, told by whom it is held; a report is made all the same. A killed one is no
// obstacle.
func TestHeldStudy(t *testing.T) {
	file := smallStudy(t, 100000)
	dir := filepath.Join(t.TempDir(), "study")
	command, stderr := process(t, "study", "run", file, "-o", dir)
	awaitFile(t, filepath.Join(dir, golden.LockFile))
	awaitFile(t, filepath.Join(dir, "trainings"))
	refused(t, exitFailed, []string{"in use: " + dir + ": held by process " + fmt.Sprint(command.Process.Pid) + " on ", "corinfo study worker"}, "study", "run", file, "-o", dir)
	done(t, "study", "report", file, "-o", dir)
	require.FileExists(t, filepath.Join(dir, "table.csv"))
	require.NoError(t, command.Process.Signal(syscall.SIGKILL))
	require.Error(t, command.Wait(), "%s", stderr)
	done(t, "study", "run", smallStudy(t, 1), "-o", dir)
	require.NoFileExists(t, filepath.Join(dir, golden.LockFile))
}
