"""clang-tidy and clang's thread-safety analysis over our sources: clang_tidy.py plain|torch.

What the build joins into one file is checked as one: most of the time goes into headers. A clean
result is kept in ${DDL_CACHE:-~/.cache/deltaworks}/clang-tidy under a hash of all that it depends on:
the sources, our headers and protos that they reach, the compile command, .clang-tidy and the version
of clang-tidy. Sources that include LibTorch take half a minute and are apart.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import typing

import tree

TORCH = re.compile(r"(torch|ATen|c10)/")
JOBS = 2


def cache_folder():
    base = os.environ.get("DDL_CACHE") or os.path.expanduser("~/.cache/deltaworks")
    folder = pathlib.Path(base, "clang-tidy")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Unit(typing.NamedTuple):
    """What one call of the compiler, and of clang-tidy, reads."""

    file: pathlib.Path
    sources: tuple  # Paths relative to the root.
    command: str


def units(build, root, folder):
    """The units of our own sources; their commands are also written to `folder`.

    Without the precompiled headers, which are gcc's: a file includes what it uses.
    """
    found, entries = [], []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if path.parent.name == "joined" and path.is_relative_to(build):
            members = tuple(re.findall(r'^#include "(.+)"$', path.read_text(), re.M))
        elif path.is_relative_to(root) and not path.is_relative_to(root / "build"):
            members = (str(path.relative_to(root)),)
        else:
            continue
        command = re.sub(r"-Winvalid-pch| -include \S+cmake_pch\.hxx", "", entry["command"])
        found.append(Unit(path, members, command))
        entries.append({**entry, "command": command})
    folder.mkdir(exist_ok=True)
    (folder / "compile_commands.json").write_text(json.dumps(entries))
    return found


def closure(unit, sources):
    """The sources of a unit and every include that they reach."""
    return set(unit.sources).union(*(sources.closure(path) for path in unit.sources))


def digest(unit, sources, constants, root, build):
    """Of everything that the result depends on, without the folder that it lies in."""
    relative = unit.command.replace(str(build), "BUILD").replace(str(root), "ROOT")
    sha = hashlib.sha256(f"{constants}\0{relative}".encode())
    every = closure(unit, sources)
    reached = every & set(sources.files)
    if any(".pb.h" in path for path in every):
        reached |= {path for path in sources.files if path.endswith(".proto")}
    for path in sorted(reached):
        sha.update("\n".join([path, *sources.files[path], "\0"]).encode())
    return sha.hexdigest()


def check(tidy, unit, root, folder):
    # A joined file includes sources, which is its purpose.
    done = subprocess.run(
        [tidy, "--quiet", "--checks=-bugprone-suspicious-include", "-p", str(folder),
         "--extra-arg=-Wthread-safety", "--extra-arg=-Wno-unknown-warning-option", str(unit.file)],
        cwd=root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def main():
    kind = sys.argv[1]
    root = pathlib.Path(os.environ["DDL_SOURCE_DIR"]).resolve()
    build = pathlib.Path(os.environ["DDL_BINARY_DIR"]).resolve()
    tidy = shutil.which("clang-tidy-14")
    if not tidy:
        print("clang-tidy-14 is missing: deploy/local/install.sh test")
        return 1
    sources, cache = tree.read(root), cache_folder()
    version = subprocess.run([tidy, "--version"], text=True, stdout=subprocess.PIPE).stdout
    constants = version + (root / ".clang-tidy").read_text()
    waiting, clean = {}, 0
    folder = build / "clang-tidy"
    for unit in units(build, root, folder):
        if any(TORCH.match(path) for path in closure(unit, sources)) != (kind == "torch"):
            continue
        mark = cache / digest(unit, sources, constants, root, build)
        if mark.exists():
            clean += len(unit.sources)
        else:
            waiting[unit] = mark
    total = sum(len(unit.sources) for unit in waiting)
    print(f"{clean} sources are clean already, {total} to check in {len(waiting)} units", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        results = pool.map(lambda unit: (unit, *check(tidy, unit, root, folder)), waiting)
        for unit, status, output in results:
            if status:
                failed += 1
                print(output, flush=True)
            else:
                waiting[unit].touch()
    print(f"{failed} units with findings")
    return 1 if failed or clean + total == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
