"""The source tree as the rules see it: paths relative to the root, lines, includes.

A rule is a function of a Tree that yields Finding objects; it does no I/O of its own.
"""

import functools
import os
import pathlib
import re
import typing

CODE = (".h", ".cc", ".cu")
TEXT = CODE + (".py", ".sh", ".proto", ".cmake", ".txt", ".md", ".yaml", ".yml", ".json", ".patch")
SKIPPED_FOLDERS = {"build", ".git", "__pycache__"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


class Finding(typing.NamedTuple):
    path: str
    line: int
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message}"


class Include(typing.NamedTuple):
    line: int
    path: str
    system: bool


class Tree:
    """`files` maps a path to its lines."""

    def __init__(self, files):
        self.files = dict(sorted(files.items()))

    def code(self):
        return {path: lines for path, lines in self.files.items() if path.endswith(CODE)}

    @functools.cached_property
    def includes(self):
        found = {}
        for path, lines in self.code().items():
            found[path] = [
                Include(number, match[2], match[1] == "<")
                for number, line in enumerate(lines, 1)
                if (match := INCLUDE.match(line))
            ]
        return found

    def closure(self, path):
        """Includes of a file and of our own headers that it reaches: {include path: first place}."""
        reached, waiting, seen = {}, [path], {path}
        while waiting:
            current = waiting.pop()
            for include in self.includes.get(current, ()):
                reached.setdefault(include.path, (current, include.line))
                if include.path in self.files and include.path not in seen:
                    seen.add(include.path)
                    waiting.append(include.path)
        return reached


def read(root):
    files = {}
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
        for name in names:
            path = pathlib.Path(folder, name)
            if path.suffix in TEXT or name == "run":
                text = path.read_text(encoding="utf-8", errors="replace")
                files[str(path.relative_to(root))] = text.splitlines()
    return Tree(files)
