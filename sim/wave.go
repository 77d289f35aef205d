package sim

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
)

// Cycles of a waveform before and after a mismatch.
const (
	waveBefore = 300
	waveAfter  = 30
)

// wave runs the design again up to the mismatch and keeps a waveform of the cycles around it.
func (r *run) wave(ctx context.Context, at *Mismatch) error {
	how := r.how
	how.wave, how.rehearsed = true, false
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
	around := []string{"+wave=" + temporary, fmt.Sprintf("+wave_from=%d", max(0, cycle-waveBefore)), fmt.Sprintf("+wave_to=%d", cycle+waveAfter), fmt.Sprintf("+stop=%d", cycle+waveAfter+1)}
	cmd := exec.CommandContext(ctx, m.command[0], slices.Concat(m.command[1:], r.arguments(r.stimulus), around)...)
	cmd.Dir = r.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us: we end it
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, tail(string(out), 3))
	}
	if err := os.Rename(temporary, file); err != nil {
		return err
	}
	at.Wave = file
	return nil
}
