// Asm writes the AMD64 kernels of package vector: `go generate ./fixedpoint/vector` from the project's root. It is a
// module of its own, so that building corinfo needs no avo.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set with vectors of bytes bytes.
type isa struct {
	name  string
	bytes int
}

var isas = []isa{{"AVX512", 64}, {"AVX2", 32}}

func main() {
	ConstraintExpr("amd64")
	constants()
	for _, i := range isas {
		arithmetic(i)
		for _, name := range []string{exact, bySame, byValue, byRandom} {
			sums(i, name)
		}
		narrow(i)
		lost(i)
		occupied(i)
		functions(i)
		draw(i)
		for _, vectors := range []int{4, 1} {
			events(i, vectors)
		}
	}
	Generate()
}

func (i isa) wide() bool { return i.bytes == 64 }

func (i isa) vector() reg.VecVirtual {
	if i.wide() {
		return ZMM()
	}
	return YMM()
}

func (i isa) load(from, to Op) {
	if i.wide() {
		VMOVDQU64(from, to)
	} else {
		VMOVDQU(from, to)
	}
}

func (i isa) or(a, b, z Op) {
	if i.wide() {
		VPORQ(a, b, z)
	} else {
		VPOR(a, b, z)
	}
}

func (i isa) and(a, b, z Op) {
	if i.wide() {
		VPANDQ(a, b, z)
	} else {
		VPAND(a, b, z)
	}
}

func (i isa) xor(a, b, z Op) {
	if i.wide() {
		VPXORQ(a, b, z)
	} else {
		VPXOR(a, b, z)
	}
}

func (i isa) zero() reg.VecVirtual {
	v := i.vector()
	i.xor(v, v, v)
	return v
}

// everywhere is an argument in all elements of a vector.
func (i isa) everywhere(name string) reg.VecVirtual { return i.broadcast(argument(name)) }

func (i isa) broadcast(word Op) reg.VecVirtual {
	x, v := XMM(), i.vector()
	VMOVQ(word, x)
	VPBROADCASTQ(x, v)
	return v
}

func (i isa) number(n uint64) reg.VecVirtual {
	r := GP64()
	MOVQ(U64(n), r)
	return i.broadcast(r)
}

// argument is a 64-bit argument of the function in a register.
func argument(name string) reg.Register { return Load(Param(name), GP64()) }

// count is an argument that counts shifts.
func count(name string) reg.VecVirtual {
	x := XMM()
	VMOVQ(argument(name), x)
	return x
}

// giveTotal returns the sum of a vector's elements.
func (i isa) giveTotal(v reg.VecVirtual) {
	total, half := GP64(), YMM()
	if i.wide() {
		VEXTRACTI64X4(Imm(1), v, half)
		VPADDQ(half, v.AsY(), v.AsY())
	}
	VEXTRACTI128(Imm(1), v.AsY(), half.AsX())
	VPADDQ(half.AsX(), v.AsX(), v.AsX())
	VPSHUFD(Imm(0xee), v.AsX(), half.AsX())
	VPADDQ(half.AsX(), v.AsX(), v.AsX())
	VMOVQ(v.AsX(), total)
	Store(total, ReturnIndex(0))
	finish()
}

func finish() {
	VZEROUPPER()
	RET()
}

// declare begins a function.
func declare(i isa, name, signature, doc string, args ...any) {
	TEXT(name+i.name, NOSPLIT, "func"+signature)
	Doc(name + i.name + " " + fmt.Sprintf(doc, args...))
}

// elements is a loop over n int64, n a positive multiple of 8: body gets the elements of the operands and gives those
// of z.
func (i isa) elements(operands []string, z string, body func(x []reg.VecVirtual) Op) {
	n, at := argument("n"), GP64()
	var bases []reg.Register
	for _, name := range operands {
		bases = append(bases, argument(name))
	}
	var to reg.Register
	if z != "" {
		to = argument(z)
	}
	XORQ(at, at)
	Label("elements")
	for offset := 0; offset < 64; offset += i.bytes {
		var x []reg.VecVirtual
		for _, base := range bases {
			v := i.vector()
			i.load(Mem{Base: base, Index: at, Scale: 8, Disp: offset}, v)
			x = append(x, v)
		}
		if result := body(x); to != nil {
			i.load(result, Mem{Base: to, Index: at, Scale: 8, Disp: offset})
		}
	}
	ADDQ(Imm(8), at)
	CMPQ(at, n)
	JNE(LabelRef("elements"))
}
