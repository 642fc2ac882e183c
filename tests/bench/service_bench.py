"""Measures the service's figures with real programs: service_bench.py [FIGURE...].

Run it from the root on a quiet machine, after `cmake --build --preset release`. It prints the table of
docs/results/service.md. Times are medians unless a row says otherwise.
"""

import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import specs
from harness import BUILD, ROOT, Installation, wait_until

PROBE = BUILD / "tests" / "ddl-probe"
TICKS = os.sysconf("SC_CLK_TCK")


def memory_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:", 1)[1].split()[0]) / 1024


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def start(setup, worker=True):
    setup.start_coordinator()
    setup.prepare_data()
    setup.write("spec", specs.tiny(20))
    if worker:
        setup.start_worker()
        setup.wait_workers()


def submit_many(setup, prefix, count):
    """Microseconds of each of `count` submissions, one after the other."""
    done = subprocess.run([PROBE, "submit", setup.address, setup.folder / "spec.yaml", prefix, "0",
                           str(count)], text=True, stdout=subprocess.PIPE, check=True)
    return [int(line.split()[2]) for line in done.stdout.splitlines()]


def first_step():
    """Submit to first training step (tiny model, CPU), s | 5"""
    with Installation() as setup:
        start(setup)
        times = []
        for index in range(7):
            begin = time.monotonic()
            run = setup.submit(specs.tiny(20, name=f"r{index}"))[0]
            wait_until(lambda: setup.spool_step(run) > 0, "the first step", 30, 0.005)
            times.append(time.monotonic() - begin)
            setup.wait(run)
        return statistics.median(times)


def listing():
    """`ddl ls` with 1,000 runs, ms | 100"""
    with Installation() as setup:
        start(setup, worker=False)
        submit_many(setup, "ls", 1000)
        times = []
        for _ in range(21):
            begin = time.monotonic()
            setup.ddl("ls")
            times.append((time.monotonic() - begin) * 1000)
        return statistics.median(times)


def idle():
    """Coordinator idle, MiB | 64
    Coordinator idle, % of a CPU | 1
    Worker daemon, MiB | 64"""
    with Installation() as setup:
        start(setup)
        setup.wait(setup.submit(specs.tiny(50))[0])
        coordinator, worker = (setup.processes[name].pid for name in ("coordinator", "w1"))
        before, begin = cpu_seconds(coordinator), time.monotonic()
        time.sleep(60)
        share = (cpu_seconds(coordinator) - before) / (time.monotonic() - begin) * 100
        return memory_mib(coordinator), share, memory_mib(worker)


def submission():
    """Submit p99 with fsync, ms | 15
    Submit median, ms | -"""
    with Installation() as setup:
        start(setup, worker=False)
        times = sorted(submit_many(setup, "p99", 2000))
        return times[int(len(times) * 0.99)] / 1000, statistics.median(times) / 1000


def restart():
    """Restart with 10,000 trials and 1 million points until it serves, s | 5"""
    with Installation() as setup:
        start(setup)
        run = setup.submit(specs.tiny(17000, 1, eval={"every_tokens": 10**9, "tokens": 64},
                                      checkpoint={"every_tokens": 10**9}))[0]
        submit_many(setup, "many", 9999)
        setup.wait(run, limit=1800)
        setup.kill("w1")
        names = setup.ddl("metrics", run, "-o", "name").stdout.split()
        points = sum(len(setup.series(run, name)) for name in names)
        print(f"{points} points", file=sys.stderr)
        times = []
        for _ in range(5):
            setup.kill("coordinator")
            begin = time.monotonic()
            setup.restart("coordinator")
            setup.wait_ready()
            times.append(time.monotonic() - begin)
        return statistics.median(times)


FIGURES = [first_step, listing, idle, submission, restart]


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, text=True,
                            stdout=subprocess.PIPE).stdout.strip()
    return f"{os.cpu_count()} x {model}, {platform.release()}, commit {commit}"


def main():
    wanted = sys.argv[1:]
    print(machine(), "", "| figure | at most | measured |", "|---|---|---|", sep="\n")
    for figure in FIGURES:
        if wanted and figure.__name__ not in wanted:
            continue
        values = figure()
        values = values if isinstance(values, tuple) else (values,)
        for row, value in zip(figure.__doc__.splitlines(), values):
            name, limit = row.strip().rsplit(" | ", 1)
            print(f"| {name} | {limit} | {value:.2f} |", flush=True)


if __name__ == "__main__":
    main()
