"""The same spec gives the same numbers to the last bit, however it is run."""

import case
import specs
from harness import Installation


def _points(setup, run, name):
    return [row[1:] for row in setup.series(run, name)]


def local_equals_service():
    """`ddl local` and the service give the same losses and weights to the last bit."""
    with Installation() as setup:
        setup.prepare_data()
        spec = setup.write("spec", specs.tiny(60))
        setup.ddl("local", spec, "--out", setup.folder / "local", DDL_ADDR="127.0.0.1:1")
        setup.start_coordinator()
        setup.start_worker()
        setup.wait_workers()
        run = setup.submit(specs.tiny(60))[0]
        setup.wait(run)
        folder = str(setup.folder / "local")
        for name in ("train_loss", "val_loss"):
            expected = _points(setup, run, name)
            assert expected, f"no point of {name}"
            case.equal(_points(setup, folder, name), expected, name)
        local = max((setup.folder / "local").glob("**/step-*/manifest.pb")).parent
        case.equal(specs.parameters_digest(local), setup.final_weights(run), "weights")


def resolved_config_resubmits():
    """`config RUN --resolved` submitted again trains to the same bits."""
    with Installation() as setup:
        setup.start_coordinator()
        setup.prepare_data()
        setup.start_worker()
        setup.wait_workers()
        first = setup.submit(specs.tiny(60))[0]
        setup.wait(first)
        resolved = setup.ddl("config", first, "--resolved").stdout
        second = setup.submit(resolved, name="again")[0]
        setup.wait(second)
        assert second != first
        for name in ("train_loss", "val_loss"):
            case.equal(_points(setup, second, name), _points(setup, first, name), name)
        case.equal(setup.final_weights(second), setup.final_weights(first), "weights")
        case.equal(setup.ddl("config", second, "--resolved").stdout, resolved, "the resolved spec")


if __name__ == "__main__":
    case.main(globals())
