package constraints

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every board has a description and pins that agree with one another.
func TestBoards(t *testing.T) {
	require.Contains(t, Names(), "ulx3s-85f")
	for _, name := range Names() {
		b, err := Get(name)
		require.NoError(t, err)
		require.Equal(t, name, b.Name)
		require.Equal(t, 8, b.LEDs.Count, "the self-test shows eight bits")
		require.Less(t, b.Buttons.Hold, b.Buttons.Count)
		for _, n := range []int{b.Resources.LUT, b.Resources.FF, b.Resources.DSP, b.Resources.BRAM} {
			require.Positive(t, n)
		}
		ports := map[string]bool{b.Clock.Port: true}
		for _, p := range []Pins{b.LEDs, b.Buttons.Pins} {
			for i := range p.Count {
				ports[fmt.Sprintf("%s[%d]", p.Port, i)] = true
			}
		}
		sites := map[string]bool{}
		placed := regexp.MustCompile(`LOCATE COMP "(.+)" SITE "(.+)";`).FindAllStringSubmatch(string(b.Pins()), -1)
		for _, m := range placed {
			require.True(t, ports[m[1]], "%s: pin of %s", name, m[1])
			require.False(t, sites[m[2]], "%s: site %s twice", name, m[2])
			sites[m[2]] = true
			require.Contains(t, string(b.Pins()), fmt.Sprintf(`IOBUF PORT "%s" `, m[1]))
		}
		require.Len(t, placed, len(ports))
		require.Contains(t, string(b.Pins()), fmt.Sprintf(`FREQUENCY PORT "%s" %g MHZ;`, b.Clock.Port, b.Clock.MHz))
	}
}

func TestUnknownBoard(t *testing.T) {
	for _, name := range []string{"", "ulx3s", "ecp5", "../constraints", "ulx3s-85f/"} {
		_, err := Get(name)
		require.ErrorIs(t, err, ErrUnknown)
		require.ErrorContains(t, err, "ulx3s-85f")
	}
}

// The dividers are those of ecppll, the tool of project Trellis, for its choices with the same limits.
func TestPLL(t *testing.T) {
	b, err := Get("ulx3s-85f")
	require.NoError(t, err)
	for mhz, want := range map[float64]PLL{
		100: {Input: 1, Feedback: 4, Output: 6, MHz: 100},
		110: {Input: 5, Feedback: 22, Output: 5, MHz: 110},
		25:  {Input: 1, Feedback: 1, Output: 24, MHz: 25},
	} {
		got, err := b.PLL(mhz)
		require.NoError(t, err)
		require.Equal(t, want, got, "%g MHz", mhz)
	}
	// Whatever comes out obeys the limits and is the wanted frequency.
	for mhz := 10.0; mhz <= 400; mhz += 3.7 {
		p, err := b.PLL(mhz)
		if err != nil {
			require.ErrorContains(t, err, "nearest")
			continue
		}
		again, err := b.PLL(p.MHz)
		require.NoError(t, err)
		require.Equal(t, p, again, "a design that tells its frequency tells its dividers")
		require.InDelta(t, mhz, p.MHz, pllTolerance*mhz)
		require.InDelta(t, b.Clock.MHz*float64(p.Feedback)/float64(p.Input), p.MHz, 1e-9)
		own := p.MHz * float64(p.Output)
		require.True(t, own >= minOscillator && own <= maxOscillator && b.Clock.MHz/float64(p.Input) >= minPhase, "%+v", p)
	}
	for _, mhz := range []float64{0, 9, 401, -1, math.NaN(), math.Inf(1)} {
		_, err := b.PLL(mhz)
		require.ErrorContains(t, err, "10 to 400 MHz")
	}
}

// Files of the self-test and of the families say at their top what they do.
func TestHeaders(t *testing.T) {
	for _, file := range []string{"selftest/corinfo_selftest.v", "ecp5/corinfo_ecp5_clock.v", "ecp5/EHXPLLL.v"} {
		text, err := Files.ReadFile(file)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(text), "// "), file)
	}
}

func TestMHz(t *testing.T) {
	for mhz, want := range map[float64]string{100.0 / 3: "33.33 MHz", 100: "100 MHz", 12.5: "12.5 MHz", 25: "25 MHz", 66.666666666666671: "66.67 MHz", 10.004: "10 MHz"} {
		require.Equal(t, want, MHz(mhz))
	}
}

// Every family has a name, what a design is cut for, and commands that map one module; every board's target is its family's.
func TestFamilies(t *testing.T) {
	require.Equal(t, []string{"generic", "ecp5", "ice40", "xilinx7", "gowin", "cyclonev"}, Families())
	for _, name := range Families() {
		f, err := GetFamily(name)
		require.NoError(t, err)
		require.Equal(t, name, f.Name)
		require.Equal(t, name, f.Target.Family)
		require.Contains(t, strings.Join(f.Synthesis, "\n"), "-top TOP")
		require.True(t, f.Target.RingCycles == 0 || f.Target.Distributed, "a ring is a distributed memory")
	}
	generic, err := GetFamily("")
	require.NoError(t, err)
	require.Equal(t, GenericFamily, generic.Target.Family)
	_, err = GetFamily("ecp6")
	require.ErrorIs(t, err, ErrUnknownFamily)
	require.ErrorContains(t, err, "generic, ecp5, ice40, xilinx7, gowin, cyclonev")
	for _, name := range Names() {
		b, err := Get(name)
		require.NoError(t, err)
		require.Equal(t, b.Family, b.Target.Family)
	}
}
