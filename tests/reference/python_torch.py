"""Where tests find PyTorch for Python: deploy/local/install.sh libtorch-cuda installs it."""

import os
import sys

SKIPPED = 77


def environment():
    """The environment of a Python that imports torch; ends the test as skipped without one."""
    cache = os.environ.get("DDL_CACHE") or os.path.expanduser("~/.cache/deltaworks")
    folder = os.path.join(cache, "libtorch-2.11.0-cuda")
    if not os.path.isdir(folder):
        print(f"ddl test skipped: no {folder}")
        sys.exit(SKIPPED)
    return dict(os.environ, PYTHONPATH=folder, PYTHONDONTWRITEBYTECODE="1", PYTHONWARNINGS="ignore")
