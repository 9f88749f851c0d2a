"""Contestants timed side by side: each in a process of its own, one at a time, round by round.

What slows the machine down for a while then slows all of them alike, and no library's threads
or allocator stand in another's way. A contestant is a command; its process calls `serve`.
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
    """Seconds of each run of a contestant, and what it says about itself."""

    seconds: list[float]
    facts: dict

    @property
    def best(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def race(contestants: dict[str, Sequence[str]], rounds: int, threads: int) -> dict[str, Times]:
    """Run each contestant's timed burst `rounds` times, in turn, on `threads` cores.

    Args:
        contestants: by name, the arguments of a Python process, a script first.

    Returns:
        The times of those that ran; one that failed is left out, its error shown.
    """
    processes, seconds, facts = {}, {}, {}
    try:
        for name, arguments in contestants.items():
            # A file, since a pipe that nobody reads would fill and block.
            errors = tempfile.TemporaryFile("w+")
            process = subprocess.Popen(
                [sys.executable, *arguments],
                env={**os.environ, **environment(threads)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                preexec_fn=lambda: _stay_on(threads),
            )
            # Ready before the next one starts, so that no preparation disturbs another.
            answer = _answer(process)
            if answer is None:
                errors.seek(0)
                last = "".join(errors.readlines()[-5:])
                print(f"{name} failed:\n{last}", file=sys.stderr)
                continue
            processes[name], facts[name], seconds[name] = process, answer, []
        for _ in range(rounds):
            for name, process in processes.items():
                print("go", file=process.stdin, flush=True)
                seconds[name] += _answer(process)
    finally:
        for process in processes.values():
            process.stdin.close()
            process.wait()
    return {name: Times(seconds[name], facts[name]) for name in processes}


def serve(run: Callable[[], Any], facts: dict, warm_up: int = 3, least: float = 0.4) -> None:
    """The contestant's side: time bursts of `run` of at least `least` seconds each, on demand."""
    for _ in range(warm_up):
        run()
    print(json.dumps(facts), flush=True)
    for _ in sys.stdin:
        gc.collect()
        gc.disable()
        run()
        seconds: list[float] = []
        while sum(seconds) < least:
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
        gc.enable()
        print(json.dumps(seconds), flush=True)


def environment(threads: int) -> dict[str, str]:
    """Variables that hold every library to so many threads."""
    return {
        "OMP_NUM_THREADS": str(threads),
        "TF_NUM_INTRAOP_THREADS": str(threads),
        "TF_NUM_INTEROP_THREADS": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def _stay_on(threads: int) -> None:
    # JAX takes as many threads as the process may use cores.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def _answer(process: subprocess.Popen) -> Any:
    for line in process.stdout:
        if line.startswith(("{", "[")):
            return json.loads(line)
    return None
