"""What a search shows while it runs."""

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from tqdm import tqdm

from kerasseq.applications.common.tuning.results import name_figure
from kerasseq.applications.common.tuning.study import Row
from kerasseq.printable import escape


class TrialProgress:
    """A bar with the trials that are done, the best figure and the time left.

    Without a terminal only the lines of finished trials are shown.

    Args:
        trials: the number of trials.
        by: "loss" or the metric that is compared.
    """

    def __init__(self, trials: int, by: str):
        self._by, self._trials = by, trials
        self._bar = tqdm(
            total=float(trials),
            bar_format="{percentage:3.0f}%|{bar:20}| {desc}",
            disable=None,
            leave=False,
            dynamic_ncols=True,
        )
        self._begun = time.monotonic()
        self._number = self._done = self._own = 0
        self._best = ""

    def __enter__(self) -> "TrialProgress":
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.close()

    def start(self, number: int, rows: Sequence[Row], best: Row | None) -> None:
        """Shows that a trial begins."""
        self._number = number
        self._done = sum(row.state in ("complete", "pruned", "failed") for row in rows)
        self._best = self._describe_best(best)
        self.show(0.0, {})

    def show(self, share: float, results: Mapping[str, float]) -> None:
        """Shows the part of a trial that is done, and its chosen validation."""
        # One's own speed: other processes may help, and then it takes less time.
        own = self._own + share
        left = "?"
        if own > 0:
            seconds = (time.monotonic() - self._begun) / own * (self._trials - self._done - share)
            left = str(timedelta(seconds=round(max(seconds, 0))))
        self._bar.n = min(self._done + share, self._trials)
        now = f" {self._format(results)}" if results else ""
        self._bar.set_description_str(
            f"{self._done} of {self._trials} done | trial {self._number}: {share:.0%}{now} | "
            f"{self._best}{left} left"
        )

    def finish(self, row: Row, best: Row | None) -> None:
        """Says how a trial ended."""
        self._own += 1
        self._done += 1
        self.say(describe_row(row, self._format(row.results), best))

    def say(self, text: str) -> None:
        """Prints a line that stays."""
        self._bar.write(escape(text), file=sys.stderr)

    def _describe_best(self, best: Row | None) -> str:
        return f"best {self._format(best.results)} (trial {best.number}) | " if best else ""

    def _format(self, results: Mapping[str, float]) -> str:
        if self._by not in results:
            return ""
        loss = f", loss {results['loss']:.4g}" if self._by != "loss" else ""
        return f"{name_figure(self._by)} {results[self._by]:.4g}{loss}"


def describe_row(row: Row, figures: str, best: Row | None) -> str:
    """Returns a line on a trial that ended."""
    took = timedelta(seconds=round(row.seconds))
    text = {
        "complete": f"{figures}, {row.steps:,} steps in {took}",
        "pruned": f"stopped after {row.share:.0%}: {figures}",
        "failed": f"failed: {row.error}",
    }[row.state]
    return f"trial {row.number}: {text}" + "  (best)" * bool(best and best.number == row.number)
