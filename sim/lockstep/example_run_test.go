package lockstep_test

import (
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExampleCosim: the example of Cosim, which go test alone would run without asking for Icarus.
func TestExampleCosim(t *testing.T) {
	if _, err := exec.LookPath("iverilog"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("iverilog is not installed")
		}
		t.Skip("iverilog is not installed")
	}
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	stdout := os.Stdout
	os.Stdout = writer
	ExampleCosim()
	os.Stdout = stdout
	require.NoError(t, writer.Close())
	text, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.Equal(t, "2 samples learned, 0 mismatches\n", string(text))
}
