"""deploy/local/install.sh says what is missing and what failed, and leaves nothing half made."""

import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
INSTALL = ROOT / "deploy" / "local" / "install.sh"

# Programs that stand before the real ones on PATH: a system on which nothing is installed.
FAKES = {
    "dpkg-query": "exit 1",
    "id": "echo 1000",
    "sudo": "exit 1",
}


def run(folder, *words, **fakes):
    tools = pathlib.Path(folder, "tools")
    tools.mkdir(exist_ok=True)
    for name, body in {**FAKES, **fakes}.items():
        path = tools / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    return subprocess.run([INSTALL, *words], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}",
                               "DDL_CACHE": f"{folder}/cache"})


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_without_root_it_names_the_missing_packages_and_the_command(self):
        done = run(self.folder, "build")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        for word in ("libgrpc++-dev", "protobuf-compiler", "apt-get install"):
            self.assertIn(word, done.stderr)

    def test_an_unknown_group_is_an_error(self):
        done = run(self.folder, "everything")
        self.assertEqual(done.returncode, 1)
        self.assertIn("everything", done.stderr)

    def test_what_is_installed_is_not_installed_again(self):
        done = run(self.folder, "build", **{"dpkg-query": "printf installed"})
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_failed_step_names_the_package_and_the_command(self):
        done = run(self.folder, "run", **{"id": "echo 0", "env": "echo no route to host; exit 100"})
        self.assertEqual(done.returncode, 1)
        for word in ("prometheus", "no route to host", "apt-get"):
            self.assertIn(word, done.stderr)

    def test_a_failed_download_names_the_command_and_leaves_nothing_half_made(self):
        # An index that does not answer: pip's own settings, as a user would have them.
        os.environ.update(PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0",
                          PIP_FIND_LINKS="", PIP_EXTRA_INDEX_URL="")
        done = run(self.folder, "libtorch", **{"dpkg-query": "printf installed"})
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("torch==2.11.0", done.stderr)
        self.assertIn("pip install", done.stderr)
        self.assertEqual(os.listdir(pathlib.Path(self.folder, "cache")), [])


if __name__ == "__main__":
    unittest.main()
