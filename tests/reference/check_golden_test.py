"""The independent implementation gives the numbers of the authors' files. Skipped where LibTorch for
Python is not installed (deploy/local/install.sh cuda).
"""

import os
import subprocess
import sys

import python_torch


def main():
    environment = python_torch.environment()
    files = [path for path in sys.argv[1:] if not os.path.basename(path).startswith("muon")]
    assert files, "needs reference files"
    check = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check_golden.py")
    return subprocess.run([sys.executable, check, *files], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
