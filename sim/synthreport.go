package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"

	"corinfo/golden"
)

// Figures are those of a design after place and route.
type Figures struct {
	FmaxMHz      float64    `json:"fmax_mhz"`  // of the design's clock
	ClockMHz     float64    `json:"clock_mhz"` // what the board's PLL makes
	TimingMet    bool       `json:"timing_met"`
	DSP          int        `json:"dsp"`  // multipliers of 18 x 18 bits
	BRAM         int        `json:"bram"` // blocks of 18 Kbit
	LUT          int        `json:"lut"`
	FF           int        `json:"ff"`
	LUTRAM       int        `json:"lutram"` // distributed memories of 16 x 4 bits, made of LUTs
	Available    Resources  `json:"available"`
	CriticalPath []PathStep `json:"critical_path"` // of the design's clock
	Slowest      []Arrival  `json:"slowest"`       // registers and memories of that clock, the slowest first, slowestCount at most
}

// Arrival is when the data of a register or memory arrives, in ns after the clock, the slowest of its bits.
type Arrival struct {
	Register string  `json:"register"`
	Nanos    float64 `json:"ns"`   // without the setup time
	Late     int     `json:"late"` // bits that arrive after the next edge
}

// slowestCount is how many of the slowest registers are told.
const slowestCount = 20

// Resources are what the device has of each.
type Resources struct {
	DSP    int `json:"dsp"`
	BRAM   int `json:"bram"`
	LUT    int `json:"lut"`
	FF     int `json:"ff"`
	LUTRAM int `json:"lutram"`
}

// PathStep is one piece of a path from register to register.
type PathStep struct {
	Kind  string  `json:"kind"` // clk-to-q, logic, routing or setup
	Nanos float64 `json:"ns"`
	From  string  `json:"from"` // cell.port
	To    string  `json:"to"`
}

// pnrReport is nextpnr's, as far as it is read.
type pnrReport struct {
	Fmax map[string]struct {
		Achieved   float64 `json:"achieved"`
		Constraint float64 `json:"constraint"`
	} `json:"fmax"`
	Utilization map[string]struct {
		Available int `json:"available"`
		Used      int `json:"used"`
	} `json:"utilization"`
	CriticalPaths []struct {
		From string `json:"from"`
		To   string `json:"to"`
		Path []struct {
			Delay float64 `json:"delay"`
			Type  string  `json:"type"`
			From  pin     `json:"from"`
			To    pin     `json:"to"`
		} `json:"path"`
	} `json:"critical_paths"`
	Nets []struct {
		Endpoints []struct {
			Cell  string     `json:"cell"`
			Event string     `json:"event"`
			Delay [2]float64 `json:"delay"` // earliest and latest
		} `json:"endpoints"`
	} `json:"detailed_net_timings"`
}

type pin struct {
	Cell string `json:"cell"`
	Port string `json:"port"`
}

func (p pin) String() string { return p.Cell + "." + p.Port }

// edge is an event of a clock, as nextpnr names it.
var edge = regexp.MustCompile(`^(posedge|negedge) (.+)$`)

// parseReport reads nextpnr's report on a device of the family ECP5. The design's clock is that whose constraint is
// the nearest to mhz.
func parseReport(text []byte, mhz float64) (Figures, error) {
	var r pnrReport
	if err := json.Unmarshal(text, &r); err != nil {
		return Figures{}, fmt.Errorf("%w: no report of nextpnr: %w", golden.ErrDamaged, err)
	}
	f := Figures{ClockMHz: mhz}
	for _, kind := range []struct {
		bel             string
		used, available *int
	}{
		{"MULT18X18D", &f.DSP, &f.Available.DSP}, {"DP16KD", &f.BRAM, &f.Available.BRAM}, {"TRELLIS_COMB", &f.LUT, &f.Available.LUT},
		{"TRELLIS_FF", &f.FF, &f.Available.FF}, {"TRELLIS_RAMW", &f.LUTRAM, &f.Available.LUTRAM},
	} {
		u, ok := r.Utilization[kind.bel]
		if !ok {
			return Figures{}, fmt.Errorf("%w: nextpnr's report counts no %s; this wants nextpnr 0.5 or later", golden.ErrDamaged, kind.bel)
		}
		*kind.used, *kind.available = u.Used, u.Available
	}
	clock := ""
	for name, c := range r.Fmax {
		nearer := math.Abs(c.Constraint-mhz) - math.Abs(r.Fmax[clock].Constraint-mhz)
		if clock == "" || nearer < 0 || nearer == 0 && name < clock {
			clock = name
		}
	}
	if clock == "" {
		return Figures{}, fmt.Errorf("%w: nextpnr's report has no clock", golden.ErrDamaged)
	}
	f.FmaxMHz = r.Fmax[clock].Achieved
	f.TimingMet = f.FmaxMHz >= mhz
	for _, p := range r.CriticalPaths {
		from, to := edge.FindStringSubmatch(p.From), edge.FindStringSubmatch(p.To)
		if from == nil || to == nil || from[2] != clock || to[2] != clock {
			continue
		}
		for _, s := range p.Path {
			f.CriticalPath = append(f.CriticalPath, PathStep{Kind: s.Type, Nanos: s.Delay, From: s.From.String(), To: s.To.String()})
		}
	}
	f.Slowest = r.slowest(clock, 1000/mhz)
	return f, nil
}

// What Yosys and nextpnr append to a register's name: the cell, and the block of a memory.
var cellSuffix = regexp.MustCompile(`(_(TRELLIS_FF|LUT4|CCU2C|MULT18X18D|PFUMX|L6MUX21|DP16KD)_?.*|(\.\d+)+(\$.*)?)$`)

// slowest groups the endpoints of a clock by register.
func (r *pnrReport) slowest(clock string, period float64) []Arrival {
	byName := map[string]*Arrival{}
	for _, net := range r.Nets {
		for _, e := range net.Endpoints {
			if m := edge.FindStringSubmatch(e.Event); m == nil || m[2] != clock {
				continue
			}
			name := cellSuffix.ReplaceAllString(e.Cell, "")
			a := byName[name]
			if a == nil {
				a = &Arrival{Register: name}
				byName[name] = a
			}
			a.Nanos = max(a.Nanos, e.Delay[1])
			if e.Delay[1] > period {
				a.Late++
			}
		}
	}
	var list []Arrival
	for _, a := range byName {
		list = append(list, *a)
	}
	slices.SortFunc(list, func(a, b Arrival) int {
		return cmp.Or(cmp.Compare(b.Nanos, a.Nanos), cmp.Compare(a.Register, b.Register))
	})
	return list[:min(len(list), slowestCount)]
}
