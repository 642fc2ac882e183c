"""The committed specs fit the committed schemas, as an editor checks them, and damaged ones do not."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("DDL_CACHE") or pathlib.Path.home() / ".cache" / "deltaworks")
CHECKER = CACHE / "check-jsonschema==0.39.0"
SCHEMAS = ROOT / "configs/schema"
# Folder of configs/ to schema.
KINDS = {"experiments": "experiment.v1.json", "sweeps": "sweep.v1.json"}


def check(*arguments):
    return subprocess.run([sys.executable, "-m", "check_jsonschema", *map(str, arguments)], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100,
                          env={**os.environ, "PYTHONPATH": str(CHECKER)})


class Schemas(unittest.TestCase):
    def test_schemas_are_schemas(self):
        files = sorted(SCHEMAS.glob("*.json"))
        self.assertGreaterEqual(len(files), 2)
        done = check("--check-metaschema", *files)
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_every_committed_spec_fits_its_schema(self):
        for folder, schema in KINDS.items():
            files = sorted((ROOT / "configs" / folder).glob("**/*.yaml"))
            self.assertTrue(files, folder)
            done = check("--schemafile", SCHEMAS / schema, *files)
            self.assertEqual(done.returncode, 0, done.stdout)

    def test_a_misspelt_key_and_a_wrong_type_do_not_fit(self):
        good = (ROOT / "configs/experiments/tiny.yaml").read_text()
        for old, new in (("d_model:", "d_modle:"), ("n_layers: ", "n_layers: many #")):
            self.assertIn(old, good)
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as bad:
                bad.write(good.replace(old, new, 1))
                bad.flush()
                done = check("--schemafile", SCHEMAS / KINDS["experiments"], bad.name)
                self.assertEqual(done.returncode, 1, done.stdout)


if __name__ == "__main__":
    if not CHECKER.is_dir():
        print("skipped: deploy/local/install.sh jsonschema installs check-jsonschema")
        sys.exit(77)
    unittest.main()
