package goldentest

import (
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// pythonWithNumPy is "" without one. Debian's python3-numpy is for /usr/bin/python3, which need not be the first of the PATH.
var pythonWithNumPy = sync.OnceValue(func() string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import numpy").Run() == nil {
			return python
		}
	}
	return ""
})

// NumPy runs a script and returns what it prints. Without NumPy the test is skipped, except where CI asks for all of them.
func NumPy(t *testing.T, script string, args ...string) string {
	t.Helper()
	python := pythonWithNumPy()
	if python == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("NumPy is not installed")
		}
		t.Skip("NumPy is not installed")
	}
	out, err := exec.Command(python, append([]string{"-c", "import numpy as np, sys\n" + script}, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}
