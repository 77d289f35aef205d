package golden

import (
	"math"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func presetNetwork(t *testing.T, name string) (*Network, string) {
	t.Helper()
	text, err := Preset(name)
	require.NoError(t, err)
	n, err := ParseNetwork(name+".yaml", text)
	require.NoError(t, err)
	return n, string(text)
}

// TestPresets holds every preset against docs/NETWORKS.md of the paper's runs.
func TestPresets(t *testing.T) {
	cases := map[string]struct {
		data   string
		layers []int
		leak   float64
		ff, fb []float64
		epochs int
	}{
		"tiny":    {"mnist", []int{784, 64, 10}, 0.5, []float64{1, 0.7}, []float64{0.15}, 1},
		"mnist":   {"mnist", []int{784, 500, 10}, 0.5, []float64{1, 0.7}, []float64{0.15}, 50},
		"fashion": {"fashion", []int{784, 500, 10}, 0.3, []float64{0.3, 0.22}, []float64{0.07}, 50},
	}
	require.Equal(t, []string{"fashion", "mnist", "tiny"}, Presets())
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			n, _ := presetNetwork(t, name)
			require.Equal(t, name, n.Name)
			require.Equal(t, Dataset{Name: c.data}, n.Dataset)
			require.Equal(t, c.layers, n.Layers)
			require.Equal(t, []float64{0.15, 0.99999, c.leak}, []float64{n.Epsilon, n.Lambda, n.Leak})
			require.Equal(t, Settling{FreeIterations: 30, NudgedIterations: 10, EarlyEnd: true,
				Step: Step{Rule: "divide_by_slow_loop_index", Start: 0.05, Stop: 0.001, Decay: 0.01}}, n.Settling)
			require.Equal(t, Learning{Batch: 20, Beta: 1, RandomSign: true, Feedforward: c.ff, Feedback: c.fb,
				Decay: Decay{Factor: 0.95, Epochs: 15, Then: 0.9}, Epochs: c.epochs}, n.Learning)
			require.Empty(t, n.Formats)
			require.Zero(t, n.Layers[1]%n.Hardware.Lanes, "lanes idle")
			_, err := NewArithmetic(n)
			require.NoError(t, err)
		})
	}
}

func TestPresetUnknown(t *testing.T) {
	for _, name := range []string{"cifar10", "", "../presets/tiny", "tiny.yaml"} {
		_, err := Preset(name)
		require.ErrorIs(t, err, ErrUsage)
		require.ErrorContains(t, err, "there are fashion, mnist, tiny")
	}
}

// TestPresetFormats takes the comment marks from the formats: they must be what is derived without them.
func TestPresetFormats(t *testing.T) {
	line := regexp.MustCompile(`(?m)^  # ([A-Za-z]+: ap_u?fixed<)`)
	for _, name := range Presets() {
		n, text := presetNetwork(t, name)
		require.Len(t, line.FindAllString(text, -1), len(FormatKinds))
		full, err := ParseNetwork(name, []byte(line.ReplaceAllString(text, "  $1")))
		require.NoError(t, err)
		require.Len(t, full.Formats, len(FormatKinds))
		require.Equal(t, ResolveFormats(n), ResolveFormats(full), name)
	}
}

// TestPresetKeys wants every key of the network file in every preset, with a comment.
func TestPresetKeys(t *testing.T) {
	for _, name := range Presets() {
		_, text := presetNetwork(t, name)
		var visit func(v reflect.Type)
		visit = func(v reflect.Type) {
			for i := range v.NumField() {
				key, field := v.Field(i).Tag.Get("yaml"), v.Field(i).Type
				want := `(?m)^ *(# )?` + key + `: .*# .`
				if field.Kind() == reflect.Struct || field.Kind() == reflect.Map {
					want = `(?m)^ *` + key + `:`
				}
				require.Regexp(t, want, text, name)
				if field.Kind() == reflect.Struct {
					visit(field)
				}
			}
		}
		visit(reflect.TypeFor[Network]())
		for _, l := range strings.Split(text, "\n") {
			require.LessOrEqual(t, len(l), 160, l)
		}
	}
}

// TestPresetSilence takes away every line that a comment says may be left out with the value that stands there.
func TestPresetSilence(t *testing.T) {
	for _, name := range Presets() {
		n, text := presetNetwork(t, name)
		silent := text
		for _, key := range []string{"seed", "early_end", "random_sign", "three_phase", "mode"} {
			line := regexp.MustCompile(`(?m)^ *` + key + `: (\w+) .*; left out: (\w+)$`)
			m := line.FindStringSubmatch(text)
			require.NotNil(t, m, key)
			require.Equal(t, m[1], m[2], key)
			silent = strings.Replace(silent, m[0]+"\n", "", 1)
		}
		back, err := ParseNetwork(name, []byte(silent))
		require.NoError(t, err)
		require.Equal(t, n, back)
	}
}

// TestLearningRate: two stages, each a power of the whole epoch number, as in the runs of docs/NETWORKS.md.
func TestLearningRate(t *testing.T) {
	n, _ := presetNetwork(t, "mnist")
	for epoch := range 50 {
		want := math.Pow(0.95, float64(epoch))
		if epoch >= 15 {
			want = math.Pow(0.9, float64(epoch))
		}
		ff, fb := n.LearningRate(epoch)
		require.Equal(t, []float64{1 * want, 0.7 * want}, ff, epoch)
		require.Equal(t, []float64{0.15 * want}, fb, epoch)
	}
	n.Learning.Decay = Decay{Factor: 0.9, Then: 1} // one stage, of any length
	ff, _ := n.LearningRate(40)
	require.Equal(t, math.Pow(0.9, 40), ff[0])
}

func TestEta(t *testing.T) {
	n := &Network{}
	cases := map[string][3]float64{ // s = 0, 3, 100
		"constant":                  {0.05, 0.05, 0.05},
		"divide_by_loop_index":      {0.05, 0.05 / 4, 0.001},
		"divide_by_slow_loop_index": {0.05, 0.05 / 1.03, 0.025},
	}
	for rule, want := range cases {
		n.Settling.Step = Step{Rule: rule, Start: 0.05, Stop: 0.001, Decay: 0.01}
		require.Equal(t, want, [3]float64{n.Eta(0), n.Eta(3), n.Eta(100)}, rule)
	}
}
