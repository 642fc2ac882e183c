"""`ddl-rank golden` gives the numbers of the independent implementation for random models. Skipped where
LibTorch for Python is not installed (deploy/local/install.sh libtorch-cuda).

    random_golden_test.py PROGRAM [SEED]
"""

import os
import random
import subprocess
import sys
import tempfile

import python_torch

COUNT = 12


def main():
    environment = python_torch.environment()
    seed = sys.argv[2] if len(sys.argv) > 2 else str(random.SystemRandom().randrange(1 << 31))
    print("seed", seed, flush=True)
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "random_cases.py")
    with tempfile.TemporaryDirectory(prefix="ddl-golden-") as out:
        subprocess.run([sys.executable, script, out, seed, str(COUNT)], env=environment, check=True)
        files = sorted(os.path.join(out, name) for name in os.listdir(out))
        assert len(files) == COUNT, files
        return subprocess.run([sys.argv[1], "golden", *files], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
