"""Every source has its test at the mirrored path, and everything is built."""

import os

from tree import Finding

# Sources without a test of their own: each with the test that covers it. A stale line is an error.
EXEMPT = {
    "common/rpc_client.cc": "tests/coordinator/service/server_test.cc speaks through it",
    "common/rpc_server.cc": "tests/coordinator/service/server_test.cc holds every method to it",
    "common/version.cc": "two constants; tests/coordinator/main_test.cc and tests/cli print them",
    "coordinator/service/run_reader.cc": "experiments_service_test.cc beside it reads its pages",
    "coordinator/service/series_reader.cc": "metrics_service_test.cc beside it reads through it",
    "common/rpc_status.cc": "one switch; every service test reads codes through it",
}
# Tests of several sources together, at the folder that they are about.
SCENARIOS = {
    "tests/coordinator/store/kill_test.cc": "kills a process that commits, and reads its folder",
}
MAINS = ("main.cc",)


def mirrored(path):
    return "tests/" + path.rsplit(".", 1)[0] + "_test.cc"


def has_test(tree):
    """x/y.cc has tests/x/y_test.cc."""
    for path in tree.code():
        if path.startswith("tests/") or path.endswith(".h") or os.path.basename(path) in MAINS:
            continue
        if path not in EXEMPT and mirrored(path) not in tree.files:
            yield Finding(path, 1, f"has no {mirrored(path)}")


def exemptions(tree):
    """An exemption names a file that is there and has no test."""
    for path, reason in EXEMPT.items():
        if path not in tree.files:
            yield Finding("tests/tidy/coverage.py", 1, f"exempt file {path} is gone")
        elif mirrored(path) in tree.files:
            yield Finding("tests/tidy/coverage.py", 1, f"exempt file {path} has its test")
    for path in SCENARIOS:
        if path not in tree.files:
            yield Finding("tests/tidy/coverage.py", 1, f"scenario {path} is gone")


def has_source(tree):
    """A test at a mirrored path tests a file that is there."""
    for path in tree.code():
        if not path.endswith("_test.cc") or path in SCENARIOS:
            continue
        source = path[len("tests/"):-len("_test.cc")]
        if source.split("/")[0] not in ("common", "coordinator", "worker", "kernels", "cli"):
            continue
        if not any(source + suffix in tree.files for suffix in (".cc", ".h", ".cu")):
            yield Finding(path, 1, f"tests no file: {source}.cc and {source}.h are not there")


def is_built(tree):
    """Each directory lists its sources and tests."""
    lists = {os.path.dirname(path): "\n".join(lines)
             for path, lines in tree.files.items() if os.path.basename(path) == "CMakeLists.txt"}
    for path in tree.code():
        if path.endswith(".h"):
            continue
        folder = os.path.dirname(path)
        while folder not in lists and folder:
            folder = os.path.dirname(folder)
        if os.path.relpath(path, folder or ".") not in lists.get(folder, ""):
            yield Finding(path, 1, f"is not named in {os.path.join(folder, 'CMakeLists.txt')}")


RULES = [has_test, exemptions, has_source, is_built]
