package sim

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"

	"corinfo/golden"
)

// Cycles of a waveform before and after a mismatch.
const (
	waveBefore = 300
	waveAfter  = 30
)

// MaxWaved is how many samples a waveform of a whole run may have: those classified, learned and classified again. One of
// 784-64-10 on 16 lanes takes 3 megabytes as .fst, and many times as much as .vcd.
const MaxWaved = 20

// Waveform is a format of waveforms, by the ending of its files.
type Waveform string

const (
	FST Waveform = ".fst"
	VCD Waveform = ".vcd"
)

// CheckWave refuses, as ErrUsage, a file for a waveform whose name has neither ending or that cannot be made, and a run that is
// longer than a waveform may be.
func CheckWave(o *Options) error {
	switch Waveform(filepath.Ext(o.Wave)) {
	case FST, VCD:
	default:
		return fmt.Errorf("%w: waveform %s; want a file that ends with .fst or .vcd", golden.ErrUsage, o.Wave)
	}
	if info, err := os.Stat(o.Wave); err == nil && info.IsDir() {
		return fmt.Errorf("%w: waveform %s is a folder; name a file in it", golden.ErrUsage, o.Wave)
	}
	if info, err := os.Stat(filepath.Dir(o.Wave)); err != nil || !info.IsDir() {
		return fmt.Errorf("%w: waveform: no folder %s; make it first", golden.ErrUsage, filepath.Dir(o.Wave))
	}
	if count := o.Samples(); count > MaxWaved {
		return fmt.Errorf("%w: a waveform of %d samples; it may have %d, those classified again after learning among them: choose fewer", golden.ErrUsage, count, MaxWaved)
	}
	return nil
}

// waveOfMismatch keeps a waveform of the cycles around a mismatch in the design's folder.
func (r *run) waveOfMismatch(ctx context.Context, at *Mismatch) error {
	format := FST
	if r.o.Simulator == Icarus {
		format = VCD
	}
	file, err := filepath.Abs(filepath.Join(r.d.Dir, simFolder, "mismatch"+string(format)))
	if err != nil {
		return err
	}
	cycle := at.Cycle - r.c.offset // of the model that is run
	if err := r.wave(ctx, file, max(0, cycle-waveBefore), cycle+waveAfter); err != nil {
		return err
	}
	at.Wave = file
	return nil
}

// wave runs the design again and keeps a waveform of some cycles, the last one included.
func (r *run) wave(ctx context.Context, file string, from, to int64) error {
	format := Waveform(filepath.Ext(file))
	how := r.how
	how.Wave, how.Effort = format, min(how.Effort, Fast)
	m, err := compile(ctx, r.d.Dir, r.d.Manifest, how, nil)
	if err != nil {
		return err
	}
	temporary, err := filepath.Abs(filepath.Join(filepath.Dir(file), ".corinfo-"+rand.Text()+string(format)))
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	args := []string{"+wave=" + SeenFrom(r.dir, temporary), fmt.Sprintf("+wave_from=%d", from), fmt.Sprintf("+wave_to=%d", to), fmt.Sprintf("+stop=%d", to+1)}
	if r.o.Simulator == Icarus && format == FST {
		args = append(args, "-fst")
	}
	if out, err := r.simulator(ctx, m, r.dir, r.stimulus, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, Tail(string(out), 3))
	}
	return os.Rename(temporary, file)
}
