package fixedpoint

import (
	"strings"
	"testing"
)

func TestParseType(t *testing.T) {
	for text, want := range map[string]Type{
		"ap_fixed<16,6>":                           {S(16, 10), Trn, Wrap},
		"ap_ufixed<8,0,RND,SAT>":                   {U(8, 8), Rnd, Sat},
		" ap_fixed < 1 , 1 , TRN_ZERO > ":          {S(1, 0), TrnZero, Wrap},
		"ap_fixed<64,256,AP_RND_CONV,AP_SAT_ZERO>": {S(64, -192), RndConv, SatZero},
		"ap_ufixed<3,-192,RND_MIN_INF,SAT_SYM>":    {U(3, 195), RndMinInf, SatSym},
		"ap_fixed<4,2,STOCHASTIC,WRAP>":            {S(4, 2), Stochastic, Wrap},
		"ap_fixed<4,2,RND_ZERO,AP_WRAP>":           {S(4, 2), RndZero, Wrap},
		"ap_fixed<4,2,RND_INF,SAT>":                {S(4, 2), RndInf, Sat},
	} {
		got, err := ParseType(text)
		if err != nil || got != want {
			t.Errorf("%q: got %v %v, want %v", text, got, err, want)
		}
		if back, err := ParseType(got.String()); err != nil || back != got {
			t.Errorf("%q: its notation %q reads as %v %v", text, got, back, err)
		}
	}
}

func TestParseTypeErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "want ap_fixed<W,I,Q,O> or ap_ufixed<W,I,Q,O>",
		"ap_fixed<16,6":                    "want ap_fixed<W,I,Q,O> or ap_ufixed<W,I,Q,O>",
		"ap_int<16,6>":                     `unknown kind "ap_int"; want ap_fixed or ap_ufixed`,
		"ap_fixed<16>":                     "1 parts; want 2 to 4: width, integer bits, quantization, overflow",
		"ap_fixed<16,6,RND,SAT,0>":         "5 parts; want 2 to 4",
		"ap_fixed<0,0>":                    `width "0"; want 1 to 64 bits`,
		"ap_fixed<65,1>":                   `width "65"; want 1 to 64 bits`,
		"ap_fixed<99999999999999999999,1>": "want 1 to 64 bits",
		"ap_fixed<1.5,1>":                  `width "1.5"`,
		"ap_fixed<8,>":                     `integer bits ""; want -192 to 256`,
		"ap_fixed<8,257>":                  `integer bits "257"; want -192 to 256`,
		"ap_fixed<8,-193>":                 `integer bits "-193"; want -192 to 256`,
		"ap_fixed<8,1,ROUND>":              `quantization "ROUND"; want one of TRN TRN_ZERO RND RND_MIN_INF RND_ZERO RND_INF RND_CONV STOCHASTIC`,
		"ap_fixed<8,1,rnd>":                `quantization "rnd"`,
		"ap_fixed<8,1,RND,WRAP_SM>":        `overflow "WRAP_SM"; want one of WRAP SAT SAT_ZERO SAT_SYM`,
		"ap_fixed<8,1,SAT>":                `quantization "SAT"`,
	} {
		_, err := ParseType(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want one with %s", text, err, want)
		}
	}
}

func TestTypeCheck(t *testing.T) {
	for _, width := range []int{-1, 0, 65, 300} {
		if err := (Type{Format: S(width, 0)}).Check(); err == nil || !strings.Contains(err.Error(), "1 to 64 bits") {
			t.Errorf("width %d: got %v", width, err)
		}
	}
	if err := (Type{Format: S(64, 0)}).Check(); err != nil {
		t.Error(err)
	}
}

func FuzzParseType(f *testing.F) {
	for _, text := range []string{"ap_fixed<16,6>", "ap_ufixed<8,0,RND,SAT>", "ap_fixed<64,-192,AP_RND_CONV,AP_SAT_SYM>", "ap_fixed<,>", "<>"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseType(text)
		if err != nil {
			return
		}
		if err := got.Check(); err != nil {
			t.Errorf("%q gives a wrong type: %v", text, err)
		}
		if back, err := ParseType(got.String()); err != nil || back != got {
			t.Errorf("%q: its notation %q reads as %v %v", text, got, back, err)
		}
	})
}
