package design

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"corinfo/hdlgen"
)

type image = hdlgen.MemoryImage

// field is a part of a memory's word: the lowest bits of a value.
func field(value int64, width int) hdlgen.Field { return hdlgen.Field{Value: value, Width: width} }

// one is 1 if b, else 0.
func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func filled(least int, fill func(m *image)) []byte {
	m := &image{}
	fill(m)
	m.Pad(least)
	return m.Text()
}

func (p *Plan) imageName(name string) string { return hdlgen.ImagePath(p.Network.Name, name+".hex") }

// Values are the words of synapses and of what is beside them.
type Values interface {
	Synapse(projection, row, column int) int64
	Beside(projection, word, row, column int) int64
}

// images are the memory images by their names.
func (p *Plan) images(s *shape, values Values, rates [][]int64) map[string][]byte {
	out := map[string][]byte{}
	put := func(name string, least int, fill func(m *image)) {
		if text := filled(least, fill); len(text) > 0 { // else a design for inference only has no such memory
			out[p.imageName(name)] = text
		}
	}
	for table, text := range p.tableImages(s) {
		if len(text) > 0 {
			out[p.imageName(tableNames[table])] = text
		}
	}
	put("rates", p.updateWords(), func(m *image) {
		for _, u := range p.Updates {
			m.Word(p.constantFields(s, rates[u.Update])...)
		}
	})
	put("schedule", p.scheduleWords(), func(m *image) {
		for i := range p.scheduleWords() {
			e := p.Entries[min(i, len(p.Entries)-1)] // one alone comes twice
			m.Word(append([]hdlgen.Field{field(int64(e.Number), 32), field(int64(e.Update), 8)}, p.constantFields(s, e.Constants)...)...)
		}
	})
	maps.Copy(out, p.laneImages(s, values))
	return out
}

// constantFields are the constants of an update in their places.
func (p *Plan) constantFields(s *shape, words []int64) (fields []hdlgen.Field) {
	used := 0
	for at, word := range words {
		fields = append(fields, field(word, p.UpdateConstants[at].Width))
		used += p.UpdateConstants[at].Width
	}
	return append(fields, field(0, s.UpdateConstants-used))
}

// tableNames are those of the tables' images.
var tableNames = [tableCount]string{"constants", "program", "steps", "signals", "walk", "updates", "counters"}

// tableImages are the images of tables, by number.
func (p *Plan) tableImages(s *shape) (texts [tableCount][]byte) {
	put := func(table Table, least int, fill func(m *image)) { texts[table] = filled(least, fill) }
	batch := p.batch()
	put(TableProgram, 2, func(m *image) {
		for _, i := range p.Program {
			m.Word(instruction.pack(int(i.Op), i.Step, i.Row, one(i.Hold), one(i.Last), i.Exit)...)
		}
	})
	put(TableSteps, 2, func(m *image) {
		for _, st := range p.Steps {
			f := p.Formulas[st.Formula]
			kinds, signal, post, pre := p.kindsOf(f), max(0, st.Signal), 0, 0
			if st.Post >= 0 {
				post = st.Post * batch * p.Slots
			}
			if st.Pre >= 0 {
				pre = st.Pre * batch * p.Slots * p.Subs
			}
			m.Word(stepEntry.pack(st.Formula, one(st.Label), one(st.Signal >= 0), one(st.Post >= 0), one(st.Pre >= 0), one(f.Largest),
				p.SlotBase[st.Layer], p.SlotCount[st.Layer], p.SlotBase[st.Layer]*p.Subs, p.Network.Layers[st.Layer],
				f.Latency, kinds, signal, st.Layer, post, pre, p.factorsOf(st.Post, st.Layer))...)
		}
	})
	put(TableConstants, 4, func(m *image) {
		for _, row := range p.Rows {
			f := p.Formulas[row.Formula]
			for _, words := range row.Words {
				fields, at, low := []hdlgen.Field{}, 0, 0
				for i, v := range f.Graph.Inputs() {
					if f.Constants[i] >= 0 {
						width := f.Graph.Nodes()[v].Format.Width
						fields = append(fields, field(words[at], width))
						low += width
						at++
					}
				}
				m.Word(append(fields, field(0, s.Constants-low))...)
			}
		}
	})
	put(TableSignals, 2, func(m *image) {
		for _, x := range p.Signals {
			m.Word(signalEntry.pack(x.Base, x.Stride, x.Walk)...)
		}
	})
	put(TableColumns, 2, func(m *image) {
		for _, x := range p.Walk {
			m.Word(walkEntry.pack(x.Slot<<s.Kind|x.Kind, x.Shift)...)
		}
	})
	put(TableUpdates, p.updateWords(), func(m *image) {
		for _, u := range p.Updates {
			pr, d := &p.D.Projections[u.Projection], p.D
			x, f := &d.Updates[u.Update], p.Formulas[u.Formula]
			pre, post := &d.Words[pr.From], d.Sums[pr.To].Layer
			order := 0
			switch {
			case u.Mirrored:
				order = 2
			case pr.Symmetric:
				order = 1
			}
			signal, offset := p.offset(u.Projection)
			bases := func(of func(t Term) int) [2]int {
				b := [2]int{of(u.Terms[0]), 0}
				if len(u.Terms) > 1 {
					b[1] = of(u.Terms[1])
				}
				return b
			}
			kept := bases(func(t Term) int { return max(0, t.Pre) * batch * p.Slots * p.Subs })
			factor := bases(func(t Term) int { return t.Post * batch * p.Slots })
			live := bases(func(t Term) int { return p.factorsOf(t.Post, post) })
			minus := 0
			for i, t := range u.Terms {
				if t.Negative {
					minus |= 1 << i
				}
			}
			index := 0
			if pre.Layer > 0 {
				index = p.SlotBase[pre.Layer] * p.Subs
			}
			first := signal.Base + offset
			m.Word(updateEntry.pack(u.Formula, one(pre.Input()), one(pre.One()), one(x.Always), one(x.Signed),
				one(len(u.Terms) > 1), order, pr.Cols, index, kept[0], kept[1], factor[0], factor[1],
				p.SlotBase[post], p.SlotCount[post], pr.Rows, first, signal.Stride, u.Key, f.Latency,
				minus, live[0], live[1])...)
		}
	})
	put(TableCounters, max(2, len(p.Steps))+p.updateWords(), func(m *image) {
		for _, tensors := range p.raised() {
			var fields []hdlgen.Field
			for k := range p.Flags {
				counter := int64(noCounter)
				if k < len(tensors) && tensors[k] != "" {
					counter = int64(slices.Index(p.Counters, tensors[k]))
				}
				fields = append(fields, field(counter, 8))
			}
			m.Word(fields...)
		}
	})
	return texts
}

// laneImages are those of the lanes' memories.
func (p *Plan) laneImages(s *shape, values Values) map[string][]byte {
	out := map[string][]byte{}
	put := func(name string, least int, fill func(m *image)) { out[p.imageName(name)] = filled(least, fill) }
	// A column's words, in every lane.
	for lane := range p.Lanes {
		synapse := func(address int) (projection, row, column int, ok bool) {
			projection, column, slot, ok := p.Column(address)
			row = slot*p.Lanes + lane
			return projection, row, column, ok && row < p.D.Projections[projection].Rows
		}
		put(fmt.Sprintf("lane_%04d", lane), s.SynapseDepth, func(m *image) {
			for a := range p.Depth {
				v := int64(0)
				if projection, row, column, ok := synapse(a); ok {
					v = values.Synapse(projection, row, column)
				}
				m.Word(field(v, s.Synapse))
			}
		})
		if s.Beside > 0 {
			put(fmt.Sprintf("beside_%04d", lane), s.SynapseDepth, func(m *image) {
				for a := range p.Depth {
					var fields []hdlgen.Field
					projection, row, column, ok := synapse(a)
					for k, x := range p.Beside {
						v := int64(0)
						if ok {
							v = p.BesideWord(values, projection, k, row, column)
						}
						fields = append(fields, field(v, x.Width))
					}
					m.Word(fields...)
				}
			})
		}
	}
	return out
}

// updateWords are those of the table of updates: at least two where there are any.
func (p *Plan) updateWords() int {
	if !p.Learns() {
		return 0
	}
	return max(2, len(p.Updates))
}

// BesideWord is a word beside a synapse; a mirrored projection has those of the one that it mirrors.
func (p *Plan) BesideWord(values Values, projection, word, row, column int) int64 {
	if of := p.D.Projections[projection].Mirror; of >= 0 {
		projection, row, column = of, column, row
	}
	if word >= len(p.D.Projections[projection].Words) {
		return 0
	}
	return values.Beside(projection, word, row, column)
}

// LaneImages are the images of the design's memories of synapses, and of the words beside them, by their file, with other words.
func (d *Design) LaneImages(values Values) (map[string][]byte, error) {
	s, err := newShape(d.Plan)
	if err != nil {
		return nil, err
	}
	return d.Plan.laneImages(s, values), nil
}

// HostTable is a table that the host reads and writes: bits of a row, and its rows in parts of 32 bits, the lowest first; none if the host
// has it not.
type HostTable struct {
	Bits int
	Rows [][]uint32
}

// HostTables are the design's, by number.
func (p *Plan) HostTables() (list [tableCount]HostTable, err error) {
	s, err := newShape(p)
	if err != nil {
		return list, err
	}
	texts := p.tableImages(s)
	for table, size := range p.hostTables(s.Constants) {
		list[table].Bits = size.Bits
		if size.Rows == 0 {
			continue
		}
		if list[table].Rows, err = rowsOf(texts[table]); err != nil {
			return list, err
		}
	}
	return list, nil
}

// rowsOf are the words of an image in parts of 32 bits, the lowest first.
func rowsOf(image []byte) (rows [][]uint32, err error) {
	for line := range strings.Lines(string(image)) {
		digits := strings.TrimSpace(line)
		var parts []uint32
		for end := len(digits); end > 0; end -= 8 {
			v, err := strconv.ParseUint(digits[max(0, end-8):end], 16, 32)
			if err != nil {
				return nil, err
			}
			parts = append(parts, uint32(v))
		}
		rows = append(rows, parts)
	}
	return rows, nil
}
