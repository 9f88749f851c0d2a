"""How far the preparation of a run is."""

import sys
import time
from collections.abc import Callable


def telling(what: str, every: float = 5.0) -> Callable[[int], None]:
    """Says now and then how much is done; nothing if it takes less than `every` seconds."""
    started = shown = time.monotonic()

    def tell(count: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown >= every:
            shown, rate = now, count / (now - started)
            print(f"{count:,} {what}, {rate:,.0f} a second", file=sys.stderr)

    return tell
