package design

import (
	"fmt"
	"slices"
	"strings"
)

// top is the module that joins the control, the lanes and the neuron units.
type top struct {
	module
	Batch, OneSignal, UpdateWords, ScheduleWords int  // parameters of the control
	XSigned                                      int  // 1: inputs are signed
	BesideSigned                                 uint // a bit for each word beside a synapse

	// Words of 32 bits side by side, the first lowest: for each word beside a synapse, constant of an update and table of the host its
	// lowest bit or its rows, and its bits.
	BesideLow, BesideBits, ConstantLow, ConstantBits, TableRows, TableBits string

	Told      []wire   // by the control
	UnitsTold []wire   // of it and of the shared words, all units and their lanes
	UnitTold  []string // of that what the unit itself listens to
	Untold    []string // what nobody listens to
	Answers   []wire   // of a unit
}

func bits(list []wire) (bits int) {
	for _, x := range list {
		bits += x.Width
	}
	return bits
}

func (p *Plan) topModule(s *shape) ([]byte, error) {
	m := &top{module: p.module(s, func(*Formula) bool { return false })}
	m.Batch, m.OneSignal, m.UpdateWords, m.ScheduleWords = p.batch(), p.oneSignal(), p.updateWords(), p.scheduleWords()
	m.XSigned = one(p.A.InputType().Signed)
	for i, x := range p.Beside {
		m.BesideSigned |= uint(one(x.Signed)) << i
	}
	low := func(x Storage) int { return x.Low }
	width := func(x Storage) int { return x.Width }
	m.BesideLow, m.BesideBits = numbers(p.Beside, low, 4), numbers(p.Beside, width, 4)
	m.ConstantLow, m.ConstantBits = numbers(p.UpdateConstants, low, 8), numbers(p.UpdateConstants, width, 8)
	tables := p.hostTables(s.Constants)
	m.TableRows = numbers(tables[:], func(x TableSize) int { return x.Rows }, tableCount)
	m.TableBits = numbers(tables[:], func(x TableSize) int { return x.Bits }, tableCount)

	m.Told = m.fromControl()
	known := map[string]int{"rst": 1, "shared": s.SharedW()}
	for _, x := range m.Told {
		known[x.Name] = x.Width
	}
	if !p.Learns() {
		m.Untold = onlyLearning
	}
	heard := func(name string) bool {
		return (p.Learns() || !slices.Contains(onlyLearning, name)) && (p.HasShared() || !slices.Contains(onlyShared, name))
	}
	for _, name := range slices.Concat(toldBoth, toldLanes, toldUnits) {
		if heard(name) {
			m.UnitsTold = append(m.UnitsTold, wire{name, known[name]})
		}
	}
	for _, name := range slices.Concat(toldBoth, toldUnits) {
		if heard(name) {
			m.UnitTold = append(m.UnitTold, name)
		}
	}
	m.Answers = []wire{
		{"queue_put", p.Contexts},
		{"queue_head", s.EventW()},
		{"moved", 1},
		{"flags", p.Flags},
		{"score", s.Score},
		{"synapse", s.Synapse},
		{"beside", s.BesideW()},
	}
	if p.Learns() {
		m.Answers = append(m.Answers, wire{"kept", s.Kept}, wire{"factor_live", 1})
	}
	if p.HasShared() {
		m.Answers = append(m.Answers, wire{"reduced", s.Reduce})
	}
	return m.printed("top", m)
}

// numbers are words of 32 bits side by side, the first lowest and those behind the last 0.
func numbers[T any](list []T, of func(T) int, n int) string {
	parts := slices.Repeat([]string{"32'd0"}, n)
	for i, x := range list {
		parts[n-1-i] = fmt.Sprintf("32'd%d", of(x))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// fromControl are the control's outputs but the choice of a queue, which has a bit for each unit and sample in flight.
func (m *top) fromControl() []wire {
	s, c := m.W, m.Contexts
	return []wire{
		{"synapse_raddr", s.SynapseAddr},
		{"synapse_waddr", s.SynapseAddr},
		{"host_we", 1},
		{"host_beside", 1},
		{"host_lane", s.Lane},
		{"host_synapse", s.Synapse},
		{"host_words", s.BesideW()},
		{"factor_raddr", s.FactorAddr},
		{"factor_waddr", s.FactorAddr},
		{"update", 1},
		{"operand", s.Operand},
		{"sum_addr", c * s.SumAddr},
		{"sum_we", c},
		{"sum_first", 1},
		{"sum_same", 1},
		{"hold", len(m.Kinds)},
		{"hold_context", s.Context},
		{"hold_zero", 1},
		{"step", 8},
		{"graph", 8},
		{"context", s.Context},
		{"neurons", 16},
		{"label", 16},
		{"signal", s.Signal},
		{"layer", 8},
		{"largest", 1},
		{"constants", s.Constants},
		{"visit", 1},
		{"visit_sub", s.Sub},
		{"visit_index", s.Index},
		{"visit_neuron", 16},
		{"clear", 1},
		{"reduce", 1},
		{"reduce_first", 1},
		{"write", 1},
		{"write_sub", s.Sub},
		{"write_index", s.Index},
		{"write_neuron", 16},
		{"event", 1},
		{"factor_we", 1},
		{"kept_we", 1},
		{"kept_waddr", s.KeptAddr},
		{"kept_raddr", s.KeptAddr},
		{"combine", 1},
		{"combine_first", 1},
		{"combine_unit", s.Unit},
		{"shared_write", 1},
		{"synapse_write", 1},
		{"synapse_sub", s.Sub},
		{"keys", 128},
		{"order", 2},
		{"random_row", 16},
		{"random_column", 16},
		{"update_constants", s.UpdateConstants},
		{"queue_context", s.Context},
	}
}

// What the control tells units and their lanes.
var (
	toldBoth  = []string{"update"}
	toldLanes = []string{"synapse_raddr", "synapse_waddr", "factor_raddr", "factor_waddr", "operand", "sum_addr", "sum_we",
		"sum_first", "sum_same",
		"hold", "hold_context", "hold_zero"}
	toldUnits = []string{"rst", "graph", "context", "neurons", "label", "signal", "constants", "shared", "visit", "visit_sub",
		"visit_index", "visit_neuron",
		"clear", "reduce", "reduce_first", "write", "write_sub", "write_index", "write_neuron", "event", "factor_we", "kept_we", "kept_waddr", "kept_raddr",
		"synapse_write", "synapse_sub", "keys", "order", "random_row", "random_column", "update_constants", "host_we", "host_beside", "host_lane",
		"host_synapse", "host_words", "queue_context"}

	// onlyLearning are those that only learning needs.
	onlyLearning = []string{"update", "write_sub", "factor_raddr", "factor_waddr", "factor_we", "kept_we", "kept_waddr",
		"kept_raddr", "synapse_write",
		"synapse_sub", "keys", "order", "random_row", "random_column", "update_constants"}

	// onlyShared are those that only words need that the neurons of a layer share.
	onlyShared = []string{"visit", "reduce", "reduce_first"}
)

func (m *top) UnitsToldW() int { return bits(m.UnitsTold) }
func (m *top) AnswersW() int   { return bits(m.Answers) }

// FromUnit are the places of a unit's answers among those of all.
func (m *top) FromUnit() (list []string) {
	for _, x := range m.Answers {
		list = append(list, fmt.Sprintf("from_units_%s[%d*u +: %d]", x.Name, x.Width, x.Width))
	}
	return list
}
