"""Synthetic environments through the real service."""

import case
import specs
from harness import Installation


def _spec(task, kind):
    spec = specs.tiny(20, batch=8, name=f"{task}-{kind.replace('_', '-')}",
                      model__residual={"kind": kind}, model__max_seq_len=16,
                      data={"synthetic": {"task": task}})
    if task == "recall":
        spec["data"]["synthetic"]["pairs"] = 4
    spec["train"] = {"tokens": 20 * 128, "global_batch_tokens": 128}
    spec["eval"] = {"every_tokens": 5 * 128, "tokens": 1024}
    return spec


def trained_compared_and_reported():
    """Synthetic runs train without data, compare within a task alone, and share one report."""
    with Installation() as setup:
        setup.start_coordinator()
        setup.start_worker()
        setup.wait_workers()
        runs = {(task, kind): setup.submit(_spec(task, kind))[0]
                for task in ("s3", "recall") for kind in ("additive", "ddl")}
        setup.wait(*runs.values())

        s3 = [runs["s3", "additive"], runs["s3", "ddl"]]
        compared = setup.json("compare", *s3, "--metric", "val_accuracy")
        assert any("chance is 0.1667" in remark for remark in compared["remarks"]), compared
        unlike = setup.ddl("compare", *runs.values(), code=5)
        assert "data.synthetic.task differs" in unlike.stderr, unlike.stderr
        case.equal(unlike.stdout, "", "output of a refused comparison")

        positions = setup.series(s3[0], "val_position_accuracy/15")
        case.equal(len(positions), 4, "validations with an accuracy at the last position")
        report = setup.folder / "report.html"
        setup.ddl("report", *runs.values(), "--metric", "val_accuracy", "--out", report)
        html = report.read_text()
        for part in ("Which residual solves which task", "<th>recall, T 16</th><th>s3, T 16</th>",
                     "<td>chance</td>", "Accuracy by position"):
            assert part in html, part

        spec = setup.write("local", _spec("s3", "ddl"))
        local = setup.ddl("local", spec, "--out", setup.folder / "local", DDL_ADDR="127.0.0.1:1")
        assert "(chance 0.1667)" in local.stdout, local.stdout
        case.equal([row[1:] for row in setup.series(str(setup.folder / "local"), "val_loss")],
                   [row[1:] for row in setup.series(s3[1], "val_loss")], "losses of ddl local")


if __name__ == "__main__":
    case.main(globals())
