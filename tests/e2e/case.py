"""Runs one named case of a test file: `case.main(globals())` at its end; the name is the argument.

A case is a function whose documentation is the sentence that it proves.
"""

import sys


def main(namespace):
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    cases = {key: value for key, value in namespace.items()
             if callable(value) and getattr(value, "__module__", "") == "__main__"
             and not key.startswith("_") and value.__doc__}
    if name not in cases:
        print(f"case must be one of {' '.join(cases)}, got {name!r}")
        sys.exit(2)
    print(cases[name].__doc__, flush=True)
    cases[name]()


def equal(found, expected, what):
    assert found == expected, f"{what}: expected {expected!r}, found {found!r}"
