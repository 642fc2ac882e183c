"""Adds up CTest's JUnit files: names what failed, then prints one last line of totals.

Exit 1 when a test failed or when no test ran.
"""

import pathlib
import sys
import xml.etree.ElementTree as ET


def skip_reason(case):
    """CTest's own words; a missing program or a failed fixture is also "notrun", but no skip."""
    skipped = case.find("skipped")
    return "" if skipped is None else skipped.get("message", "")


def main(paths):
    passed = failed = skipped = 0
    for path in map(pathlib.Path, paths):
        for case in ET.parse(path).getroot().iter("testcase"):
            status = case.get("status")
            if status == "run":
                passed += 1
            elif status == "disabled" or skip_reason(case).startswith("SKIP_"):
                skipped += 1
                print(f"skipped in {path.stem}: {case.get('name')}")
            else:
                failed += 1
                print(f"FAILED in {path.stem}: {case.get('name')}")
    if passed + failed == 0:
        print("no test was selected")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
