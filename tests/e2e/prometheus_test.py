"""A real Prometheus, our scrape configuration, rules and dashboards, over a run in training."""

import json
import re
import shutil
import subprocess
import urllib.parse

import case
import specs
from harness import ROOT, Installation, free_port, get, skip, wait_until

RISING = ("ddl_train_steps_total", "ddl_train_tokens_total", "ddl_train_flops_total")
PHASES = ("forward", "backward", "optimizer")


def _promtool(*words, stdin=None):
    done = subprocess.run(["promtool", *map(str, words)], input=stdin, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"promtool {' '.join(map(str, words))}\n{done.stdout}"


def rules_and_dashboards_are_valid():
    """`promtool check rules` accepts every rule file and `check config` the scrape configuration."""
    if not shutil.which("promtool"):
        skip("no promtool")
    folder = ROOT / "deploy" / "prometheus"
    rules = sorted(folder.glob("*rules*.y*ml"))
    assert rules, f"no rule file in {folder}"
    for path in rules:
        _promtool("check", "rules", path)
    _promtool("check", "config", folder / "prometheus.yml")
    dashboards = sorted((ROOT / "deploy" / "grafana").glob("**/*.json"))
    assert dashboards, "no dashboard"
    for path in dashboards:
        board = json.loads(path.read_text())
        assert board["uid"] and board["title"], path
        for panel in _panels(board):
            assert panel.get("title") and panel.get("description"), f"{path}: {panel.get('id')}"


def _panels(board):
    for panel in board.get("panels", ()):
        yield panel
        yield from panel.get("panels", ())


class Prometheus:
    """Debian's Prometheus with the repository's configuration, pointed at one installation."""

    def __init__(self, setup):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        source = ROOT / "deploy" / "prometheus"
        folder = setup.folder / "prometheus"
        shutil.copytree(source, folder)
        config = folder / "prometheus.yml"
        config.write_text(_point_at(config.read_text(), setup.http))
        setup.start("prometheus", "prometheus", f"--config.file={config}",
                    f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}")
        wait_until(self._ready, "Prometheus to be ready", 30)

    def _ready(self):
        try:
            return get(f"{self.url}/-/ready", 1)
        except OSError:
            return None

    def query(self, expression):
        """[(labels, value)] of an instant query."""
        words = urllib.parse.urlencode({"query": expression})
        answer = json.loads(get(f"{self.url}/api/v1/query?{words}"))
        assert answer["status"] == "success", f"{expression}: {answer}"
        return [(row["metric"], float(row["value"][1])) for row in answer["data"]["result"]]

    def targets(self):
        answer = json.loads(get(f"{self.url}/api/v1/targets"))
        return {row["labels"]["job"]: row["health"] for row in answer["data"]["activeTargets"]}


def _point_at(text, http):
    """The configuration with the coordinator's address in place of the default one."""
    host = http.removeprefix("http://")
    changed = re.sub(r"127\.0\.0\.1:\d+|localhost:\d+", host, text)
    assert host in changed, "the scrape configuration names no coordinator"
    return changed


def _totals(prometheus, run):
    values = {name: prometheus.query(f'{name}{{run="{run}"}}') for name in RISING}
    for phase in PHASES:
        values[phase] = prometheus.query(
            f'ddl_train_phase_seconds_total{{run="{run}",phase="{phase}"}}')
    return {name: rows[0][1] for name, rows in values.items() if rows}


def _expressions():
    """(place, expression) of every recording rule and every dashboard query."""
    for path in sorted((ROOT / "deploy" / "prometheus").glob("*rules*.y*ml")):
        for name in re.findall(r"^\s*-?\s*record:\s*(\S+)", path.read_text(), re.MULTILINE):
            yield f"{path.name}: {name}", name
    for path in sorted((ROOT / "deploy" / "grafana").glob("**/*.json")):
        for panel in _panels(json.loads(path.read_text())):
            for target in panel.get("targets", ()):
                yield f"{path.name}: {panel['title']}", target["expr"]


def _substitute(expression, run):
    """The dashboard's variables as a person would choose them."""
    values = {"run": run, "experiment": ".*", "job": ".*", "smooth": "1m", "tokens": "2e6",
              "target": "100", "baseline": run, "__rate_interval": "1m", "__interval": "15s",
              "__range": "5m", "sublayer": ".*", "layer": ".*"}
    return re.sub(r"\$\{?(\w+)(?::\w+)?\}?", lambda match: values[match[1]], expression)


def scrape_of_a_run():
    """Every _total rises in training and ends at the run store's value; every query has data."""
    with Installation() as setup:
        setup.start_coordinator()
        setup.prepare_data()
        setup.start_worker()
        setup.wait_workers()
        prometheus = Prometheus(setup)
        steps = 2500
        run = setup.submit(specs.tiny(steps, eval__every_tokens=50 * 512,
                                      checkpoint__every_tokens=200 * 512))[0]
        complete = len(RISING) + len(PHASES)
        first = wait_until(lambda: _has(_totals(prometheus, run), complete), "a first scrape", 60)
        second = wait_until(lambda: _risen(first, _totals(prometheus, run)), "every total to rise", 30)
        assert setup.run(run)["state"] == "running", "the run ended between the two scrapes"
        print("rose:", {name: (first[name], second[name]) for name in first})
        failed = wait_until(lambda: _all_answered(prometheus, run), "every query to have data", 120, 1)
        print(failed)
        setup.wait(run)
        row = setup.run(run)
        expected = {"ddl_train_steps_total": row["step"], "ddl_train_tokens_total": row["tokens"]}
        wait_until(lambda: all(_totals(prometheus, run).get(name) == float(value)
                               for name, value in expected.items()), "the final scrape", 20)
        _check_final(setup, prometheus, run)
        for text in (get(f"{setup.http}/metrics"), get(f"{setup.worker_http()}/metrics")):
            _promtool("check", "metrics", stdin=text)


def _has(totals, count):
    return totals if len(totals) == count else None


def _risen(first, now):
    return now if all(now.get(name, 0) > value for name, value in first.items()) else None


def _all_answered(prometheus, run):
    empty = [place for place, expression in _expressions()
             if not prometheus.query(_substitute(expression, run))]
    print("no data yet:", empty, flush=True)
    return None if empty else "every query has data"


def _check_final(setup, prometheus, run):
    """Totals and last losses of the scrape are the run store's."""
    rows = setup.ddl("metrics", run, "train_loss", "-o", "csv").stdout.splitlines()[1:]
    totals = _totals(prometheus, run)
    case.equal(totals["ddl_train_flops_total"], float(rows[-1].split(",")[4]), "FLOPs")
    loss = prometheus.query(f'ddl_train_loss{{run="{run}"}}')[0][1]
    case.equal(loss, float(rows[-1].split(",")[6]), "training loss")
    for phase in PHASES:
        points = setup.series(run, f"phase_seconds/{phase}")
        total = sum(float(point[3]) for point in points)
        found = totals[phase]
        assert abs(found - total) <= 1e-9 * total, f"{phase}: {found} scraped, {total} stored"


if __name__ == "__main__":
    case.main(globals())
