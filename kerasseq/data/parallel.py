"""Work in threads, in order and with bounded memory."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any


def map_in_threads(
    function: Callable, items: Iterable, threads: int | None = None
) -> Iterator[tuple[Any, Any]]:
    """Yields (item, function(item)) in order; at most one item more than threads is in work.

    Args:
        function: is called in the threads.
        items: are read in the caller's thread.
        threads: the number of threads; None takes one for each core of this process.
    """
    threads = core_count() if threads is None else threads
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque = deque()
        try:
            for item in items:
                waiting.append((item, pool.submit(function, item)))
                if len(waiting) > threads:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def batched(items: Iterable, size: int) -> Iterator[list]:
    """Yields the items in lists of `size`; the last list can be shorter."""
    rows = iter(items)
    while some := list(islice(rows, size)):
        yield some


def core_count() -> int:
    """Returns the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
