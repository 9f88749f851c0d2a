"""The progress of a training: a bar, or lines where there is no terminal."""

import sys
import time
from datetime import timedelta

from tqdm import tqdm

from kerasseq.training.position import Position

# Without a terminal: the seconds before the first line, and between two lines at most; and the
# share of the whole time between two lines.
_FIRST, _LONGEST, _SHARE = 10.0, 300.0, 0.05


class Progress:
    """A bar with the step, the epoch, the loss, the learning rate and the remaining time.

    Without a terminal the same is a line from time to time.

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
        self._speed = 0.0
        self._line_due = 0.0

    def update(self, position: Position, seconds: float, loss: float, rate: float) -> None:
        """Shows the state after a step.

        Args:
            position: the position after the step.
            seconds: the time of training.
            loss: the mean training loss of the last steps.
            rate: the learning rate of the step.
        """
        now = (time.monotonic(), position.tokens, self.compute_share(position.step, seconds))
        if self._first is None:  # the first step includes compilation
            self._first = self._last = now
            self._line_due = now[0] + _FIRST
            return
        elapsed, seen = now[0] - self._last[0], now[1] - self._last[1]
        if elapsed > 0:
            speed = seen / elapsed
            self._speed = 0.7 * self._speed + 0.3 * speed if self._speed else speed
        self._last = now
        done = now[2] - self._first[2]
        left = (1 - now[2]) * (now[0] - self._first[0]) / done if done > 0 else 0.0
        if self.max_seconds:
            left = min(left, max(self.max_seconds - seconds, 0.0))
        text = (
            f"step {position.step:,} of {self.total_steps:,} | epoch {position.current_epoch} | "
            f"loss {loss:.3f} | rate {rate:.2g} | {self._speed:,.0f} tokens/s | "
            f"{timedelta(seconds=max(round(left), 0))} left"
        )
        if self._bar.disable:
            self._print_sometimes(text, now[0], now[0] - self._first[0] + left)
        else:
            self._bar.n = min(now[2], 1.0)
            self._bar.set_description_str(text)

    def say(self, message: str) -> None:
        """Prints a line that stays."""
        if not self.silent:
            self._bar.write(message, file=sys.stderr)

    def close(self) -> None:
        self._bar.close()

    def _print_sometimes(self, text: str, now: float, whole: float) -> None:
        """Prints a line if the last one is long enough ago for a training of `whole` seconds."""
        if now >= self._line_due:
            self.say(text)
            self._line_due = now + min(max(_SHARE * whole, _FIRST), _LONGEST)

    def compute_share(self, step: int, seconds: float) -> float:
        """Returns the part of the training that is done, from 0 to 1."""
        by_time = seconds / self.max_seconds if self.max_seconds else 0.0
        return max(step / self.total_steps, by_time)
