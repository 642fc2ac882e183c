"""Who may include whom, and which file is the one home of a library. The tables are the rule."""

import re

from tree import Finding

# Longest folder first wins. A folder may include itself and what is named here.
MAY_INCLUDE = {
    "kernels": {"kernels"},
    "common": {"common", "proto"},
    "coordinator": {"coordinator", "common", "proto"},
    "coordinator/core": {"coordinator/core", "common", "proto"},
    "coordinator/store": {"coordinator/store", "coordinator/core", "common", "proto"},
    "cli": {"cli", "common", "proto"},
    "worker": {"worker", "kernels", "common", "proto"},
    "worker/agent": {"worker/agent", "common", "proto"},
    "worker/model": {"worker/model", "kernels", "common"},
    "worker/optim": {"worker/optim", "worker/model", "kernels", "common"},
    "tests/common": {"common", "proto", "tests"},
    "tests/kernels": {"kernels", "tests/kernels"},
    "tests/gpu": {"kernels", "tests/kernels", "tests/gpu"},
    "tests/coordinator": {"coordinator", "common", "proto", "tests"},
    "tests/coordinator/core": {"coordinator/core", "common", "proto", "tests/coordinator/core"},
    "tests/cli": {"cli", "common", "proto", "tests"},
    "tests/worker": {"worker", "kernels", "common", "proto", "tests"},
    # The simulator links the production core, outbox and adoption code.
    "tests/sim": {"coordinator/core", "worker/agent", "common", "proto", "tests/sim"},
}

# Library: (pattern of what is included, patterns of the files that may).
TORCH_FOLDERS = r"(tests/)?worker/(model|optim|data|comm|train|engine)/"
HOMES = {
    "nccl": (r"nccl\.h$", [r"worker/comm/"]),
    "yaml-cpp": (r"yaml-cpp/", [r"common/yaml\.cc$"]),
    "SQLite": (r"sqlite3\.h$", [r"(tests/)?coordinator/store/"]),
    "LibTorch": (r"(torch|ATen|c10)/", [TORCH_FOLDERS, r"worker/main\.cc$", r"tests/worker/torch_"]),
    "civetweb": (r"(civetweb|CivetServer)\.h$", [r"common/http_server\.cc$"]),
    "Prometheus": (
        r"prometheus/",
        [r"(tests/)?common/(metric|prometheus|http_server)", r"(tests/)?coordinator/(web|service)/",
         r"(tests/)?worker/agent/"],
    ),
    "gRPC": (
        r"(grpc|grpcpp)/|\.grpc\.pb\.h$",
        [r"(tests/)?common/(rpc_|credentials)", r"(tests/)?coordinator/service/",
         r"coordinator/main\.cc$", r"(tests/)?worker/agent/", r"(tests/)?cli/", r"tests/e2e/"],
    ),
    "OpenSSL": (r"openssl/", [r"(tests/)?common/(digest|credentials)", r"tests/coordinator/service/"]),
    "Gloo": (r"gloo/", [r"worker/comm/"]),
}

# The pure core has no clock, thread, randomness or files of its own.
PURE = {
    r"coordinator/core/": r"<(thread|mutex|condition_variable|future|chrono|random|atomic|fstream"
                          r"|filesystem|iostream|cstdio|unistd\.h)>|absl/(synchronization|random)/"
                          r"|absl/time/clock\.h|common/mutex\.h",
}


def folder_rule(path):
    folder = path
    while "/" in folder:
        folder = folder.rsplit("/", 1)[0]
        if folder in MAY_INCLUDE:
            return folder
    return None


def within(path, folders):
    return any(path.startswith(folder + "/") for folder in folders)


def layers(tree):
    """A folder includes only what its layer may include."""
    ours = {path.split("/")[0] for path in tree.code()} | {"proto"}
    for path, includes in tree.includes.items():
        rule = folder_rule(path)
        if rule is None:
            continue
        for include in includes:
            if include.system or include.path.split("/")[0] not in ours or "/" not in include.path:
                continue
            if not within(include.path, MAY_INCLUDE[rule]):
                allowed = ", ".join(sorted(MAY_INCLUDE[rule]))
                yield Finding(path, include.line, f"{rule} must not include {include.path} "
                                                  f"(only {allowed})")


def homes(tree):
    """A library is included in its one home only."""
    for path, includes in tree.includes.items():
        for library, (pattern, allowed) in HOMES.items():
            if any(re.match(home, path) for home in allowed):
                continue
            for include in includes:
                if re.match(pattern, include.path):
                    yield Finding(path, include.line, f"{library} has its home elsewhere: "
                                                      f"{' '.join(allowed)}")


def purity(tree):
    """The core sees no clock, thread, randomness or file."""
    for folder, pattern in PURE.items():
        for path, includes in tree.includes.items():
            if not path.startswith(folder):
                continue
            for include in includes:
                name = f"<{include.path}>" if include.system else include.path
                if re.search(pattern, name):
                    yield Finding(path, include.line, f"{folder} must not include {name}")


def torch_without_protobuf(tree):
    """No translation unit sees LibTorch's headers and protobuf's: the wheel ships an old copy."""
    for path in tree.code():
        if not path.endswith((".cc", ".cu")):
            continue
        reached = tree.closure(path)
        torch = next((p for p in reached if re.match(HOMES["LibTorch"][0], p)), None)
        proto = next((p for p in reached if re.match(r"google/protobuf/|proto/", p)), None)
        if torch and proto:
            place = reached[proto]
            yield Finding(path, 1, f"reaches {torch} and, through {place[0]}:{place[1]}, {proto}; "
                                   "no translation unit may see both")


RULES = [layers, homes, purity, torch_without_protobuf]
