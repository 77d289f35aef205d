package lockstep

import (
	"fmt"
	"slices"
	"strings"

	fx "corinfo/fixedpoint"
	"corinfo/golden/machine"
	"corinfo/hdlgen/design"
)

// flight is a command under way: what the model did of it, and how far the design has shown it.
type flight struct {
	*command
	index  int // of the run's commands, those that resets ended among them
	trace  machine.Trace
	visits []visit       // steps of the program in their order
	writes []columnWrite // of the update, if it completes a mini-batch
	mixed  bool          // that mini-batch has both signs of beta
	visit  int           // the next one, and how many of its neurons' lines have come
	lines  int
	write  int // likewise
	words  int
	score  int // the next one
	class  bool
	got    int
}

// visit is a step of the program with the words that it writes.
type visit struct {
	step             int // of the plan
	phase, iteration int // iteration below 0: before or after all of them
	words            [][]int64
}

// columnWrite is a column of a projection that an update writes.
type columnWrite struct{ update, column int }

// shown is what the trace shows of a step of the plan: names, places and types of the words that it writes.
type shown struct {
	names   []string
	storage []design.Storage
	formats []fx.Format
	moves   []source // of a step that only moves words: where they come from
}

// source is the word that a moved one comes from: as it is, or by an output of the step's graph.
type source struct {
	name   string // "": by the output
	output int
}

// reader knows for every step of a plan what the trace shows of it.
type reader struct {
	p     *design.Plan
	steps []shown
}

func newReader(p *design.Plan) *reader {
	r := &reader{p: p}
	for i := range p.Steps {
		st := &p.Steps[i]
		f := p.Formulas[st.Formula]
		list := p.Words
		if f.Use == design.OfLayer {
			list = p.Shared
		}
		var x shown
		for _, at := range st.Words {
			if at < 0 {
				continue // the step keeps a factor or gives the answer
			}
			output := slices.IndexFunc(f.Graph.Outputs(), func(o fx.Output) bool { return o.Name == list[at].Name+"_next" })
			v := f.Graph.Outputs()[output].Value
			node := &f.Graph.Nodes()[v]
			x.names = append(x.names, fmt.Sprintf("%s%d", list[at].Name, st.Layer))
			x.storage = append(x.storage, list[at])
			x.formats = append(x.formats, node.Format)
			from := source{output: output}
			if in := slices.Index(f.Graph.Inputs(), v); in >= 0 {
				from.name = f.Operands[in].Name
			}
			x.moves = append(x.moves, from)
		}
		r.steps = append(r.steps, x)
	}
	return r
}

// place is where a word of a layer is stored.
type place struct {
	name  string
	layer int
}

// visits follow the program as a context executes it, with the model's records; last: the command completes a mini-batch.
func (r *reader) visits(t *machine.Trace, learn, last bool) (list []visit) {
	p, record, moved := r.p, 0, false
	words := map[place][]int64{} // what is stored; zero at first
	for at := 0; at < len(p.Program); at++ {
		i := &p.Program[at]
		switch i.Op {
		case design.OpInferred:
			if !learn {
				return list
			}
		case design.OpSampled:
			if !last {
				return list
			}
		case design.OpStep, design.OpShared:
			v := visit{step: i.Step, phase: i.Phase, iteration: i.Iteration}
			st := &p.Steps[i.Step]
			if st.Step >= 0 {
				v.words = t.Records[record].Words
				moved = moved || t.Records[record].Changed
				record++
			} else if st.Factor < 0 {
				v.words = r.moved(i.Step, words)
			}
			for k, storage := range r.steps[i.Step].storage {
				words[place{storage.Name, st.Layer}] = v.words[k]
			}
			list = append(list, v)
		}
		if i.Last {
			if i.Exit != 0 && !moved {
				at = i.Exit - 1
			}
			moved = false
		}
	}
	return list
}

// moved are the words that a step without a formula of the rule writes.
func (r *reader) moved(step int, words map[place][]int64) (next [][]int64) {
	st, x := &r.p.Steps[step], &r.steps[step]
	f := r.p.Formulas[st.Formula]
	count := r.p.Network.Layers[st.Layer]
	if f.Use == design.OfLayer {
		count = 1
	}
	from := func(name string) []int64 {
		if list := words[place{name, st.Layer}]; list != nil {
			return list
		}
		return make([]int64, count)
	}
	for _, m := range x.moves {
		if m.name != "" {
			next = append(next, from(m.name))
			continue
		}
		list := make([]int64, count)
		in := make([]int64, len(f.Operands))
		for neuron := range list {
			for k, o := range f.Operands {
				in[k] = from(o.Name)[neuron]
			}
			out, _ := f.Graph.Eval(in)
			list[neuron] = out[m.output]
		}
		next = append(next, list)
	}
	return next
}

// done tells whether the design has shown all of the command.
func (x *flight) done() bool { return x.missing() == "" }

// missing is what the design has not shown of it; "": nothing.
func (x *flight) missing() string {
	var list []string
	if n := len(x.visits) - x.visit; n > 0 {
		list = append(list, fmt.Sprintf("%d of %d steps", n, len(x.visits)))
	}
	if n := len(x.writes) - x.write; n > 0 {
		list = append(list, fmt.Sprintf("%d of %d columns of synapses", n, len(x.writes)))
	}
	if !x.class {
		list = append(list, "the class")
	}
	return strings.Join(list, ", ")
}
