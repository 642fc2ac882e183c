"""The independent implementation gives the numbers of the authors' files. Skipped where LibTorch for
Python is not installed (deploy/local/install.sh cuda).
"""

import os
import subprocess
import sys

SKIPPED = 77


def main():
    cache = os.environ.get("DDL_CACHE") or os.path.expanduser("~/.cache/deltaworks")
    folder = os.path.join(cache, "libtorch-2.11.0-cuda")
    if not os.path.isdir(folder):
        print(f"ddl test skipped: no {folder}")
        return SKIPPED
    files = [path for path in sys.argv[1:] if not os.path.basename(path).startswith("muon")]
    assert files, "needs reference files"
    check = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check_golden.py")
    environment = dict(os.environ, PYTHONPATH=folder, PYTHONDONTWRITEBYTECODE="1",
                       PYTHONWARNINGS="ignore")
    return subprocess.run([sys.executable, check, *files], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
