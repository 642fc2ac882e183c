"""Each rule notices the tree that breaks it, names the line, and accepts the tree that does not."""

import unittest

import coverage
import includes
import text
from tree import Tree


def found(rule, **files):
    tree = Tree({name.replace("__", "/").replace("_dot_", "."): body.split("\n")
                 for name, body in files.items()})
    return [(finding.path, finding.line) for finding in rule(tree)]


class Includes(unittest.TestCase):
    def test_a_layer_sees_only_what_its_table_names(self):
        bad = '// A.\n#include "worker/agent/outbox.h"'
        files = {"coordinator__a_dot_h": bad, "worker__agent__outbox_dot_h": "// B."}
        self.assertEqual(found(includes.layers, **files), [("coordinator/a.h", 2)])

    def test_the_core_does_not_see_the_service(self):
        files = {"coordinator__core__a_dot_h": '#include "coordinator/service/b.h"',
                 "coordinator__service__b_dot_h": '#include "coordinator/core/a.h"'}
        self.assertEqual(found(includes.layers, **files), [("coordinator/core/a.h", 1)])

    def test_a_library_has_one_home(self):
        files = {"common__yaml_dot_cc": "#include <yaml-cpp/yaml.h>",
                 "cli__a_dot_cc": "\n#include <yaml-cpp/yaml.h>"}
        self.assertEqual(found(includes.homes, **files), [("cli/a.cc", 2)])

    def test_the_core_has_no_clock(self):
        files = {"coordinator__core__a_dot_cc": '#include "absl/time/clock.h"'}
        self.assertEqual(found(includes.purity, **files), [("coordinator/core/a.cc", 1)])

    def test_torch_and_protobuf_meet_in_no_translation_unit_even_through_a_header(self):
        files = {"worker__train__a_dot_cc": '#include "worker/train/b.h"\n#include <torch/torch.h>',
                 "worker__train__b_dot_h": '#include "proto/ddl/v1/spec.pb.h"'}
        self.assertEqual(found(includes.torch_without_protobuf, **files), [("worker/train/a.cc", 1)])


class Text(unittest.TestCase):
    def test_a_file_of_400_lines_is_the_longest(self):
        self.assertEqual(found(text.file_sizes, a_dot_cc="\n" * 399), [])
        self.assertEqual(found(text.file_sizes, a_dot_cc="\n" * 400), [("a.cc", 401)])

    def test_a_function_of_70_lines_is_the_longest(self):
        body = "int F() {" + "\n  G();" * 68 + "\n}"
        self.assertEqual(found(text.function_sizes, a_dot_cc=body), [])
        longer = body.replace("{", "{\n  G();")
        self.assertEqual(found(text.function_sizes, a_dot_cc=longer), [("a.cc", 1)])

    def test_a_method_inside_its_class_is_a_function_and_a_class_is_none(self):
        method = "  int F() {" + "\n    G();" * 69 + "\n  }"
        body = "class A {\n" + method + "\n};"
        self.assertEqual(found(text.function_sizes, a_dot_cc=body), [("a.cc", 2)])

    def test_a_refused_suffix_is_noticed_in_types_messages_and_files(self):
        self.assertEqual(found(text.suffixes, a_dot_h="class RunManager {"), [("a.h", 1)])
        self.assertEqual(found(text.suffixes, a_dot_proto="message RunInfo {"), [("a.proto", 1)])
        self.assertEqual(found(text.suffixes, run_util_dot_h=""), [("run_util.h", 1)])
        self.assertEqual(found(text.suffixes, a_dot_h="class Run {"), [])

    def test_what_was_meant_to_be_temporary_is_noticed(self):
        self.assertEqual(found(text.banned, a_dot_cc="int a;\n// TODO: b"), [("a.cc", 2)])
        self.assertEqual(found(text.banned, a_dot_md="This is all for now."), [("a.md", 1)])
        self.assertEqual(found(text.banned, a_dot_cc="absl::SleepFor(x);"), [])

    def test_a_header_says_what_it_is_for(self):
        self.assertEqual(found(text.headers, a_dot_h="#pragma once"), [("a.h", 1)])
        self.assertEqual(found(text.headers, a_dot_h="// A.\n#pragma once"), [])


class Coverage(unittest.TestCase):
    def test_a_source_without_its_test_is_noticed(self):
        self.assertEqual(found(coverage.has_test, cli__a_dot_cc="//"), [("cli/a.cc", 1)])
        files = {"cli__a_dot_cc": "//", "tests__cli__a_test_dot_cc": "//"}
        self.assertEqual(found(coverage.has_test, **files), [])

    def test_a_test_of_a_file_that_is_gone_is_noticed(self):
        files = {"tests__cli__a_test_dot_cc": "//"}
        self.assertEqual(found(coverage.has_source, **files), [("tests/cli/a_test.cc", 1)])

    def test_a_file_that_no_list_names_is_noticed(self):
        files = {"cli__a_dot_cc": "//", "cli__CMakeLists_dot_txt": "ddl_library(x SRCS b.cc)"}
        self.assertEqual(found(coverage.is_built, **files), [("cli/a.cc", 1)])
        files["cli__CMakeLists_dot_txt"] = "ddl_library(x SRCS a.cc)"
        self.assertEqual(found(coverage.is_built, **files), [])


if __name__ == "__main__":
    unittest.main()
