package sim

import (
	"fmt"
	"os"
	"path/filepath"

	"corinfo/golden"
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
