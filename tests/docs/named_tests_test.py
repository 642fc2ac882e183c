"""Every test that a document names is a test case of the file that it names."""

import os
import pathlib
import re
import sys

ROOT = pathlib.Path(os.environ["DDL_SOURCE_DIR"])
DOCUMENTS = ["docs/mathematics.md"]
# `tests/x/y_test.cc`: "a sentence"; "another". The colon is what makes it a claim.
CLAIM = re.compile(r'`(tests/[\w/]+_test\.cc)`:((?:\s*"[^"]+"\s*;?)+)')
CASE = re.compile(r'(?:TEST_CASE|TEMPLATE_TEST_CASE)\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')


def cases(path):
    """Names of a file's test cases; a name may be written as adjacent literals."""
    names = set()
    for literals in CASE.findall(path.read_text()):
        names.add("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)))
    return names


def main():
    failures, named = [], 0
    for document in DOCUMENTS:
        text = (ROOT / document).read_text()
        for file, quoted in CLAIM.findall(text):
            if not (ROOT / file).exists():
                failures.append(f"{document} names {file}, which is not there")
                continue
            known = cases(ROOT / file)
            for name in re.findall(r'"([^"]+)"', quoted):
                named += 1
                name = " ".join(name.split())
                if name not in known:
                    failures.append(f'{document}: {file} has no test "{name}"')
        for section in re.split(r"^## ", text, flags=re.M)[1:]:
            if section.startswith("Claim") and not CLAIM.search(section):
                failures.append(f"{document}: no test holds \"{section.splitlines()[0]}\"")
    if named == 0:
        failures.append("no document names a test")
    print("\n".join(failures) or f"{named} named tests exist")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
