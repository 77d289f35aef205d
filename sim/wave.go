package sim

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Cycles of a waveform before and after a mismatch.
const (
	waveBefore = 300
	waveAfter  = 30
)

// wave runs the design again up to the mismatch and keeps a waveform of the cycles around it.
func (r *run) wave(ctx context.Context, at *Mismatch) error {
	how := r.how
	how.wave, how.effort = true, min(how.effort, fast)
	m, err := compile(ctx, r.d.Dir, r.d.Manifest, how, nil)
	if err != nil {
		return err
	}
	suffix := ".fst"
	if r.o.Simulator == Icarus {
		suffix = ".vcd"
	}
	file, err := filepath.Abs(filepath.Join(r.d.Dir, "sim", "mismatch"+suffix))
	if err != nil {
		return err
	}
	temporary := r.stimulus + suffix
	cycle := at.Cycle - r.c.offset // of the model that is run
	defer os.Remove(temporary)
	cmd := r.simulator(ctx, m, r.dir, r.stimulus, "+wave="+temporary, fmt.Sprintf("+wave_from=%d", max(0, cycle-waveBefore)),
		fmt.Sprintf("+wave_to=%d", cycle+waveAfter), fmt.Sprintf("+stop=%d", cycle+waveAfter+1))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, tail(string(out), 3))
	}
	if err := os.Rename(temporary, file); err != nil {
		return err
	}
	at.Wave = file
	return nil
}
