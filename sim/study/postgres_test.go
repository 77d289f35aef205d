package study

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startPostgres starts Debian's PostgreSQL in a temporary folder, reached by a socket there alone, and gives the address of
// an empty database, and who stops it without mercy and starts it again. It ends with the test, which is skipped where PostgreSQL is not installed.
func startPostgres(t *testing.T) (address string, restart func()) {
	t.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("no PostgreSQL: apt-get install postgresql")
		}
		t.Skip("no PostgreSQL: apt-get install postgresql")
	}
	bin := filepath.Dir(found[len(found)-1])
	dir, err := os.MkdirTemp("", "corinfo-pg") // not the test's: a socket's path is short
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.Dir = dir
		if os.Getuid() == 0 {
			// PostgreSQL refuses to be root: it sees another user, who is root outside.
			other, err := user.Lookup("postgres")
			require.NoError(t, err)
			uid, err := strconv.Atoi(other.Uid)
			require.NoError(t, err)
			c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: 0, Size: 1}},
				GidMappings: []syscall.SysProcIDMap{{ContainerID: uid, HostID: 0, Size: 1}}}
		}
		return c
	}
	out, err := command("initdb", "-D", dir+"/data", "-U", "corinfo", "-A", "trust", "-E", "UTF8", "--locale=C").CombinedOutput()
	require.NoError(t, err, "%s", out)
	var server *exec.Cmd
	stop := func() {
		_ = server.Process.Signal(syscall.SIGQUIT)
		_ = server.Wait()
	}
	start := func() {
		log := &strings.Builder{}
		server = command("postgres", "-D", dir+"/data", "-k", dir, "-c", "listen_addresses=")
		server.Stdout, server.Stderr = log, log
		require.NoError(t, server.Start())
		for end := time.Now().Add(30 * time.Second); command("pg_isready", "-h", dir, "-U", "corinfo").Run() != nil; time.Sleep(50 * time.Millisecond) {
			require.True(t, time.Now().Before(end), "PostgreSQL does not start: %s", log)
		}
	}
	start()
	t.Cleanup(func() { stop() })
	return "postgres://corinfo@/postgres?host=" + dir, func() {
		stop()
		time.Sleep(time.Second)
		start()
	}
}
