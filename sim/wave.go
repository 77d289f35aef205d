package sim

// waveform is a format of waveforms, by the ending of its files.
type waveform string

const (
	fst waveform = ".fst"
	vcd waveform = ".vcd"
)

// MaxWaved is how many samples a waveform of a whole run may have.
const MaxWaved = 20
