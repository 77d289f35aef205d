package design

import (
	"slices"

	"corinfo/golden/rule"
)

// Plane is a factor, of one phase where phases have one each: room for it is in every lane or unit for all neurons and samples.
type Plane struct {
	Factor string
	Role   rule.Role
}

// Update is how one projection learns; a mirrored one learns the same words by itself.
type Update struct {
	Update     int // of the description
	Projection int
	Formula    int
	Mirrored   bool
	Terms      []Term
	Key        int // number of the tensor in random words
}

// Term is a product of factors.
type Term struct {
	Post     int // plane
	Pre      int // plane; below 0: the input, or the unit that is always 1
	Negative bool
}

// plane is the place of a factor's plane in a list, to which it is added.
func plane(list *[]Plane, d *rule.Description, factor int, role rule.Role) int {
	x := Plane{Factor: d.Factors[factor].Name, Role: role}
	if d.Factors[factor].Second {
		x.Role = rule.NoRole
	}
	if i := slices.Index(*list, x); i >= 0 {
		return i
	}
	*list = append(*list, x)
	return len(*list) - 1
}

// factorsOf is the number of the factors of a layer in a plane of Post: of each the control knows by sample whether all are zero.
func (p *Plan) factorsOf(plane, layer int) int { return max(0, plane)*p.Network.K() + layer - 1 }

// planes lists what updates read.
func (p *Plan) planes() {
	d := p.D
	key := map[int]int{}
	for number, at := range d.Stored() {
		key[at] = number
	}
	add := func(i int, projection int, mirrored bool) {
		u := Update{Update: i, Projection: projection, Mirrored: mirrored, Key: key[d.Updates[i].Projection]}
		for _, t := range d.Updates[i].Terms {
			post, pre := t.Post, t.Pre
			if mirrored {
				post, pre = pre, post
			}
			x := Term{Post: plane(&p.Post, d, post, t.Role), Pre: -1, Negative: t.Negative}
			if f := d.Factors[pre]; f.Graph != nil || !d.Words[f.Word].Fixed {
				x.Pre = plane(&p.Pre, d, pre, t.Role)
			}
			u.Terms = append(u.Terms, x)
		}
		p.Updates = append(p.Updates, u)
	}
	for i := range d.Updates {
		add(i, d.Updates[i].Projection, false)
		for at, pr := range d.Projections {
			if pr.Mirror == d.Updates[i].Projection {
				add(i, at, true)
			}
		}
	}
}

// updates gives the updates their formulas and constants.
func (p *Plan) updates() {
	for i := range p.Updates {
		u := &p.Updates[i]
		f := &p.A.Updates[u.Update]
		u.Formula = p.formula(Formula{Graph: f.Graph, Operands: f.Operands, Use: OfSynapse, Layer: u.Update})
	}
	// Constants of all updates lie in the same places of a row, so that the host finds them.
	for _, u := range p.Updates {
		f, at := p.Formulas[u.Formula], 0
		for i, v := range f.Graph.Inputs() {
			if f.Constants[i] < 0 {
				continue
			}
			if at == len(p.UpdateConstants) {
				p.UpdateConstants = append(p.UpdateConstants, Storage{})
			}
			p.UpdateConstants[at].Width = max(p.UpdateConstants[at].Width, f.Graph.Nodes()[v].Format.Width)
			at++
		}
	}
	low := 0
	for i := range p.UpdateConstants {
		p.UpdateConstants[i].Low = low
		low += p.UpdateConstants[i].Width
	}
	for _, f := range p.Formulas {
		at := 0
		for i := range f.Constants {
			if f.Use == OfSynapse && f.Constants[i] >= 0 {
				f.Constants[i] = p.UpdateConstants[at].Low
				at++
			}
		}
	}
}
