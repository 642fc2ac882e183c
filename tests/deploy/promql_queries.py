#!/usr/bin/env python3
"""Prints the PromQL expressions of our dashboards and rules, one a line, ready to run.

Dashboard variables are replaced by the arguments. By default: the queries of every panel and the
expressions of the recording rules, all of which must return data while runs train. --alerts and
--annotations print those instead: in a healthy installation they return nothing.
"""
import argparse
import glob
import json
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RULES = os.path.join(ROOT, "deploy/prometheus/rules.yml")
DASHBOARDS = os.path.join(ROOT, "deploy/grafana/dashboards")


def dashboards():
    """[(file, parsed dashboard)], sorted by file."""
    found = []
    for path in sorted(glob.glob(os.path.join(DASHBOARDS, "*.json"))):
        with open(path, encoding="utf-8") as file:
            found.append((path, json.load(file)))
    return found


def panel_queries(dashboard):
    """[(panel title, expression)] of a dashboard, rows' panels included."""
    queries = []
    waiting = list(dashboard.get("panels", []))
    while waiting:
        panel = waiting.pop(0)
        waiting = list(panel.get("panels", [])) + waiting
        for target in panel.get("targets", []):
            queries.append((panel["title"], target["expr"]))
    return queries


def rules():
    """[(kind, name, expression)] of the rules file, whose expressions are each on one line."""
    found = []
    with open(RULES, encoding="utf-8") as file:
        lines = file.read().split("\n")
    for line, following in zip(lines, lines[1:]):
        rule = re.fullmatch(r"\s+- (record|alert): (\S+)", line)
        if not rule:
            continue
        expression = re.fullmatch(r"\s+expr: (.+)", following)
        if not expression:
            sys.exit(f"{RULES}: {rule.group(2)} must be followed by a line with its expr")
        found.append((rule.group(1), rule.group(2), expression.group(1)))
    return found


def substitute(expression, values):
    """`expression` with $name and ${name} replaced; an unknown variable is an error."""

    def value(match):
        name = match.group(1) or match.group(2)
        if name not in values:
            sys.exit(f"unknown variable ${name} in: {expression}")
        return values[name]

    return re.sub(r"\$\{(\w+)\}|\$(\w+)", value, expression)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--run", default=".*", help="regular expression of run ids")
    parser.add_argument("--experiment", default=".*")
    parser.add_argument("--baseline", default="", help="id of the run to compare with")
    parser.add_argument("--smooth", default="1m")
    parser.add_argument("--tokens", default="8e6")
    parser.add_argument("--target", default="3.0", help="training loss to reach")
    parser.add_argument("--rate-interval", default="1m")
    parser.add_argument("--alerts", action="store_true")
    parser.add_argument("--annotations", action="store_true")
    arguments = parser.parse_args()
    values = {
        "run": arguments.run,
        "experiment": arguments.experiment,
        "baseline": arguments.baseline,
        "smooth": arguments.smooth,
        "tokens": arguments.tokens,
        "target": arguments.target,
        "__rate_interval": arguments.rate_interval,
    }
    if arguments.alerts:
        expressions = [expression for kind, _, expression in rules() if kind == "alert"]
    elif arguments.annotations:
        expressions = [
            annotation["expr"]
            for _, dashboard in dashboards()
            for annotation in dashboard["annotations"]["list"]
        ]
    else:
        expressions = [
            expression
            for _, dashboard in dashboards()
            for _, expression in panel_queries(dashboard)
        ]
        expressions += [expression for kind, _, expression in rules() if kind == "record"]
    for expression in dict.fromkeys(expressions):
        print(substitute(expression, values))


if __name__ == "__main__":
    main()
