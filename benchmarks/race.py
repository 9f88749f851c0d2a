"""Comparison of contestants: each has its own process, and they run in turn.

So a temporary slowdown of the machine affects all contestants equally, and the threads and
allocator of one library do not disturb another library. A contestant is a command; its process
calls `serve`.
"""

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Times:
    """The seconds of each run of a contestant, and the facts that it reports."""

    seconds: list[float]
    facts: dict

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def race(contestants: dict[str, Sequence[str]], rounds: int, threads: int) -> dict[str, Times]:
    """Times the runs of each contestant, in turn, on `threads` cores.

    Args:
        contestants: for each name the arguments of a Python process, a script first.
        rounds: how often each contestant is timed.
        threads: the number of cores.

    Returns:
        The times by name, without the contestants that failed; their errors are printed.
    """
    processes, seconds, facts = {}, {}, {}
    try:
        for name, arguments in contestants.items():
            # A file, because a pipe without a reader fills and blocks.
            errors = tempfile.TemporaryFile("w+")
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env={**os.environ, **limit_threads(threads)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                preexec_fn=lambda: _pin_to_cores(threads),
            )
            # Wait until it is ready, so that its preparation does not disturb the next one.
            answer = _read_answer(process)
            if answer is None:
                errors.seek(0)
                last = "".join(errors.readlines()[-5:])
                print(f"{name} failed:\n{last}", file=sys.stderr)
                continue
            processes[name], facts[name], seconds[name] = process, answer, []
        for _ in range(rounds):
            for name, process in processes.items():
                print("go", file=process.stdin, flush=True)
                seconds[name] += _read_answer(process)
    finally:
        for process in processes.values():
            process.stdin.close()
            process.wait()
    return {name: Times(seconds[name], facts[name]) for name in processes}


def serve(run: Callable[[], Any], facts: dict, warm_up: int = 3, minimum: float = 0.4) -> None:
    """Runs in a contestant's process: times `run` for at least `minimum` seconds per request."""
    for _ in range(warm_up):
        run()
    print(json.dumps(facts), flush=True)
    for _ in sys.stdin:
        gc.collect()
        gc.disable()
        run()
        seconds: list[float] = []
        while sum(seconds) < minimum:
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
        gc.enable()
        print(json.dumps(seconds), flush=True)


def limit_threads(threads: int) -> dict[str, str]:
    """Returns environment variables that limit every library to `threads` threads."""
    return {
        "OMP_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def _pin_to_cores(threads: int) -> None:
    # JAX starts one thread for each core that the process may use.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def _read_answer(process: subprocess.Popen) -> Any:
    for line in process.stdout:
        if line.startswith(("{", "[")):
            return json.loads(line)
    return None
