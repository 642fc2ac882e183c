"""Process 1 of a worker container: it restarts the daemon, and drains ranks before it ends."""

import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
INIT = ROOT / "deploy" / "docker" / "ddl-worker-init"

# A program in the daemon's place: it notes its start, starts one "rank" in a session of its own and
# waits. The rank notes a SIGTERM as a real one writes its checkpoint.
DAEMON = """#!/bin/bash
state=${1#--state=}
echo "$$" >>"$state/starts"
trap 'echo drained >>"$state/drained"; exit 0' USR1
if [[ ! -e $state/rank ]]; then
  setsid bash -c 'trap "echo saved >>$1/saved; exit 75" TERM; echo $$ >$1/rank; while :; do read -rt 0.1 <> <(:); done' \\
    ddl-rank "$state" ddl-rank train --launch "$state/runs/a/e1/r0/launch.pb" </dev/null >/dev/null 2>&1 &
fi
for _ in {1..600}; do read -rt 0.1 <> <(:); done
"""


def wait_for(condition, limit=20):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


class Init(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.state = pathlib.Path(folder.name)
        daemon = self.state / "daemon"
        daemon.write_text(DAEMON)
        daemon.chmod(0o755)
        self.init = subprocess.Popen([INIT, f"--state={self.state}"], start_new_session=True,
                                     stderr=subprocess.DEVNULL,
                                     env={**os.environ, "DDL_WORKER": str(daemon)})
        self.addCleanup(self.end)

    def end(self):
        for pid in [*self.starts(), self.rank()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, TypeError):
                pass
        self.init.kill()
        self.init.wait()

    def starts(self):
        path = self.state / "starts"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def rank(self):
        path = self.state / "rank"
        return int(path.read_text()) if path.exists() and path.read_text() else None

    def test_a_killed_daemon_is_started_again_and_the_rank_lives_on(self):
        wait_for(lambda: self.rank())
        os.kill(self.starts()[0], signal.SIGKILL)
        wait_for(lambda: len(self.starts()) == 2)
        os.kill(self.rank(), 0)

    def test_sigterm_lets_every_rank_save_before_it_ends(self):
        wait_for(lambda: self.rank())
        self.init.send_signal(signal.SIGTERM)
        self.assertEqual(self.init.wait(20), 0)
        self.assertEqual((self.state / "saved").read_text(), "saved\n")

    def test_sigterm_is_the_daemons_own_drain_and_it_is_not_started_again(self):
        wait_for(lambda: self.rank())
        self.init.send_signal(signal.SIGTERM)
        self.assertEqual(self.init.wait(20), 0)
        self.assertEqual((self.state / "drained").read_text(), "drained\n")
        self.assertEqual(len(self.starts()), 1)


class Usage(unittest.TestCase):
    def test_without_a_state_folder_it_ends(self):
        done = subprocess.run([INIT, "--name=a"], stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 64)
        self.assertIn("--state", done.stderr)


if __name__ == "__main__":
    unittest.main()
