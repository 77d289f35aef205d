package lockstep

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"corinfo/sim"
)

// Cycles of a waveform before and after a mismatch.
const (
	waveBefore = 300
	waveAfter  = 30
)

// waveOfMismatch keeps a waveform of the cycles around a mismatch in the design's folder.
func (r *run) waveOfMismatch(ctx context.Context, folder string, at *sim.Mismatch) error {
	format := sim.FST
	if r.o.Simulator == sim.Icarus {
		format = sim.VCD
	}
	file := filepath.Join(folder, "mismatch"+string(format))
	if err := r.wave(ctx, file, max(0, at.Cycle-waveBefore), at.Cycle+waveAfter); err != nil {
		return err
	}
	at.Wave = file
	return nil
}

// wave runs the design again and keeps a waveform of some cycles, the last one included.
func (r *run) wave(ctx context.Context, file string, from, to int64) error {
	format := sim.Waveform(filepath.Ext(file))
	how := r.how
	how.Wave, how.Effort = format, min(how.Effort, sim.Fast)
	model, err := sim.Compile(ctx, r.d.Dir, r.d.Manifest, how, nil)
	if err != nil {
		return err
	}
	temporary, err := filepath.Abs(filepath.Join(filepath.Dir(file), ".corinfo-"+rand.Text()+string(format)))
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	args := []string{"+wave=" + sim.SeenFrom(r.dir, temporary), fmt.Sprintf("+wave_from=%d", from),
		fmt.Sprintf("+wave_to=%d", to), fmt.Sprintf("+stop=%d", to+1)}
	if r.o.Simulator == sim.Icarus && format == sim.FST {
		args = append(args, "-fst")
	}
	if out, err := r.simulator(ctx, model, r.dir, r.stimulus, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, sim.Tail(string(out), 3))
	}
	return os.Rename(temporary, file)
}
