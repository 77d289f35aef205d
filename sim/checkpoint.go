package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"strings"
	"time"

	"corinfo/golden"
	"corinfo/hdlgen"
)

// totals are what a run has done so far.
type totals struct {
	Samples, Learned, Correct   int
	States, Synapses            int64 // compared
	Cycle                       int64 // of the design, when the last word was read
	InferenceTime, LearningTime int64 // cycles
	Products, DenseProducts     int64
	Counters                    []int64 // of the design
}

// updates are those after so many learning samples.
func (t *totals) updates(d *hdlgen.Design) int { return t.Learned / d.Network.Learning.Batch }

// checkpoint is a run after a mini-batch: what it has done, and the synapses that it goes on with.
type checkpoint struct {
	Design  string // what is simulated, by what
	Data    string // the samples classified and learned so far
	Totals  totals
	Tensors []golden.Tensor
}

// checkpointMagic begins the file; the checksum of all that follows it comes next, then JSON.
const checkpointMagic = "corinfo co-simulation 1 "

func checkpointFile(d *hdlgen.Design) string { return filepath.Join(d.Dir, "sim", "checkpoint") }

// Resumable tells whether a run of a design was stopped and can be continued.
func Resumable(d *hdlgen.Design) bool {
	_, err := os.Stat(checkpointFile(d))
	return err == nil
}

// save writes the checkpoint whole or not at all.
func (c *checkpoint) save(path string) error {
	text, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return golden.WriteFile(path, append(fmt.Appendf(nil, "%s%x\n", checkpointMagic, sha256.Sum256(text)), text...))
}

// loadCheckpoint reads the checkpoint of a design and holds it against the design and the samples of the run that
// is to continue it. None, or one of another run, is ErrUsage.
func loadCheckpoint(d *hdlgen.Design, o *Options) (*checkpoint, error) {
	path := checkpointFile(d)
	file, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s is not there: no co-simulation of this design waits to be continued; leave --resume away", golden.ErrUsage, path)
	}
	if err != nil {
		return nil, err
	}
	c := &checkpoint{}
	head, text, _ := strings.Cut(string(file), "\n")
	if head != fmt.Sprintf("%s%x", checkpointMagic, sha256.Sum256([]byte(text))) || json.Unmarshal([]byte(text), c) != nil {
		return nil, fmt.Errorf("%w: %s is truncated or changed: remove it and run without --resume", golden.ErrDamaged, path)
	}
	design, err := designSum(d, o)
	if err != nil {
		return nil, err
	}
	t := &c.Totals
	switch {
	case t.Samples < 0 || t.Learned < 0 || t.Learned%d.Network.Learning.Batch != 0 || t.Correct < 0 || t.Correct > t.Samples || len(t.Counters) != len(d.Manifest.Counters):
		return nil, fmt.Errorf("%w: %s has counts that no run has: remove it and run without --resume", golden.ErrDamaged, path)
	case c.Design != design:
		return nil, fmt.Errorf("%w: %s is of another design, or of this one before it was changed, or of another simulator; run without --resume to begin anew", golden.ErrUsage, path)
	case t.Samples != len(o.Inference) || t.Learned > len(o.Learning):
		return nil, fmt.Errorf("%w: %s is of a run that classified %d samples and had learned %d; ask for the same, and for as many to learn at least, or run without --resume",
			golden.ErrUsage, path, t.Samples, t.Learned)
	case c.Data != dataSum(o, t.Learned):
		return nil, fmt.Errorf("%w: %s is of a run with other samples; give the same data or run without --resume", golden.ErrUsage, path)
	}
	return c, nil
}

// designSum is a fingerprint of what is simulated: manifest, with the images' checksums, Verilog, simulator.
func designSum(d *hdlgen.Design, o *Options) (string, error) {
	manifest, err := json.Marshal(d.Manifest)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %d %s\n", o.Simulator, o.Reset, manifest)
	for _, f := range d.Manifest.Files {
		text, err := os.ReadFile(filepath.Join(d.Dir, f))
		if err != nil {
			return "", fmt.Errorf("%w: Verilog of the design: %w; generate the design again", golden.ErrDamaged, err)
		}
		fmt.Fprintln(sum, f, len(text))
		sum.Write(text)
	}
	return hexadecimal(sum), nil
}

// dataSum is a fingerprint of the samples classified and of the first that are learned.
func dataSum(o *Options, learned int) string {
	sum := sha256.New()
	for _, list := range [][]Sample{o.Inference, o.Learning[:learned]} {
		for _, s := range list {
			fmt.Fprintln(sum, len(s.X), s.Label, s.Negative)
			_ = binary.Write(sum, binary.LittleEndian, s.X)
		}
	}
	return hexadecimal(sum)
}

func hexadecimal(sum hash.Hash) string { return fmt.Sprintf("%x", sum.Sum(nil)) }

// imagesOf makes a folder beside the checkpoint with the design's memory images, the synapses those of a machine: the
// model starts from them. The caller removes it.
func imagesOf(d *hdlgen.Design, machine *golden.Machine, folder string) (string, error) {
	dir, err := os.MkdirTemp(folder, "resume-")
	if err != nil {
		return "", err
	}
	lanes, err := d.LaneImages(machine.Synapse)
	for _, i := range d.Manifest.Images {
		if err != nil {
			break
		}
		text, own := lanes[i.File]
		if !own {
			text, err = os.ReadFile(filepath.Join(d.Dir, i.File))
		}
		path := filepath.Join(dir, filepath.FromSlash(i.File))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o755)
		}
		if err == nil {
			err = os.WriteFile(path, text, 0o644)
		}
	}
	if err != nil {
		os.RemoveAll(dir)
		return "", fmt.Errorf("memory images to continue from: %w", err)
	}
	return dir, nil
}

// sweep removes what killed runs have left in the folder: files of nobody, once they are old.
func sweep(folder string) {
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		info, err := e.Info()
		for _, prefix := range []string{"stimulus-", "resume-", ".corinfo-"} {
			if err == nil && strings.HasPrefix(e.Name(), prefix) && time.Since(info.ModTime()) > staleBuild {
				os.RemoveAll(filepath.Join(folder, e.Name()))
			}
		}
	}
}

// save keeps a run whose mini-batch is complete and whose counters have been read.
func (r *run) save(cycle int64, e *expected) error {
	now := r.done
	now.Cycle = cycle + r.c.offset
	now.States, now.Synapses = r.before.States+r.c.States, r.before.Synapses+r.c.Synapse
	now.Products, now.DenseProducts = r.before.Products+e.counts.Products, r.before.DenseProducts+e.counts.DenseProducts
	now.Counters = r.sinceStart(r.counters)
	c := checkpoint{Design: r.design, Data: dataSum(&r.o, now.Learned), Totals: now, Tensors: e.tensors}
	return c.save(checkpointFile(r.d))
}

// sinceStart adds to counters of the design what they were when the run was continued.
func (r *run) sinceStart(counters []int64) []int64 {
	all := append([]int64(nil), counters...)
	for i := range r.before.Counters {
		all[i] += r.before.Counters[i]
	}
	return all
}
