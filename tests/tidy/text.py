"""Limits and words: sizes of files and functions, names and phrases that we refuse."""

import ast
import re

from tree import Finding

FILE_LINES = 400
FUNCTION_LINES = 70
COLUMNS = 100
MEDIAN_LINES = 120
SUFFIXES = "Manager|Helper|Helpers|Util|Utils|Handler|Processor|Wrapper|Impl|Data|Info"

# (pattern, reason). Files of this folder hold the patterns themselves.
EVERYWHERE = [
    (r"\b(TODO|FIXME|XXX|HACK)\b", "finish it or leave it out"),
    (r"\bfor now\b|\bplaceholder\b|\bsimplified version\b|\btemporary hack\b", "say what is, or leave it out"),
    (r"(?<![\w.])/(root|home/\w+|Users/\w+)/", "a path of one machine"),
    (r"[^\x00-\x7f]*[\u202a-\u202e\u2066-\u2069]", "a bidirectional control character"),
]
IN_CODE = [
    (r"\bsleep_for\b|\busleep\(|\bnanosleep\(", "time comes in as an argument; wait on a condition"),
    (r"catch \(\.\.\.\)", "name what is caught"),
    (r"^\s*throw\b", "return an absl::Status"),
    (r"\busing namespace\b", "name what is used"),
    (r"\bassert\(", "DDL_CHECK also aborts in release"),
    (r"//\s*[-=*#/]{8,}", "no banners"),
    (r'TEST_CASE\("[^"]*(;|\[(?!\]))', "CMake splits lists of names at it and selects no test"),
    (r"(^|[^:\w.])(rand|srand)\(", "randomness comes in as an argument"),
]
DECLARATION = re.compile(r"^\s*(?:class|struct|enum class|message)\s+(?:\[\[\w+\]\]\s*)?(\w+)")
OPENING = re.compile(r"^( *)(?!namespace|class|struct|enum|union|extern|else|if|for|while|switch|do\b)"
                     r"[\w~:].*\{$|^( *)\S.*\) (?:const |noexcept |override |final )*\{$")
NOT_A_FUNCTION = re.compile(r"^ *(namespace|class|struct|enum|union|extern|if|for|while|switch|do|else"
                            r"|inline constexpr|constexpr|const |static const|message)\b|= *\{$")


def is_own_rule(path):
    return path.startswith("tests/tidy/")


def file_sizes(tree):
    """No file is over 400 lines; code has at most 100 columns."""
    for path, lines in tree.files.items():
        if path.endswith((".md", ".json", ".patch")) or path == "LICENSE":
            continue
        if len(lines) > FILE_LINES:
            yield Finding(path, FILE_LINES + 1, f"{len(lines)} lines, at most {FILE_LINES}")
    for path, lines in tree.code().items():
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS and "http" not in line:
                yield Finding(path, number, f"{len(line)} columns, at most {COLUMNS}")


def median_size(tree):
    """The median file has at most 120 lines."""
    sizes = sorted((len(lines), path) for path, lines in tree.code().items())
    if sizes and sizes[len(sizes) // 2][0] > MEDIAN_LINES:
        size, path = sizes[len(sizes) // 2]
        yield Finding(path, 1, f"the median file has {size} lines, at most {MEDIAN_LINES}")


def bodies(lines):
    """(first line, last line) of each function, by the indentation that clang-format gives."""
    for first, line in enumerate(lines):
        match = OPENING.match(line)
        if not match or NOT_A_FUNCTION.match(line):
            continue
        indent = len(line) - len(line.lstrip(" "))
        if indent > 2:
            continue
        for last in range(first + 1, len(lines)):
            if lines[last].startswith(" " * indent + "}"):
                yield first + 1, last + 1
                break


def function_sizes(tree):
    """No function is over 70 lines."""
    for path, lines in tree.code().items():
        for first, last in bodies(lines):
            if last - first + 1 > FUNCTION_LINES:
                yield Finding(path, first, f"a function of {last - first + 1} lines, at most "
                                           f"{FUNCTION_LINES}")
    for path, lines in tree.files.items():
        if not path.endswith(".py"):
            continue
        for node in ast.walk(ast.parse("\n".join(lines))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                size = node.end_lineno - node.lineno + 1
                if size > FUNCTION_LINES:
                    yield Finding(path, node.lineno, f"{node.name} has {size} lines, at most "
                                                     f"{FUNCTION_LINES}")


def suffixes(tree):
    """A type is a noun of the field."""
    for path, lines in tree.files.items():
        if not path.endswith((".h", ".cc", ".cu", ".proto")):
            continue
        for number, line in enumerate(lines, 1):
            match = DECLARATION.match(line)
            if match and re.search(f"[a-z0-9]({SUFFIXES})$", match[1]):
                yield Finding(path, number, f"the name {match[1]} has a refused suffix")
        name = path.rsplit("/", 1)[-1].split(".")[0]
        if re.search(r"(^|_)(manager|helpers?|utils?|handler|processor|wrapper|impl|data|info)$", name):
            yield Finding(path, 1, f"the file name {name} has a refused suffix")


def banned(tree):
    """Nothing is left that was meant to be temporary, and no construct that we refuse."""
    for path, lines in tree.files.items():
        if is_own_rule(path) or path.endswith(".patch"):
            continue
        rules = EVERYWHERE + (IN_CODE if path.endswith((".h", ".cc", ".cu")) else [])
        for number, line in enumerate(lines, 1):
            for pattern, reason in rules:
                if re.search(pattern, line):
                    yield Finding(path, number, f"{line.strip()[:60]!r}: {reason}")


def headers(tree):
    """A header begins with what the file is for, and is included once."""
    for path, lines in tree.code().items():
        if not lines or not lines[0].startswith("//"):
            if path.endswith(".h"):
                yield Finding(path, 1, "begin with a comment that says what the file is for")
        if path.endswith(".h") and "#pragma once" not in lines:
            yield Finding(path, 1, "#pragma once is missing")


RULES = [file_sizes, median_size, function_sizes, suffixes, banned, headers]
