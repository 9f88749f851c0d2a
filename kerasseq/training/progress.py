"""The progress bar of a training."""

import sys
import time
from datetime import timedelta

from tqdm import tqdm


class Progress:
    """A bar with loss, tokens per second and remaining time.

    Without a terminal it shows only the messages of `say`.

    Args:
        total_steps: the largest number of steps of the training.
        max_seconds: the time limit; 0 for none.
        silent: show nothing at all.
    """

    def __init__(self, total_steps: int, max_seconds: float, silent: bool = False):
        self.total_steps, self.max_seconds, self.silent = total_steps, max_seconds, silent
        self._bar = tqdm(
            total=1.0,
            bar_format="{percentage:3.0f}%|{bar:20}| {desc}",
            disable=True if silent else None,
            leave=False,
            dynamic_ncols=True,
        )
        self._first = self._last = None
        self._rate = 0.0

    def update(self, step: int, epoch: int, seconds: float, tokens: int, loss: float) -> None:
        """Shows the state after `step` steps, `seconds` and `tokens` of training."""
        now = (time.monotonic(), tokens, self._compute_share(step, seconds))
        if self._first is None:  # the first step includes compilation
            self._first = self._last = now
            return
        elapsed, seen = now[0] - self._last[0], tokens - self._last[1]
        if elapsed > 0:
            rate = seen / elapsed
            self._rate = 0.7 * self._rate + 0.3 * rate if self._rate else rate
        self._last = now
        done = now[2] - self._first[2]
        left = (1 - now[2]) * (now[0] - self._first[0]) / done if done > 0 else 0.0
        if self.max_seconds:
            left = min(left, max(self.max_seconds - seconds, 0.0))
        self._bar.n = min(now[2], 1.0)
        self._bar.set_description_str(
            f"step {step:,} | epoch {epoch} | loss {loss:.3f} | {self._rate:,.0f} tokens/s | "
            f"{timedelta(seconds=round(left))} left"
        )

    def say(self, message: str) -> None:
        """Prints a line that stays."""
        if not self.silent:
            self._bar.write(message, file=sys.stderr)

    def close(self) -> None:
        self._bar.close()

    def _compute_share(self, step, seconds):
        by_time = seconds / self.max_seconds if self.max_seconds else 0.0
        return max(step / self.total_steps, by_time)
