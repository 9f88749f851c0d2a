"""What is the same on every backend runs on each of them: pytest --backends all."""

import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec

import pytest

BACKENDS = ("tensorflow", "jax", "torch")

# JAX compiles the same few functions for many tests, and for the processes that some of them start.
os.environ |= {
    "JAX_COMPILATION_CACHE_DIR": f"{tempfile.gettempdir()}/kerasseq-tests-jax",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}


def pytest_addoption(parser):
    parser.addoption(
        "--backends",
        metavar="NAMES",
        help="run the tests with the mark `backends` on each of these backends, one after the "
        f"other: some of {','.join(BACKENDS)}, or all that are installed",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    if config.getoption("backends") is None:
        return None
    statuses = {name: _status_on(name, config) for name in _chosen(config.getoption("backends"))}
    for name, status in statuses.items():
        print(f"{name}: {'passed' if status == 0 else f'FAILED, exit status {status}'}")
    return max(statuses.values())


def _chosen(names):
    if names == "all":
        return [name for name in BACKENDS if find_spec(name)]
    chosen = names.split(",")
    for name in chosen:
        if name not in BACKENDS:
            raise pytest.UsageError(f"--backends: {name!r} is none of {', '.join(BACKENDS)}")
        if not find_spec(name):
            raise pytest.UsageError(f"--backends: {name} is not installed")
    return chosen


def _status_on(name, config):
    """The exit status of these tests in a process of their own, which shows what it does."""
    given, rest = list(config.invocation_params.args), []
    while given:
        argument = given.pop(0)
        if argument == "--backends":
            given.pop(0)
        elif not argument.startswith("--backends="):
            rest.append(argument)
    marked = [] if "-m" in rest else ["-m", "backends and not thorough"]
    command = [sys.executable, "-m", "pytest", *rest, *marked]
    return subprocess.call(command, env={**os.environ, "KERAS_BACKEND": name})


def pytest_report_header():
    return f"backend: {os.environ.get('KERAS_BACKEND', 'that of the settings')}"


def pytest_terminal_summary(terminalreporter):
    """Name the backend with each test that failed, for logs of several."""
    name = os.environ.get("KERAS_BACKEND")
    for kind in ("failed", "error"):
        for report in terminalreporter.getreports(kind) if name else ():
            terminalreporter.write_line(f"FAILED on {name}: {report.nodeid}", red=True)
