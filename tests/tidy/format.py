"""Every C++ file is as clang-format 14 writes it: format.py [ROOT]."""

import os
import pathlib
import shutil
import subprocess
import sys

import tree


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["DDL_SOURCE_DIR"])
    formatter = shutil.which("clang-format-14")
    if not formatter:
        print("clang-format-14 is missing: deploy/local/install.sh test")
        return 1
    paths = list(tree.read(root).code())
    done = subprocess.run([formatter, "--dry-run", "-Werror", *paths], cwd=root, text=True,
                          stderr=subprocess.PIPE)
    for line in done.stderr.splitlines():
        if ": error: " in line:
            print(line)
    print(f"{len(paths)} files; to repair: clang-format-14 -i FILE")
    return 1 if done.returncode or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
