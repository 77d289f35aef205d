package lockstep

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

	"corinfo/golden"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// checkpoint is a run between mini-batches: what its parts have done. The synapses are those of the model, which
// computes them again.
type checkpoint struct {
	Design              string // what is simulated, by what
	Data                string // the samples
	Inference, Learning int    // how many
	Parts               []part
}

// checkpointMagic begins the file; the checksum of all that follows it comes next, then JSON.
const checkpointMagic = "corinfo co-simulation 3 "

const maxCheckpoint = 1 << 28 // bytes; a part is some hundred

func checkpointFile(d *design.Design) string { return filepath.Join(d.Dir, "sim", "checkpoint") }

// Resumable tells whether a run of a design was stopped and can be continued.
func Resumable(d *design.Design) bool {
	_, err := os.Stat(checkpointFile(d))
	return err == nil
}

// save writes the checkpoint whole or not at all.
func (c *cosimulation) save() error {
	text, err := json.Marshal(checkpoint{Design: c.design, Data: c.data, Inference: len(c.o.Inference),
		Learning: len(c.o.Learning), Parts: c.parts})
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	return golden.WriteFile(checkpointFile(c.d), append(fmt.Appendf(nil, "%s%x\n", checkpointMagic, sha256.Sum256(text)), text...))
}

// load reads the checkpoint of a design and holds it against the design and the samples of the run that is to continue
// it. None, or one of another run, is ErrUsage.
func (c *cosimulation) load() error {
	path := checkpointFile(c.d)
	file, err := golden.ReadFile(path, maxCheckpoint)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s is not there: no co-simulation of this design waits to be continued; leave --resume away",
			golden.ErrUsage, path)
	}
	if err != nil {
		return err
	}
	var saved checkpoint
	head, text, _ := strings.Cut(string(file), "\n")
	if head != fmt.Sprintf("%s%x", checkpointMagic, sha256.Sum256([]byte(text))) || json.Unmarshal([]byte(text), &saved) != nil {
		return fmt.Errorf("%w: %s is truncated or changed: remove it and run without --resume", golden.ErrDamaged, path)
	}
	switch {
	case saved.Design != c.design:
		return fmt.Errorf("%w: %s is of another design, or of this one before it was changed, or of another simulator; run without --resume to begin anew", golden.ErrUsage, path)
	case saved.Inference != len(c.o.Inference) || saved.Learning != len(c.o.Learning):
		return fmt.Errorf("%w: %s is of a run that classifies %d samples and learns %d; ask for the same, or run without --resume",
			golden.ErrUsage, path, saved.Inference, saved.Learning)
	case saved.Data != c.data:
		return fmt.Errorf("%w: %s is of a run with other samples; give the same data or run without --resume", golden.ErrUsage, path)
	case !c.sound(saved.Parts):
		return fmt.Errorf("%w: %s has parts that no run has: remove it and run without --resume", golden.ErrDamaged, path)
	}
	c.parts = saved.Parts
	return nil
}

// sound tells whether parts are those of the run, each where a simulator can begin.
func (c *cosimulation) sound(parts []part) bool {
	at := 0
	for i := range parts {
		p := &parts[i]
		learned := c.learned(p.begin())
		begins := p.begin() == 0 || p.begin() == len(c.o.Inference)+learned && learned%c.d.Plan.Network.Learning.Batch == 0
		if p.From != at || p.Done.Commands < 0 || p.begin() > p.To || p.Over && p.begin() < p.To || !p.Over && !begins ||
			p.Done.Commands > 0 && len(p.Done.Counters) != len(c.d.Manifest.Counters) {
			return false
		}
		at = p.To
	}
	return at == len(c.commands)
}

// designSum is a fingerprint of what is simulated: manifest, with the images' checksums, Verilog, simulator.
func designSum(d *design.Design, o *sim.Options) (string, error) {
	manifest, err := json.Marshal(d.Manifest)
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %d %s\n", o.Simulator, o.Reset, manifest)
	for _, f := range d.Manifest.Files {
		text, err := golden.ReadFile(filepath.Join(d.Dir, f), hdlgen.MaxFile)
		if err != nil {
			return "", fmt.Errorf("%w: Verilog of the design: %w; generate the design again", golden.ErrDamaged, err)
		}
		fmt.Fprintln(sum, f, len(text))
		sum.Write(text)
	}
	return hexadecimal(sum), nil
}

// dataSum is a fingerprint of the samples.
func dataSum(o *sim.Options) string {
	sum := sha256.New()
	for _, list := range [][]hdlgen.Sample{o.Inference, o.Learning} {
		for _, s := range list {
			fmt.Fprintln(sum, len(s.X), s.Label, s.Negative)
			_ = binary.Write(sum, binary.LittleEndian, s.X)
		}
	}
	return hexadecimal(sum)
}

func hexadecimal(sum hash.Hash) string { return fmt.Sprintf("%x", sum.Sum(nil)) }
