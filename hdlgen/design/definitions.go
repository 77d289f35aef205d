package design

import (
	"fmt"
	"strings"

	"corinfo/hdlgen"
)

// Region is what an address of the host is about, in its bits 31:28.
type Region uint32

// Regions of the host.
const (
	RegionSynapses  Region = 0
	RegionConstants Region = 1
	RegionControl   Region = 2
	RegionCounters  Region = 3
	RegionBeside    Region = 4 // and as many behind it as there are words beside a synapse
	RegionStatus    Region = 8
	RegionTables    Region = 9
)

// RegionShift is where the region begins in an address.
const RegionShift = 28

// Address is that of a word of the region.
func (r Region) Address(word int) uint32 { return uint32(r)<<RegionShift | uint32(word) }

// Table is a number of RegionTables, in bits 27:24 of an address.
type Table uint32

// Tables that the host reads and writes, in parts of 32 bits.
const (
	TableConstants Table = iota // of steps
	TableProgram
	TableSteps
	TableSignals
	TableColumns // what the words of a column are added to
	TableUpdates
	TableCounters // which counter a flag is of
)

// tableCount is how many tables there are.
const tableCount = 7

// TableSize is how many rows a table has, and of how many bits each.
type TableSize struct{ Rows, Bits int }

// Address is that of a part of a row.
func (t Table) Address(row, part int) uint32 {
	return RegionTables.Address(int(t)<<24 | row<<4 | part)
}

// Words of RegionStatus.
const (
	StatusErrors   = 0 // and what is under way
	StatusAbort    = 1
	StatusWatchdog = 2
	StatusReset    = 3
)

// Kinds of steps, as corinfo_steps does them.
const (
	kindNeurons = 0
	kindClear   = 1
	kindShared  = 2
	kindAnswer  = 3
)

// definition is a constant that this package and the library's Verilog share.
type definition struct {
	name        string
	width       int // 0: a plain number
	value       int
	description string
}

// instruction are the fields of a word of the program, the lowest first.
var instruction = layout{{"Op", 4}, {"Step", 8}, {"Row", 16}, {"Hold", 1}, {"Last", 1}, {"Exit", 16}}

// The other tables' words: a step, where a signal's columns are, what a word of a column is added to, the update of a projection.
var (
	stepEntry = layout{
		{"Graph", 8}, {"Pull", 1}, {"Changes", 1}, {"Post", 1}, {"Pre", 1}, {"Largest", 1}, {"", 3},
		{"SlotBase", 16}, {"SlotCount", 16}, {"IndexBase", 16}, {"Neurons", 16}, {"Latency", 16}, {"Kinds", 16},
		{"Signal", 8}, {"Layer", 8}, {"FactorBase", 16}, {"KeptBase", 16}, {"Number", 16},
	}
	signalEntry = layout{{"Base", 32}, {"Stride", 16}, {"Walk", 16}}
	walkEntry   = layout{{"Sum", 24}, {"Shift", 8}}
	updateEntry = layout{
		{"Graph", 8}, {"FromInput", 1}, {"FromOne", 1}, {"Always", 1}, {"Signed", 1}, {"TwoTerms", 1}, {"Order", 2}, {"", 1},
		{"Columns", 16}, {"IndexBase", 16}, {"KeptFirst", 16}, {"KeptSecond", 16}, {"FactorFirst", 16}, {"FactorSecond", 16},
		{"SlotBase", 16}, {"SlotCount", 16}, {"Rows", 16}, {"Synapse", 32}, {"Stride", 16}, {"Matrix", 16}, {"Latency", 16},
		{"Minus", 16}, {"LiveFirst", 16}, {"LiveSecond", 16},
	}
)

// layout are the fields of a word of a table, the lowest first; bits without a name are free.
type layout []struct {
	name string
	bits int
}

// bits are those of the word.
func (l layout) bits() (width int) {
	for _, f := range l {
		width += f.bits
	}
	return width
}

// pack gives the fields their values.
func (l layout) pack(values ...int) (fields []hdlgen.Field) {
	for _, f := range l {
		value := 0
		if f.name != "" {
			value, values = values[0], values[1:]
		}
		fields = append(fields, field(int64(value), f.bits))
	}
	return fields
}

// definitions are where the fields are.
func (l layout) definitions(word string) (list []definition) {
	at := 0
	for _, f := range l {
		low := at
		at += f.bits
		if f.name == "" {
			continue
		}
		list = append(list, definition{f.name + "Low", 0, low, ""})
		if f.bits > 1 {
			list = append(list, definition{f.name + "Bits", 0, f.bits, ""})
		}
	}
	return append(list, definition{word + "Bits", 0, at, ""})
}

// definitions are the groups of constants that the library's Verilog has from here, by name.
var definitions = map[string][]definition{
	"opcodes": {
		{"OpClear", 4, int(OpClear), "words and sums become zero"},
		{"OpLoad", 4, int(OpLoad), "the sample is taken"},
		{"OpStep", 4, int(OpStep), ""},
		{"OpShared", 4, int(OpShared), "a step of the words that a layer shares"},
		{"OpAnswer", 4, int(OpAnswer), ""},
		{"OpInferred", 4, int(OpInferred), "an inference ends here"},
		{"OpSampled", 4, int(OpSampled), "a learning sample, unless it completes the mini-batch"},
		{"OpUpdate", 4, int(OpUpdate), "of the projection that step names"},
		{"OpEnd", 4, int(OpEnd), ""},
		{"OpNudge", 4, int(OpNudge), "beta has the sign of step: 1 as the command says, 2 the opposite, 0 none"},
	},
	"kinds": {
		{"KindNeurons", 2, kindNeurons, ""}, {"KindClear", 2, kindClear, ""}, {"KindShared", 2, kindShared,
			""}, {"KindAnswer", 2, kindAnswer, ""},
	},
	"instruction": instruction.definitions("Instruction"),
	"step":        stepEntry.definitions("Entry"),
	"signal":      signalEntry.definitions("Signal"),
	"walk":        walkEntry.definitions("Place"),
	"update":      updateEntry.definitions("Entry"),
	"regions": {
		{"RegionSynapses", 4, int(RegionSynapses), ""},
		{"RegionConstants", 4, int(RegionConstants), "of updates"},
		{"RegionControl", 4, int(RegionControl), ""},
		{"RegionCounters", 4, int(RegionCounters), ""},
		{"RegionBeside", 4, int(RegionBeside), "to 7: words beside synapses"},
		{"RegionStatus", 4, int(RegionStatus), ""},
		{"RegionTables", 4, int(RegionTables), ""},
	},
	"tables": {
		{"TableConstants", 0, int(TableConstants), "of steps"},
		{"TableProgram", 0, int(TableProgram), ""},
		{"TableSteps", 0, int(TableSteps), ""},
		{"TableSignals", 0, int(TableSignals), ""},
		{"TableColumns", 0, int(TableColumns), "what the words of a column are added to"},
		{"TableUpdates", 0, int(TableUpdates), ""},
		{"TableCounters", 0, int(TableCounters), "which counter a flag is of"},
	},
	"status": {
		{"PlaceStatus", 2, StatusErrors, ""}, {"PlaceAbort", 2, StatusAbort, ""}, {"PlaceWatchdog", 2, StatusWatchdog,
			""}, {"PlaceReset", 2, StatusReset, ""},
	},
}

// verilog prints a group as local parameters.
func verilog(list []definition) string {
	var b strings.Builder
	longest, widest := 0, 0
	for _, d := range list {
		longest, widest = max(longest, len(d.name)), max(widest, len(d.text()))
	}
	for _, d := range list {
		of, value := "", d.text()+";"
		if d.width > 0 {
			of = fmt.Sprintf("[%d:0] ", d.width-1)
		}
		line := fmt.Sprintf("  localparam %s%-*s = %s", of, longest, d.name, value)
		if d.description != "" {
			line = fmt.Sprintf("  localparam %s%-*s = %-*s  // %s", of, longest, d.name, widest+1, value, d.description)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

// text is the value in Verilog.
func (d definition) text() string {
	if d.width == 0 {
		return fmt.Sprint(d.value)
	}
	return fmt.Sprintf("%d'd%d", d.width, d.value)
}
