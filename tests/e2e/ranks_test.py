"""Data parallel: several ranks of one run give the losses of one rank with the same global batch."""

import contextlib
import os
import subprocess

import case
import specs
from harness import Installation, skip

TOLERANCE = 1e-5


def _spec(ranks):
    return specs.tiny(40, 8, name=f"ranks{ranks}", parallel__ranks=ranks,
                      train__micro_batch_sequences=4)


def _losses(setup, run):
    return {(name, step): float(value) for name in ("train_loss", "val_loss")
            for _, step, _, value in setup.series(run, name)}


def _check_close(found, expected):
    case.equal(sorted(found), sorted(expected), "recorded steps")
    worst = max(abs(found[key] - expected[key]) / abs(expected[key]) for key in expected)
    print(f"{len(expected)} losses, largest relative difference {worst:.2e}")
    assert worst <= TOLERANCE, f"differs by {worst:.2e}, at most {TOLERANCE}"


def two_ranks_one_worker():
    """Two ranks on one worker give the losses of one rank within 1e-5."""
    with Installation() as setup:
        setup.start_coordinator()
        setup.prepare_data()
        setup.start_worker(slots=2)
        setup.wait_workers()
        one, two = setup.submit(_spec(1))[0], setup.submit(_spec(2))[0]
        setup.wait(one, two)
        case.equal([setup.run(run)["ranks"] for run in (one, two)], [1, 2], "ranks")
        _check_close(_losses(setup, two), _losses(setup, one))


def _ip(*words):
    subprocess.run(["ip", *words], check=True)


@contextlib.contextmanager
def _namespaces():
    """Two network namespaces on one bridge: their names, and the host's address on the bridge."""
    tag = f"{os.getpid() % 10000:04}"
    bridge, names = f"ddlb{tag}", [f"ddl{tag}a", f"ddl{tag}b"]
    net = f"10.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{net}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for index, name in enumerate(names):
            _ip("netns", "add", name)
            _ip("link", "add", f"v{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", f"v{name}", "master", bridge, "up")
            _ip("-n", name, "addr", "add", f"{net}.{index + 2}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield names, net
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["ip", "link", "del", bridge], stderr=subprocess.DEVNULL, check=False)


def _certificate(setup, address):
    """A self-signed certificate for the address, and a token: what a non-loopback address needs."""
    key, cert, token = (setup.folder / name for name in ("tls.key", "tls.crt", "token"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
         "-days", "2", "-subj", "/CN=ddl", "-addext", f"subjectAltName=IP:{address}"],
        check=True, stderr=subprocess.DEVNULL)
    token.write_text("tests." + "0123456789abcdef" * 3 + "\n")
    token.chmod(0o600)
    key.chmod(0o600)
    return key, cert, token


def gang_over_two_workers():
    """A gang over two workers in two network namespaces gives the losses of one rank."""
    if os.geteuid() != 0:
        skip("network namespaces need root")
    try:
        with _namespaces() as (names, net), Installation() as setup:
            _gang(setup, names, net)
    except subprocess.CalledProcessError as error:
        if error.cmd[0] == "ip":
            skip(f"no network namespaces here: {error}")
        raise


def _gang(setup, names, net):
    host = f"{net}.1"
    key, cert, token = _certificate(setup, host)
    setup.host = host
    setup.start_coordinator("--tls-cert", cert, "--tls-key", key, "--token-file", token)
    os.environ.update(DDL_TOKEN_FILE=str(token), DDL_TLS_CA=str(cert))
    setup.prepare_data()
    for index, name in enumerate(names):
        setup.start_worker(f"w{index + 1}", 1, "--data-address", f"{net}.{index + 2}", "--tls-ca",
                           cert, "--token-file", token, namespace=name)
    setup.wait_workers(2)
    two = setup.submit(_spec(2))[0]
    setup.wait(two)
    used = setup.json("describe", two)["attempts"][-1]["workers"]
    case.equal(sorted(used), ["w1", "w2"], "workers of the gang")
    one = setup.submit(_spec(1))[0]
    setup.wait(one)
    _check_close(_losses(setup, two), _losses(setup, one))


if __name__ == "__main__":
    case.main(globals())
