"""Runs the rules of one module over the tree: check.py MODULE [ROOT]. Exit 1 with file and line."""

import importlib
import os
import pathlib
import sys

import tree


def main():
    root = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else os.environ["DDL_SOURCE_DIR"])
    sources = tree.read(root)
    if not sources.code():
        print(f"no source file under {root}")
        return 1
    findings = []
    for rule in importlib.import_module(sys.argv[1]).RULES:
        findings += rule(sources)
        print(f"checked: {rule.__doc__}")
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings in {len(sources.files)} files")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
