package weights

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
)

// TestStack: a stack is what the projections make, whatever the rule.
func TestStack(t *testing.T) {
	for name, want := range map[string][]string{"corinfomax": {"W0 -", "W1 -"}, "ep": {"W0 b1", "W1 b2"}, "csm": {"W0 b1", "W1 b2"}} {
		d := goldentest.Of(name).Describe()
		var got []string
		for _, l := range stackOf(d) {
			bias := "-"
			if l.bias >= 0 {
				bias = d.Projections[l.bias].Name
			}
			got = append(got, d.Projections[l.weight].Name+" "+bias)
		}
		require.Equal(t, want, got, name)
	}

	// Two matrices between the same layers, and a layer without one, are no stack.
	d := goldentest.Of("ep").Describe()
	d.Projections[0].From = d.Word("r", 1) // W0 from the layer that W1 comes from
	require.Nil(t, stackOf(d))
	_, err := ParseLayers(d, "torch")
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, `--names "torch": the network is no stack of linear layers`)
	layers, err := findLayers(d, []string{"0.weight"})
	require.NoError(t, err)
	require.Nil(t, layers)
	w1 := d.Projections[d.Stored()[1]]
	d = goldentest.Of("ep").Describe()
	d.Projections = append(d.Projections, rule.Projection{Name: "V1", From: w1.From, To: w1.To, Rows: w1.Rows, Cols: w1.Cols, Mirror: -1})
	require.Nil(t, stackOf(d))
}

func TestParseLayers(t *testing.T) {
	n := goldentest.Network([]int{4, 3, 3, 2}, 1).Describe()
	for text, want := range map[string][]string{"": nil, "rule": nil, "torch": {"0", "2", "4"}, "fc1,fc2,out": {"fc1", "fc2", "out"}} {
		layers, err := ParseLayers(n, text)
		require.NoError(t, err)
		require.Equal(t, want, layers)
	}
	for text, words := range map[string]string{
		"Torch":                      `--names "Torch" has 1 names; want rule, torch, or 3 with commas between`,
		"a,b,c,d":                    `has 4 names; want rule, torch, or 3`,
		"a,,b":                       `"" is no name for a layer`,
		"a,b\n,c":                    `"b\n" is no name for a layer; want up to 200 printable characters`,
		"a,b,a":                      "two layers a; give each a name of its own",
		strings.Repeat("a,b,", 5000): "has 10001 names",
	} {
		_, err := ParseLayers(n, text)
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, words)
	}
}

// TestFindLayers: numbers in names tell the order of layers, as numbers.
func TestFindLayers(t *testing.T) {
	n := goldentest.Network([]int{4, 3, 3, 2}, 1).Describe()
	for _, c := range []struct{ names, want string }{
		{"W0 W1 W2 F1", ""},
		{"4.weight 2.weight 0.weight 2.bias", "0 2 4"},
		{"11.weight 2.weight 0.weight", "0 2 11"},
		{"fc3.bias fc2.bias fc1.weight C1", "fc1 fc2 fc3"},
		{"_orig_mod.net.8.weight _orig_mod.net.10.weight _orig_mod.net.9.weight", "_orig_mod.net.8 _orig_mod.net.9 _orig_mod.net.10"},
		{"[2].weight [1].layers[0].weight [0].layers[0].weight", "[0].layers[0] [1].layers[0] [2]"},
		{".layers[2].nn.weight .layers[0].nn.weight .layers[1].nn.weight", ".layers[0].nn .layers[1].nn .layers[2].nn"},
		{"b1.a2.weight b1.a1.weight b2.x.weight", "b1.a1 b1.a2 b2.x"},
		{"9223372036854775808.weight 9223372036854775807.weight 007.weight", "007 9223372036854775807 9223372036854775808"},
	} {
		layers, err := findLayers(n, strings.Fields(c.names))
		require.NoError(t, err)
		require.Equal(t, c.want, strings.Join(layers, " "))
	}
	many := []string{}
	for i := range 20000 {
		many = append(many, fmt.Sprint(i, ".weight"))
	}
	for names, words := range map[string]string{
		"encoder.0.weight encoder.1.weight decoder.0.weight": "no number tells whether layer",
		"fc1.weight fc2.weight out.weight":                   "no number tells whether layer",
		"0.weight 0.a.weight 1.weight":                       "no number tells whether layer 0 or 0.a comes first: say it by --names 0,0.a,1",
		"1.weight 01.weight 2.weight":                        "no number tells whether layer 1 or 01 comes first",
		"0.weight 2.weight":                                  "2 linear layers: 0, 2; the network has 3:",
		strings.Join(many, " "):                              "20000 linear layers: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...; the network has 3: the file must hold these alone",
	} {
		_, err := findLayers(n, strings.Fields(names))
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, words)
	}
}

// TestFind: what is missing or foreign is told by the names that the file has.
func TestFind(t *testing.T) {
	n := goldentest.Of("ep").Describe()
	for names, words := range map[string]string{
		"0.weight 2.weight":                             "missing 0.bias, 2.bias; the file must hold every matrix of the network; zeros stand for a bias that a layer does not have",
		"0.weight 0.bias 2.weight 2.bias W0":            `unknown array "W0"; did you mean`,
		"0.weight 0.bias 2.weight 2.bias 2.bias":        "two arrays 2.bias",
		"0.weight 0.bias 2.weight 2.bias 1.running":     "The network has 0.weight, 2.weight, 0.bias, 2.bias",
		"0.weight 0.bias 2.weight 2.bias .weight":       "3 linear layers: 0, 2, ; the network has 2:",
		"0.weight 0.bias 2.weight 2.bias \u202e.weight": `unknown array`,
	} {
		_, err := find(n, strings.Fields(names), nil)
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, words)
	}
	list, err := find(n, []string{"decoder.weight", "encoder.weight", "encoder.bias", "decoder.bias"}, []string{"encoder", "decoder"})
	require.NoError(t, err)
	var entries []int
	for _, f := range list {
		entries = append(entries, f.entry)
	}
	require.Equal(t, []int{1, 0, 2, 3}, entries)

	// A network without biases has no place for them.
	_, err = find(goldentest.Run().Describe(), []string{"0.weight", "0.bias", "2.weight"}, nil)
	require.ErrorContains(t, err, `unknown array "0.bias"; did you mean "0.weight"? The network has 0.weight, 2.weight, F1, C1, C2`)
}
