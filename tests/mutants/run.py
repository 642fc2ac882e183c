"""Breaks one rule at a time and fails when no test notices: run.py [-R REGEX] [--apply-only].

Each NAME.patch here begins with a line `# tests: REGEX` that names the CTest tests that should
notice, `# targets: NAME ...` that names what they need built (nothing for scripts that run no
program of ours), and perhaps `# preset: NAME` (dev by default, release for what needs LibTorch or
real programs). The runner works in a copy of the tracked files under build/mutants, never in the
tree, and builds nothing but the targets of the chosen mutants. A patch that does not apply or does
not compile, and tests that fail without it, are errors. With --apply-only nothing is built: each
patch must apply to the tree of today and name targets.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "build" / "mutants" / "tree"
JOBS = "2"


class Mutant:
    def __init__(self, path):
        self.path = path
        self.name = path.stem
        head = path.read_text(encoding="utf-8").split("\ndiff ", 1)[0]
        self.tests = self._field(head, "tests", None)
        self.preset = self._field(head, "preset", "dev")
        self.targets = self._field(head, "targets", None).split()
        if self.targets == ["none"]:
            self.targets = []

    def _field(self, head, key, default):
        match = re.search(rf"^# {key}: (.+)$", head, re.MULTILINE)
        if match is None and default is None:
            raise SystemExit(f"{self.path}: has no line '# {key}: ...'")
        return match[1].strip() if match else default


def run(*command, **options):
    return subprocess.run(command, cwd=COPY, text=True, errors="replace", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment(), **options)


def environment():
    return dict(os.environ, CCACHE_BASEDIR=str(COPY), CCACHE_NOHASHDIR="1",
                CCACHE_SLOPPINESS="pch_defines,time_macros")


def copy_tree():
    """Only changed files are written, so that a second run builds little."""
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT,
                            check=True, stdout=subprocess.PIPE).stdout
    names = {name for name in os.fsdecode(listed).split("\0") if name and (ROOT / name).is_file()}
    COPY.mkdir(parents=True, exist_ok=True)
    for path in COPY.rglob("*"):
        name = str(path.relative_to(COPY))
        if path.is_file() and not name.startswith("build/") and name not in names:
            path.unlink()
    for name in names:
        source, target = ROOT / name, COPY / name
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            shutil.copymode(source, target)


def build(preset, targets):
    """Configures at the first call; without targets it builds nothing."""
    if not (COPY / "build" / preset / "build.ninja").exists():
        done = run("cmake", "--preset", preset)
        if done.returncode:
            return done
    if not targets:
        return subprocess.CompletedProcess([], 0, "")
    return run("cmake", "--build", "--preset", preset, "--target", *sorted(set(targets)),
               "--", "-j", JOBS)


def tests(mutant):
    """(failed, output); an empty selection is an error of the mutant."""
    done = run("ctest", "--preset", mutant.preset, "-j", JOBS, "-R", mutant.tests,
               "--no-tests=error", "--stop-on-failure")
    if "No tests were found" in done.stdout:
        raise SystemExit(f"{mutant.path}: no test of preset {mutant.preset} matches {mutant.tests}")
    return done.returncode != 0, done.stdout


def git_apply(mutant, *options, tree=COPY):
    # One line of context is enough: what stands around a rule changes more often than the rule. The
    # copy lies below the repository's root, whose git would skip paths outside it.
    return subprocess.run(["git", "apply", "-C1", *options, str(mutant.path)], cwd=tree, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(os.environ, GIT_DIR="/dev/null",
                                   GIT_CEILING_DIRECTORIES=str(tree)))


def judge(mutant):
    """One word, and the output that explains it."""
    applied = git_apply(mutant)
    if applied.returncode:
        return "does not apply", applied.stdout
    try:
        built = build(mutant.preset, mutant.targets)
        if built.returncode:
            return "does not compile", built.stdout
        failed, output = tests(mutant)
        return ("noticed", "") if failed else ("NOT NOTICED", output)
    finally:
        git_apply(mutant, "-R")


def check_patches(mutants):
    bad = 0
    for mutant in mutants:
        applied = git_apply(mutant, "--check", tree=ROOT)
        if applied.returncode:
            bad += 1
            print(f"{mutant.path}: does not apply\n{applied.stdout}")
    print(f"{len(mutants)} mutants, {bad} of which do not apply")
    return 1 if bad else 0


def check_clean(mutants):
    for preset in sorted({mutant.preset for mutant in mutants}):
        targets = [mutant.targets for mutant in mutants if mutant.preset == preset]
        print(f"building {preset} without a mutant", flush=True)
        built = build(preset, sum(targets, []))
        if built.returncode:
            print(built.stdout[-4000:])
            raise SystemExit(f"preset {preset} does not build without a mutant")
    seen = set()
    for mutant in mutants:
        if (mutant.preset, mutant.tests) not in seen:
            seen.add((mutant.preset, mutant.tests))
            failed, output = tests(mutant)
            if failed:
                print(output[-4000:])
                raise SystemExit(f"tests {mutant.tests} fail without a mutant")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-R", dest="regex", default="")
    parser.add_argument("--apply-only", action="store_true")
    arguments = parser.parse_args()
    regex = re.compile(arguments.regex)
    folder = ROOT / "tests" / "mutants"
    mutants = [Mutant(path) for path in sorted(folder.glob("*.patch")) if regex.search(path.stem)]
    if not mutants:
        raise SystemExit("no mutant was selected")
    if arguments.apply_only:
        return check_patches(mutants)
    copy_tree()
    check_clean(mutants)
    bad = 0
    # Those that are built alike stand together: less is built again between them.
    for mutant in sorted(mutants, key=lambda each: (each.preset, each.targets, each.name)):
        begin = time.monotonic()
        verdict, output = judge(mutant)
        bad += verdict != "noticed"
        print(f"{mutant.name:48} {verdict:16} {time.monotonic() - begin:6.1f} s", flush=True)
        if output:
            print(output[-3000:])
    print(f"{len(mutants)} mutants, {len(mutants) - bad} noticed, {bad} not")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
