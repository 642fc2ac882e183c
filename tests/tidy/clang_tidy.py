"""clang-tidy and clang's thread-safety analysis over our sources: clang_tidy.py plain|torch.

A clean result is kept in ${DDL_CACHE:-~/.cache/deltaworks}/clang-tidy under a hash of all that it
depends on: the file, our headers and protos that it reaches, its compile command, .clang-tidy and
the version of clang-tidy. Files that include LibTorch take half a minute each and are apart.
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

import tree

TORCH = re.compile(r"(torch|ATen|c10)/")
JOBS = 2


def cache_folder():
    base = os.environ.get("DDL_CACHE") or os.path.expanduser("~/.cache/deltaworks")
    folder = pathlib.Path(base, "clang-tidy")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def commands(build, root, folder):
    """{path relative to the root: compile command} of our own sources, also written to `folder`.

    Without the precompiled headers, which are gcc's: a file includes what it uses.
    """
    found, entries = {}, []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["directory"], entry["file"]).resolve()
        if path.is_relative_to(root) and not path.is_relative_to(root / "build"):
            command = re.sub(r"-Winvalid-pch| -include \S+cmake_pch\.hxx", "", entry["command"])
            found[str(path.relative_to(root))] = command
            entries.append({**entry, "command": command})
    folder.mkdir(exist_ok=True)
    (folder / "compile_commands.json").write_text(json.dumps(entries))
    return found


def digest(path, command, sources, constants, root, build):
    """Of everything that the result depends on, without the folder that it lies in."""
    relative = command.replace(str(build), "BUILD").replace(str(root), "ROOT")
    sha = hashlib.sha256(f"{constants}\0{path}\0{relative}".encode())
    reached = {p for p in sources.closure(path) if p in sources.files}
    if any(".pb.h" in p for p in sources.closure(path)):
        reached |= {p for p in sources.files if p.endswith(".proto")}
    for name in [path, *sorted(reached)]:
        sha.update("\n".join([name, *sources.files[name], "\0"]).encode())
    return sha.hexdigest()


def check(tidy, path, root, folder):
    done = subprocess.run(
        [tidy, "--quiet", "-p", str(folder), "--extra-arg=-Wthread-safety",
         "--extra-arg=-Wno-unknown-warning-option", str(root / path)],
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
    for path, command in sorted(commands(build, root, folder).items()):
        if any(TORCH.match(p) for p in sources.closure(path)) != (kind == "torch"):
            continue
        mark = cache / digest(path, command, sources, constants, root, build)
        if mark.exists():
            clean += 1
        else:
            waiting[path] = mark
    print(f"{clean} files are clean already, {len(waiting)} to check")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        results = pool.map(lambda path: (path, *check(tidy, path, root, folder)), waiting)
        for path, status, output in results:
            if status:
                failed += 1
                print(output)
            else:
                waiting[path].touch()
    print(f"{failed} files with findings")
    return 1 if failed or clean + len(waiting) == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
