#!/usr/bin/env python3
"""Rules, scrape configuration and dashboards fit the metric table, and each other."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import promql_queries as queries  # noqa: E402

ROOT = queries.ROOT
TABLE = os.path.join(ROOT, "common/metric_table.cc")
ALERTS = os.path.join(ROOT, "docs/operations/alerts.md")
SUFFIXES = ("_bucket", "_sum", "_count")
OF_PROMETHEUS = {"instance", "job", "le", "worker", "pool"}  # Labels that no row lists.


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def families():
    """{family: its labels} from the rows of the metric table."""
    rows = re.findall(
        r'\{"(\w+)",\s*k(?:Gauge|Counter|Histogram),\s*((?:"[\w,]*"\s*)+),', read(TABLE)
    )
    return {
        name: set(filter(None, "".join(re.findall(r'"([\w,]*)"', labels)).split(",")))
        for name, labels in rows
    }


def all_expressions():
    found = [(name, expression) for _, name, expression in queries.rules()]
    for path, dashboard in queries.dashboards():
        found += [(f"{path}: {title}", e) for title, e in queries.panel_queries(dashboard)]
        found += [(path, a["expr"]) for a in dashboard["annotations"]["list"]]
    return found


class PrometheusTest(unittest.TestCase):
    def test_the_table_has_at_least_forty_families(self):
        self.assertGreaterEqual(len(families()), 40)

    def test_every_family_and_label_of_an_expression_is_in_the_table(self):
        table = families()
        recorded = {name for kind, name, _ in queries.rules() if kind == "record"}
        self.assertTrue(all_expressions())
        for place, expression in all_expressions():
            for name in re.findall(r"\b(?:ddl|grpc|process)_\w+", expression):
                base = next((name[: -len(s)] for s in SUFFIXES if name.endswith(s)), name)
                if f":{name}:" in expression:
                    continue  # Part of a recorded name.
                self.assertTrue(name in table or base in table, f"{place}: no family {name}")
            for name in re.findall(r"\b\w+:\w+:\w+", expression):
                self.assertIn(name, recorded, place)
            for family, matchers in re.findall(r"\b((?:ddl|grpc)_\w+)\{([^}]*)\}", expression):
                base = next((family[: -len(s)] for s in SUFFIXES if family.endswith(s)), family)
                labels = table.get(family, table.get(base, set())) | OF_PROMETHEUS
                for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", matchers):
                    self.assertIn(label, labels, f"{place}: {family} has no label {label}")

    def test_every_alert_has_a_section_in_its_runbook(self):
        sections = {line[3:].strip() for line in read(ALERTS).split("\n") if line.startswith("## ")}
        alerts = {name for kind, name, _ in queries.rules() if kind == "alert"}
        self.assertEqual(sections, alerts)
        rules = read(queries.RULES)
        for name in alerts:
            self.assertIn(f"runbook: docs/operations/alerts.md#{name.lower()}\n", rules)

    def test_every_panel_says_what_it_shows_and_where_from(self):
        uids = []
        for path, dashboard in queries.dashboards():
            uids.append(dashboard["uid"])
            self.assertEqual([p["id"] for p in dashboard["panels"]],
                             list(range(1, len(dashboard["panels"]) + 1)), path)
            for panel in dashboard["panels"]:
                self.assertTrue(panel["title"] and panel["description"], panel["id"])
                self.assertEqual(panel["datasource"]["uid"], "$datasource")
                self.assertTrue(panel["fieldConfig"]["defaults"]["unit"])
                for target in panel["targets"]:
                    self.assertEqual(target["datasource"]["uid"], "$datasource")
        self.assertIn("ddl-compare", uids)
        self.assertEqual(len(uids), len(set(uids)))

    def test_variables_are_replaced(self):
        text = subprocess.run(
            [sys.executable, queries.__file__, "--run", "abc|def", "--baseline", "abc"],
            check=True, capture_output=True, text=True,
        ).stdout
        self.assertIn('ddl_train_loss{run=~"abc|def"}', text)
        self.assertNotIn("$", text)
        self.assertGreater(len(text.strip().split("\n")), 10)

    def test_promtool_accepts_rules_and_configuration(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        for words in (["rules", queries.RULES],
                      ["config", os.path.join(ROOT, "deploy/prometheus/prometheus.yml")]):
            done = subprocess.run(["promtool", "check", *words], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_promtool_parses_every_query(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not installed")
        text = "groups:\n  - name: q\n    rules:\n"
        for words in ([], ["--alerts"], ["--annotations"]):
            printed = subprocess.run(
                [sys.executable, queries.__file__, "--run", "abc", "--baseline", "abc", *words],
                check=True, capture_output=True, text=True,
            ).stdout
            for number, line in enumerate(printed.strip().split("\n")):
                name = f"q:{'_'.join(words).strip('-') or 'panels'}:{number}"
                text += f"      - record: {name}\n        expr: {json.dumps(line)}\n"
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write(text)
            file.flush()
            done = subprocess.run(
                ["promtool", "check", "rules", file.name], capture_output=True, text=True
            )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
