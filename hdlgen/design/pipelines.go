package design

import (
	"fmt"
	"slices"
	"strings"

	"corinfo/hdlgen"
	vl "corinfo/hdlgen/verilog"
)

// moduleName is that of a formula's pipeline.
func (p *Plan) moduleName(at int) string {
	return fmt.Sprintf("%s_%s%d", p.Network.Name, p.Formulas[at].Graph.Name, at)
}

// hasPipeline tells whether a formula computes something: an answer only shows a word.
func (f *Formula) hasPipeline() bool { return f.Graph.Name != "answer" }

// pipelines prints every formula.
func (p *Plan) pipelines(provenance []string) (modules []*vl.Module, err error) {
	for i, f := range p.Formulas {
		if !f.hasPipeline() {
			continue
		}
		name := p.moduleName(i)
		m, _, err := hdlgen.Pipeline(name, f.Graph, p.Target, append([]string{fmt.Sprintf("%s: %s.", name, p.about(i))}, provenance...))
		if err != nil {
			return nil, err
		}
		modules = append(modules, m)
	}
	return modules, nil
}

// about tells what a formula serves.
func (p *Plan) about(at int) string {
	var names []string
	serves := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, s := range p.Steps {
		if s.Formula == at {
			serves(fmt.Sprintf("layer %d", s.Layer))
		}
	}
	for _, u := range p.Updates {
		if u.Formula == at {
			serves(p.D.Projections[u.Projection].Name)
		}
	}
	return "formula " + p.Formulas[at].Graph.Name + " of " + strings.Join(names, ", ")
}
