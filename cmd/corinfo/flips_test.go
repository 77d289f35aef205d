package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"corinfo/golden/training"
	"corinfo/hdlgen/design"
	"corinfo/sim/study"
)

// flipped is a kind of file that the program reads, and who reads it.
type flipped struct {
	name string
	path string
	read func() outcome
	free bool // a text of the user, without a checksum: another one that can be read is another input
}

// outcome is what a reader made of a file. A warning tells as an error does.
type outcome struct {
	code   int
	result string // of exit code 0
	told   string // error or warning
}

// Bounds of one reading: what a file claims may neither take this long nor make this much room.
const (
	flipTime  = time.Minute
	flipBytes = 1 << 30
)

// TestFlips damages every kind of file that the program reads: bits that flip, ends that are missing or too long, parts that change
// places or are overwritten. Each reader ends with an exit code of its own, soon and without much memory; with exit code 0 its
// result is that of the whole file, or a warning tells that it is not. CORINFO_FLIPS sets how many damages of each file, "all" for a
// flip in each of up to 4,000 bytes and as many others; CORINFO_SEED repeats them.
func TestFlips(t *testing.T) {
	seed := rand.Uint64()
	if s := os.Getenv("CORINFO_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("CORINFO_SEED=%d repeats the damages", seed)
	for _, f := range slices.Concat(filesOfRuns(t), filesOfImages(t), filesOfCIFAR(t), filesOfStudies(t), filesOfDesigns(t)) {
		t.Run(f.name, func(t *testing.T) {
			whole, err := os.ReadFile(f.path)
			require.NoError(t, err)
			want := f.read()
			require.Equal(t, exitDone, want.code, want.told)
			require.Empty(t, want.told)
			require.Equal(t, want, f.read(), "the reader alone changes what it reads")
			told, same := 0, 0
			// Of its own, so that -run of one file repeats its damages.
			rng := rand.New(rand.NewPCG(seed, uint64(crc32.ChecksumIEEE([]byte(f.name)))))
			for i, damage := range damages(t, rng, whole) {
				require.NoError(t, os.WriteFile(f.path, damage.text, 0o644))
				got := f.bounded(t, damage.what)
				require.Contains(t, []int{exitDone, exitFailed, exitUsage}, got.code, damage.what)
				require.NotContains(t, got.told, "panic", damage.what)
				switch {
				case got.code != exitDone:
					require.NotEmpty(t, got.told, damage.what)
					told++
				case got.told != "":
					told++
				case f.free:
				default:
					same++
					require.Equal(t, want.result, got.result, "silent change: %s (damage %d)", damage.what, i)
				}
			}
			require.NoError(t, os.WriteFile(f.path, whole, 0o644))
			require.Equal(t, want, f.read(), "the file is whole again")
			t.Logf("%d told, %d without effect", told, same)
			if !f.free {
				require.Positive(t, told, "no damage was noticed")
			}
		})
	}
}

// bounded reads within time and memory. A panic in the reader ends the test with its trace.
func (f *flipped) bounded(t *testing.T, what string) outcome {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	done := make(chan outcome, 1)
	go func() { done <- f.read() }()
	select {
	case got := <-done:
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(flipBytes), "%s: memory", what)
		return got
	case <-time.After(flipTime):
		t.Fatalf("%s: not read in %v", what, flipTime)
		return outcome{}
	}
}

// damage is a file that was damaged, and how.
type damage struct {
	what string
	text []byte
}

func damages(t *testing.T, rng *rand.Rand, whole []byte) []damage {
	count, flips := 12, []int{}
	switch text := os.Getenv("CORINFO_FLIPS"); text {
	case "":
	case "all":
		count = min(len(whole), 4000)
		for i := range count {
			flips = append(flips, i*len(whole)/count)
		}
	default:
		var err error
		count, err = strconv.Atoi(text)
		require.NoError(t, err, "CORINFO_FLIPS: want a number or all")
	}
	for len(flips) < (count+1)/2 {
		flips = append(flips, rng.IntN(len(whole)))
	}
	var list []damage
	for _, at := range flips {
		bit := rng.IntN(8)
		text := bytes.Clone(whole)
		text[at] ^= 1 << bit
		list = append(list, damage{fmt.Sprintf("bit %d of byte %d flipped", bit, at), text})
	}
	for i := range count / 2 {
		at, length := rng.IntN(len(whole)), 1+rng.IntN(min(len(whole), 64))
		to := rng.IntN(len(whole))
		end, toEnd := min(len(whole), at+length), min(len(whole), to+length)
		var d damage
		switch i % 5 {
		case 0:
			d = damage{fmt.Sprintf("cut at byte %d of %d", at, len(whole)), whole[:at]}
		case 1:
			more := make([]byte, length)
			for i := range more {
				more[i] = byte(rng.Uint32())
			}
			d = damage{fmt.Sprintf("%d bytes more at the end", length), slices.Concat(whole, more)}
		case 2:
			text := bytes.Clone(whole)
			copy(text[at:], whole[to:toEnd])
			copy(text[to:], whole[at:end])
			d = damage{fmt.Sprintf("%d bytes at %d and %d have changed places", length, at, to), text}
		case 3:
			text := bytes.Clone(whole)
			fill := []byte{0, 0xff, '9'}[rng.IntN(3)]
			for i := at; i < end; i++ {
				text[i] = fill
			}
			d = damage{fmt.Sprintf("%d bytes at %d are %#02x", length, at, fill), text}
		default:
			d = damage{fmt.Sprintf("%d bytes at %d twice", length, at), slices.Concat(whole[:end], whole[at:])}
		}
		if !bytes.Equal(d.text, whole) {
			list = append(list, d)
		}
	}
	return list
}

// command is the outcome of a command line; a line on stderr tells.
func command(args ...string) outcome {
	code, stdout, stderr := corinfo(args...)
	return outcome{code, stdout, stderr}
}

// fileOf is the outcome of a command line that makes a file, whose content is the result.
func fileOf(path string, args ...string) outcome {
	os.RemoveAll(path)
	o := command(args...)
	o.result = ""
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, training.CheckpointFile)
	}
	if text, err := os.ReadFile(path); err == nil {
		o.result = string(text)
	}
	return o
}

// failure is the outcome of a call that gives an error or a result.
func failure(result any, err error) outcome {
	switch {
	case err == nil:
		return outcome{result: fmt.Sprintf("%+v", result)}
	default:
		return outcome{code: exitFailed, told: err.Error()}
	}
}

// filesOfRuns are those of networks, runs, archives and idx data.
func filesOfRuns(t *testing.T) []flipped {
	network := smallNetwork(t, 3, "")
	data, dir := filepath.Dir(network), t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	done(t, "train", "-c", network, "-o", at("float"), "--epochs", "2")
	done(t, "quantize", at("float"), "-o", at("fixed"), "--samples", "30")
	done(t, "export", at("float"), "-o", at("w.npz"))
	done(t, "export", at("float"), "-o", at("w.safetensors"))
	eval := func(run string) func() outcome { return func() outcome { return command("eval", at(run), "--json") } }
	list := []flipped{
		{"network file", network, func() outcome { return command("estimate", "-c", network, "--samples", "0") }, true},
		{"checkpoint of a float run", at("float/checkpoint"), func() outcome { return fileOf(at("a.npz"), "export", at("float"), "-o", at("a.npz")) }, false},
		{"checkpoint of a fixed run", at("fixed/checkpoint"), eval("fixed"), false},
		{"checkpoint that is quantized", at("float/checkpoint"), func() outcome { return fileOf(at("b"), "quantize", at("float"), "-o", at("b"), "--samples", "9") }, false},
		{"archive of weights", at("w.npz"), func() outcome { return fileOf(at("c"), "import", at("w.npz"), "-c", network, "-o", at("c")) }, false},
		{"safetensors", at("w.safetensors"), func() outcome {
			return fileOf(at("d"), "import", at("w.safetensors"), "-c", network, "-o", at("d"))
		}, false},
		// Times alone are taken from it, which nothing else depends on.
		{"metrics", at("float/metrics.jsonl"), func() outcome {
			_, err := training.ReadTimes(at("float"))
			return failure("", err)
		}, true},
	}
	for _, name := range []string{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"} {
		list = append(list, flipped{name, filepath.Join(data, name), eval("float"), false})
	}
	return list
}

// filesOfImages are images in a folder per class.
func filesOfImages(t *testing.T) []flipped {
	dir := t.TempDir()
	for _, part := range []string{"train", "test"} {
		for label, class := range []string{"a", "b"} {
			folder := filepath.Join(dir, part, class)
			require.NoError(t, os.MkdirAll(folder, 0o755))
			for i := range 4 {
				m := image.NewRGBA(image.Rect(0, 0, 5, 4))
				for p := range 20 {
					m.Set(p%5, p/5, color.RGBA{uint8(40*i + 90*label), uint8(11 * p), uint8(7*p + i), 255})
				}
				var p, j bytes.Buffer
				require.NoError(t, png.Encode(&p, m))
				require.NoError(t, jpeg.Encode(&j, m, nil))
				writeFile(t, filepath.Join(folder, fmt.Sprintf("%d.png", i)), p.String())
				writeFile(t, filepath.Join(folder, fmt.Sprintf("%d.jpg", i)), j.String())
			}
		}
	}
	run := otherRun(t, "images", dir, "[60, 5, 2]")
	read := func() outcome { return command("eval", run, "--json") }
	return []flipped{{"PNG", filepath.Join(dir, "train/a/2.png"), read, false}, {"JPEG", filepath.Join(dir, "test/b/1.jpg"), read, false}}
}

// filesOfCIFAR are CIFAR-10's binaries, of a few records.
func filesOfCIFAR(t *testing.T) []flipped {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 1))
	for i, name := range []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"} {
		var text []byte
		for record := range 2 {
			text = append(text, byte((i+3*record)%10))
			for range 3072 {
				text = append(text, byte(rng.Uint32()))
			}
		}
		writeFile(t, filepath.Join(dir, name), string(text))
	}
	run := otherRun(t, "cifar10", dir, "[3072, 4, 10]")
	read := func() outcome { return command("eval", run, "--json") }
	return []flipped{{"CIFAR-10", filepath.Join(dir, "data_batch_2.bin"), read, false}, {"CIFAR-10's test", filepath.Join(dir, "test_batch.bin"), read, false}}
}

// otherRun is a run of the small network with other data and layers.
func otherRun(t *testing.T, dataset, dir, layers string) string {
	t.Helper()
	text, err := os.ReadFile(smallNetwork(t, 3, ""))
	require.NoError(t, err)
	lines := strings.Split(strings.Replace(string(text), "[20, 13, 7]", layers, 1), "\n")
	lines[1] = fmt.Sprintf("dataset: {name: %s, path: %s}", dataset, dir)
	file := writeFile(t, filepath.Join(t.TempDir(), "net.yaml"), strings.Join(lines, "\n"))
	run := filepath.Join(t.TempDir(), "run")
	done(t, "train", "-c", file, "-o", run, "--epochs", "1")
	return run
}

// filesOfStudies are a study's file and its database, whose report must be the same.
func filesOfStudies(t *testing.T) []flipped {
	file := smallStudy(t, 1)
	dir := filepath.Join(t.TempDir(), "study")
	done(t, "study", "run", file, "-o", dir)
	report := func() outcome {
		os.Remove(filepath.Join(dir, study.DatabaseFile+"-wal"))
		os.Remove(filepath.Join(dir, study.DatabaseFile+"-shm"))
		o := command("study", "report", file, "-o", dir, "--json")
		table, _ := os.ReadFile(filepath.Join(dir, "table.csv"))
		// A result that the database has lost is missing, and said to be: the trial is open again.
		var figures struct{ Trials, Done int }
		if json.Unmarshal([]byte(o.result), &figures) == nil && figures.Done < figures.Trials {
			o.told = "trials are open"
		}
		o.result += string(table)
		return o
	}
	return []flipped{
		{"study file", file, func() outcome { s, err := study.Load(file); return failure(s != nil, err) }, true},
		{"study.db", filepath.Join(dir, study.DatabaseFile), report, false},
		{"mark of a study", filepath.Join(dir, "corinfo-study.txt"), report, false},
	}
}

// filesOfDesigns are those that make a design and a co-simulation that was stopped.
func filesOfDesigns(t *testing.T) []flipped {
	network := smallNetwork(t, 3, "")
	dir := filepath.Join(t.TempDir(), "design")
	done(t, "generate", "-c", network, "-o", dir, "--board", "ulx3s-85f")
	whole, err := design.Open(dir)
	require.NoError(t, err)
	open := func() outcome {
		d, err := design.Open(dir)
		if err != nil {
			return failure(nil, err)
		}
		return failure(reflect.DeepEqual(d.Manifest, whole.Manifest) && reflect.DeepEqual(d.Learner.Tensors(), whole.Learner.Tensors()), nil)
	}
	var list []flipped
	for _, name := range []string{"corinfo.json", "checkpoint", "network.yaml", whole.Manifest.Images[0].File, whole.Manifest.Images[len(whole.Manifest.Images)-1].File} {
		list = append(list, flipped{"design's " + name, filepath.Join(dir, filepath.FromSlash(name)), open, false})
	}
	return append(list, stoppedCosim(t, network))
}

// stoppedCosim is the checkpoint of a co-simulation.
func stoppedCosim(t *testing.T, network string) flipped {
	needTool(t, "iverilog")
	dir := filepath.Join(t.TempDir(), "design")
	done(t, "generate", "-c", network, "-o", dir)
	args := []string{"cosim", dir, "--simulator", "icarus", "--samples", "0", "--learn", "30", "--workers", "1"}
	checkpoint := filepath.Join(dir, "sim", "checkpoint")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(checkpoint); err == nil {
				cancel()
			}
			time.Sleep(time.Millisecond)
		}
	}()
	var stdout, stderr bytes.Buffer
	code := run(ctx, append([]string{"corinfo"}, append(args, "--save-every", "1ms")...), &stdout, &stderr)
	require.Equal(t, exitFailed, code, "it was to be stopped: %s", stderr.String())
	require.FileExists(t, checkpoint)
	// A run that may go on is stopped at once: that it was taken up is the result, of this very file.
	return flipped{"co-simulation's checkpoint", checkpoint, func() outcome {
		stopped, cancel := context.WithCancel(context.Background())
		cancel()
		var stdout, stderr bytes.Buffer
		code := run(stopped, slices.Concat([]string{"corinfo"}, args, []string{"--resume", "--save-every", "1h"}), &stdout, &stderr)
		if strings.HasSuffix(stderr.String(), "corinfo: interrupted\n") {
			text, _ := os.ReadFile(checkpoint)
			return outcome{result: string(text)}
		}
		return outcome{code: code, told: stderr.String()}
	}, false}
}
