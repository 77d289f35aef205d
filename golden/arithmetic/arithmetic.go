// Package arithmetic reads a rule in words: the types of all tensors, the formats of exact sums, the formulas as graphs of
// fixed-point operations, and the words of the constants. It is what the bit-true model and the hardware share;
// docs/ARITHMETIC.md gives the same in mathematical notation.
package arithmetic

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	fx "corinfo/fixedpoint"
	"corinfo/golden/rule"
)

// ErrFormats marks settings and types that do not go together.
var ErrFormats = errors.New("formats")

// Arithmetic is a description in words. Its lists are indexed as those of the description.
type Arithmetic struct {
	D           *rule.Description
	Samples     int       // of a mini-batch
	Types       []fx.Type // by tensor
	Sums        []fx.Format
	Projections []Projection
	Steps       []Formula
	Factors     []Formula // without a graph where the factor is a word
	Updates     []Update
	Inputs      [][256]int64 // raw words of pixels 0..255, by colour plane
}

// Projection are the exact values of settling with one projection.
type Projection struct {
	Change  fx.Format // what a synapse is multiplied by: a change of a signal, or one that stands still itself
	Product fx.Format
	Shift   int // left shift that aligns a product with its sum's binary point
}

// Formula is a formula in words.
type Formula struct {
	Graph    *fx.Graph
	Operands []rule.Operand // what the graph's inputs are
	Tensors  []string       // what its roundings round into, in the order of Graph.Resizes
	Guarded  []int          // roundings of guarded results
	graph    *rule.Graph
	index    int      // of its layer or matrix
	factors  []string // of an update's products: their tensors
}

// Update is the formula of an update with its exact sum.
type Update struct {
	Formula
	Sum   fx.Format
	Short bool // both factors, the presynaptic one signed, are int32
}

// New takes the types that a network file chooses, by tensor ("W1" before "W"), and the defaults of the rule for the
// others. inputs tell what the values 0..255 of a pixel stand for, by colour plane. Its errors are ErrFormats: a setting that does
// not fit its type, an exact sum beyond 64 bits.
func New(d *rule.Description, samples int, chosen map[string]fx.Type, inputs [][256]float64) (*Arithmetic, error) {
	a := &Arithmetic{D: d, Samples: samples, Types: Resolve(d, chosen)}
	if err := a.checkTypes(); err != nil {
		return nil, err
	}
	a.deriveSums()
	a.readFormulas()
	if err := a.checkFormulas(); err != nil {
		return nil, err
	}
	if err := a.checkConstants(); err != nil {
		return nil, err
	}
	x := a.Types[d.Words[d.Word("x", 0)].Tensor]
	a.Inputs = make([][256]int64, len(inputs))
	for plane := range inputs {
		for p, v := range inputs[plane] {
			a.Inputs[plane][p], _, _ = x.FromFloat(v)
		}
	}
	return a, nil
}

// Resolve gives the type of every tensor: the chosen one, else the rule's default.
func Resolve(d *rule.Description, chosen map[string]fx.Type) []fx.Type {
	types := make([]fx.Type, len(d.Tensors))
	for i, t := range d.Tensors {
		types[i] = t.Default
		if c, ok := chosen[t.Kind]; ok {
			types[i] = c
		}
		if c, ok := chosen[t.String()]; ok {
			types[i] = c
		}
	}
	return types
}

// Type is the type of a tensor by its kind and the index of its layer or matrix.
func (a *Arithmetic) Type(kind string, index int) fx.Type {
	t := a.D.Tensor(kind, index)
	if t < 0 {
		panic(fmt.Sprintf("arithmetic: no tensor %s%d", kind, index))
	}
	return a.Types[t]
}

// Word is the type of a word.
func (a *Arithmetic) Word(w int) fx.Type { return a.Types[a.D.Words[w].Tensor] }

func fail(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormats, fmt.Sprintf(format, args...))
}

// change is the format of a change of a word; what stands still is broadcast itself.
func (a *Arithmetic) change(w int) fx.Format {
	f := a.Word(w).Format
	if a.D.Words[w].Fixed {
		return f
	}
	return fx.SubFormat(f, f)
}

// deriveSums finds, by the name of sums, the narrowest accumulator that holds every layer's exactly: one format serves all
// layers, so that layers with equal types share one pipeline.
func (a *Arithmetic) deriveSums() {
	named := map[string]fx.Format{}
	widen := func(name string, f fx.Format) {
		if old, ok := named[name]; ok {
			f = fx.Union(old, f)
		}
		named[name] = f
	}
	for _, s := range a.D.Sums {
		var sum fx.Format
		for i, p := range s.Projections {
			x := a.D.Projections[p]
			f := fx.SumFormat(fx.MulFormat(a.Types[x.Tensor].Format, a.Word(x.From).Format), x.Cols)
			if i > 0 {
				f = fx.AddFormat(sum, f)
			}
			sum = f
		}
		if len(s.Projections) > 0 {
			widen(s.Name, sum)
		}
	}
	for _, s := range a.D.Sums {
		f, ok := named[s.Name]
		if !ok {
			f = fx.U(1, 0) // no layer has a projection into it
		}
		a.Sums = append(a.Sums, f)
	}
	for _, p := range a.D.Projections {
		x := Projection{Change: a.change(p.From)}
		x.Product = fx.MulFormat(a.Types[p.Tensor].Format, x.Change)
		x.Shift = a.Sums[p.To].Frac - x.Product.Frac
		a.Projections = append(a.Projections, x)
	}
}

// Typing gives the operands of a formula of a layer.
func (a *Arithmetic) Typing(layer int) rule.Typing {
	word := func(name string) *rule.Word {
		if w := a.D.Word(name, layer); w >= 0 {
			return &a.D.Words[w]
		}
		return &rule.Word{}
	}
	return rule.Typing{
		Type: func(tensor string) fx.Type { return a.Type(tensor, layer) },
		Sum:  func(name string) fx.Format { return a.Sums[a.D.Sum(name, layer)] },
		Total: func(name string) fx.Format {
			return fx.SumFormat(a.Type(name, layer).Format, a.D.Layers[layer])
		},
		Shared: func(name string) bool { return word(name).Shared },
		Signal: func(name string) bool { return word(name).Signal },
	}
}

// readFormulas reads all formulas in words.
func (a *Arithmetic) readFormulas() {
	for _, s := range a.D.Steps {
		t := a.Typing(s.Layer)
		if s.Shared {
			t.Shared = nil // they are its own
		}
		a.Steps = append(a.Steps, read(s.Graph, s.Layer, t))
	}
	for _, f := range a.D.Factors {
		if f.Graph == nil {
			a.Factors = append(a.Factors, Formula{})
			continue
		}
		a.Factors = append(a.Factors, read(f.Graph, f.Layer, a.Typing(f.Layer)))
	}
	for _, u := range a.D.Updates {
		p := a.D.Projections[u.Projection]
		index := a.D.Tensors[p.Tensor].Index
		post, pre := a.Factor(u.Terms[0].Post), a.Factor(u.Terms[0].Pre)
		term := fx.MulFormat(post, pre)
		sum := fx.SumFormat(fx.Union(term, fx.NegFormat(term)), len(u.Terms)*a.Samples)
		a.Updates = append(a.Updates, Update{
			Formula: read(u.Graph, index, rule.Typing{
				Type:     func(tensor string) fx.Type { return a.Type(tensor, index) },
				Synapse:  func(name string) fx.Format { return a.Types[p.Beside(name)].Format },
				Products: sum,
			}),
			Sum:   sum,
			Short: post.FitsInt32() && fx.NegFormat(pre).FitsInt32(),
		})
		a.Updates[len(a.Updates)-1].factors = []string{a.factorName(u.Terms[0].Post), a.factorName(u.Terms[0].Pre)}
	}
}

// Factor is the format of a factor.
func (a *Arithmetic) Factor(f int) fx.Format {
	x := a.D.Factors[f]
	if x.Graph == nil {
		return a.Word(x.Word).Format
	}
	return a.Type(x.Name, x.Layer).Format
}

func read(g *rule.Graph, index int, t rule.Typing) Formula {
	f := Formula{graph: g, index: index}
	f.Graph, f.Operands = g.Words(t)
	rounding := map[rule.Value]int{}
	for v, n := range g.Nodes {
		if n.Op == rule.OpRound {
			rounding[rule.Value(v)] = len(f.Tensors)
			f.Tensors = append(f.Tensors, n.Name)
		}
	}
	for _, next := range g.Results {
		for _, word := range g.Guarded {
			if at, ok := rounding[next.Value]; ok && word == next.Word {
				f.Guarded = append(f.Guarded, at)
			}
		}
	}
	return f
}

// Input is the position of an operand in the order of the graph's inputs; below 0: it has none such.
func (f *Formula) Input(source rule.Source, name string) int {
	for i, o := range f.Operands {
		if o.Source == source && o.Name == name {
			return i
		}
	}
	return -1
}

// Constant is the raw word of a constant at a moment. One that does not fit its type has been refused at the start, but a
// rate may fall to zero.
func (a *Arithmetic) Constant(f *Formula, name string, at rule.Moment) int64 {
	c := f.graph.Setting(name)
	v := c.At(at)
	if c.Tensor == "" {
		return int64(v)
	}
	word, _, _ := a.Type(c.Tensor, f.index).FromFloat(v)
	return word
}

// moments are those at which constants may differ.
func (a *Arithmetic) moments() (list []rule.Moment) {
	for _, p := range a.D.Phases {
		for s := range p.Iterations {
			if !p.Learning {
				list = append(list, rule.Moment{Iteration: s, Inference: true})
			}
			list = append(list, rule.Moment{Beta: p.Beta, Iteration: s}, rule.Moment{Beta: -p.Beta, Iteration: s})
		}
	}
	return list
}

// checkConstants refuses settings that do not fit their types, or vanish in them.
func (a *Arithmetic) checkConstants() error {
	check := func(f *Formula, what string, moments []rule.Moment) error {
		for _, c := range f.graph.Constants {
			if c.Tensor == "" {
				continue
			}
			t := a.Type(c.Tensor, f.index)
			last := 0.0
			for _, at := range moments {
				v := c.At(at)
				if v == last {
					continue
				}
				last = v
				word, overflow, err := t.FromFloat(v)
				name := fmt.Sprintf("%s of %s", c.Name, what)
				if c.Name != c.Tensor {
					name = c.Tensor + ": " + name
				}
				switch {
				case err != nil:
					return fail("%s: %v", name, err)
				case overflow:
					return fail("%s: %g does not fit %v (range %g to %g)", name, v, t, t.Float(t.Word(t.Min())), t.Float(t.Word(t.Max())))
				case word == 0 && v != 0:
					return fail("%s: %g is rounded to zero in %v; give it more fraction bits", name, v, t)
				}
			}
		}
		return nil
	}
	moments := a.moments()
	for i := range a.Steps {
		if err := check(&a.Steps[i], fmt.Sprint(a.D.Steps[i].Name, a.D.Steps[i].Layer), moments); err != nil {
			return err
		}
	}
	for i := range a.Updates {
		if err := check(&a.Updates[i].Formula, a.D.Projections[a.D.Updates[i].Projection].Name, []rule.Moment{{}}); err != nil {
			return err
		}
	}
	return nil
}

// checkTypes refuses types that the arithmetic cannot work with, naming the tensor and the remedy.
func (a *Arithmetic) checkTypes() error {
	for i, t := range a.D.Tensors {
		if a.Types[i].Rounding == fx.Stochastic && t.Use != rule.OfSynapse && t.Use != rule.OfBeside {
			return fail("%v: STOCHASTIC rounding is for the stored synapses only: %s", t, strings.Join(a.stored(), ", "))
		}
	}
	for _, w := range a.D.Words {
		if unit := a.D.Tensors[w.Tensor]; w.One() && a.Types[w.Tensor] != unit.Default {
			return fail("%v: it is always 1, and of %v alone; leave it out", unit, unit.Default)
		}
		if t := a.Types[w.Tensor]; w.Signal && !w.Fixed && t.Signed && t.Width == 1 {
			return fail("%v: %v holds no positive state; use ap_ufixed", a.D.Tensors[w.Tensor], t)
		}
	}
	for _, c := range a.D.Phases[0].Begin {
		to, from := a.Word(c.To), a.Word(c.From)
		toName, fromName := a.D.Tensors[a.D.Words[c.To].Tensor], a.D.Tensors[a.D.Words[c.From].Tensor]
		if fx.Union(to.Format, from.Format) != to.Format {
			return fail("%v: %v cannot hold every %v of %v, and %v := %v when a phase starts; give %v at least the fraction bits and range of %v, and a sign",
				toName, to, fromName, from, toName, fromName, toName, fromName)
		}
	}
	return nil
}

// stored are the kinds of synapses.
func (a *Arithmetic) stored() (kinds []string) {
	for _, t := range a.D.Tensors {
		if t.Use == rule.OfSynapse && (len(kinds) == 0 || kinds[len(kinds)-1] != t.Kind) {
			kinds = append(kinds, t.Kind)
		}
	}
	return kinds
}

// checkFormulas refuses exact values that are too wide.
func (a *Arithmetic) checkFormulas() error {
	for i, s := range a.D.Sums {
		if !a.Sums[i].FitsInt64() {
			return fail("the exact sum %s needs %d bits with a sign; at most 64: shorten %s", s.Name, withSign(a.Sums[i]),
				either(a.summed(s.Name)))
		}
	}
	for i := range a.Updates {
		if u := &a.Updates[i]; !u.Sum.FitsInt64() {
			name := a.D.Projections[a.D.Updates[i].Projection].Name
			return fail("the exact sum of products of %s needs %d bits with a sign; at most 64: shorten %s", name,
				withSign(u.Sum), either(u.factors))
		}
	}
	return a.eachFormula(func(what string, f *Formula) error {
		for _, n := range f.Graph.Nodes() {
			if n.Op == fx.OpClip && !n.Format.FitsInt64() {
				var list []string
				for _, word := range f.Graph.Words(n.Args[0]) {
					list = append(list, fmt.Sprintf("%s (%v)", a.called(f, word.Name), word.Format))
				}
				remedy := "bring their binary points closer together, or shorten them"
				if len(list) == 1 {
					remedy = "use ap_fixed or shorten it"
				}
				return fail("%s: the exact value of %s is limited and longer than 64 bits with a sign: %s", what,
					strings.Join(list, ", "), remedy)
			}
		}
		if err := f.Graph.Check(); err != nil {
			return fail("%s: %s", what, a.tensorNames(f, err))
		}
		return nil
	})
}

// Slow tells of the formulas with a value beyond int64, which a model in software computes some hundred times slower than others: where it
// is, and which tensor to shorten.
func (a *Arithmetic) Slow() (list []string) {
	_ = a.eachFormula(func(what string, f *Formula) error {
		if kernel, err := f.Graph.Compile(); err == nil && kernel.Slow() != nil {
			list = append(list, what+": "+a.tensorNames(f, kernel.Slow()))
		}
		return nil
	})
	return list
}

// eachFormula visits formulas up to the first error, each with what it is called.
func (a *Arithmetic) eachFormula(visit func(what string, f *Formula) error) error {
	for i, s := range a.D.Steps {
		if err := visit(fmt.Sprint(s.Name, s.Layer), &a.Steps[i]); err != nil {
			return err
		}
	}
	for i, x := range a.D.Factors {
		if a.Factors[i].Graph == nil {
			continue
		}
		if err := visit(fmt.Sprint(x.Name, x.Layer), &a.Factors[i]); err != nil {
			return err
		}
	}
	for i, u := range a.D.Updates {
		if err := visit("update of "+a.D.Projections[u.Projection].Name, &a.Updates[i].Formula); err != nil {
			return err
		}
	}
	return nil
}

// summed are the kinds of tensors whose products enter the sums of a name, synapses first.
func (a *Arithmetic) summed(name string) (kinds []string) {
	var states []string
	for _, p := range a.D.Projections {
		if a.D.Sums[p.To].Name == name {
			kinds = append(kinds, a.D.Tensors[p.Tensor].Kind)
			states = append(states, a.D.Tensors[a.D.Words[p.From].Tensor].Kind)
		}
	}
	return append(kinds, states...)
}

// factorName is the tensor of a factor.
func (a *Arithmetic) factorName(f int) string {
	x := a.D.Factors[f]
	if x.Graph == nil {
		return a.D.Tensors[a.D.Words[x.Word].Tensor].String()
	}
	return a.D.Tensors[a.D.Tensor(x.Name, x.Layer)].String()
}

// withSign is a format's width with a sign.
func withSign(f fx.Format) int {
	if f.Signed {
		return f.Width
	}
	return f.Width + 1
}

// distinct are names, each once, but for the unit that is always 1, which cannot be shortened.
func distinct(names []string) (list []string) {
	for _, name := range names {
		if name != "one" && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// either lists names, each once: A, B or C.
func either(names []string) string {
	list := distinct(names)
	last := len(list) - 1
	if last == 0 {
		return list[0]
	}
	return strings.Join(list[:last], ", ") + " or " + list[last]
}

// tensorNames is the text of an error of the graph in which values have the names of tensors.
func (a *Arithmetic) tensorNames(f *Formula, err error) string {
	var wide *fx.WidthError
	if !errors.As(err, &wide) {
		return err.Error()
	}
	return wide.Text(func(name string) string { return a.called(f, name) }, func(name string) string {
		if _, of := a.sumOf(f, name); of != nil {
			return either(of)
		}
		return a.tensorName(f, name)
	})
}

// called is a value of a formula's graph by its tensor, or what a sum is of.
func (a *Arithmetic) called(f *Formula, name string) string {
	if sum, of := a.sumOf(f, name); of != nil {
		return sum + " of " + strings.Join(of, ", ")
	}
	return a.tensorName(f, name)
}

// sumOf tells of an exact sum, by its name in a formula's graph, what it is called and the tensors that enter it; nil: it is none.
func (a *Arithmetic) sumOf(f *Formula, name string) (sum string, of []string) {
	for _, o := range f.Operands {
		switch {
		case o.Source == rule.FromSum && o.Name == name:
			return name, distinct(a.summed(name))
		case o.Source == rule.FromTotal && name == rule.TotalInput:
			return "sum", []string{a.D.Tensors[a.D.Tensor(o.Name, f.index)].String()}
		case o.Source == rule.FromProducts && o.Name == name:
			return "sum of products", distinct(f.factors)
		}
	}
	return "", nil
}

// tensorName is the tensor of a value of a formula's graph, by the value's name.
func (a *Arithmetic) tensorName(f *Formula, name string) string {
	for _, o := range f.Operands {
		if o.Source == rule.FromSynapse && o.Name == name {
			for _, next := range f.graph.Results { // what the next value is rounded into
				if next.Word == name {
					return fmt.Sprint(f.graph.Nodes[next.Value].Name, f.index)
				}
			}
		}
	}
	for _, n := range f.graph.Nodes {
		if n.As != "" && n.As == name || n.Name+"_rounded" == name {
			return n.Name
		}
	}
	for _, c := range f.graph.Constants {
		if c.Name == name && c.Tensor != "" {
			return c.Tensor
		}
	}
	return name
}

// Name is the tensor that a rounding of the formula rounds into.
func (f *Formula) Name(d *rule.Description, rounding int) string {
	return d.Tensors[d.Tensor(f.Tensors[rounding], f.index)].String()
}

// InputType is that of the input's words.
func (a *Arithmetic) InputType() fx.Type { return a.Word(a.D.Word("x", 0)) }

// Input converts pixels to raw words of the input, into out.
func (a *Arithmetic) Input(pixels []uint8, out []int64) {
	plane := len(pixels) / len(a.Inputs)
	for from := 0; from < len(pixels); from += plane {
		table := &a.Inputs[from/plane]
		for i, p := range pixels[from : from+plane] {
			out[from+i] = table[p]
		}
	}
}
