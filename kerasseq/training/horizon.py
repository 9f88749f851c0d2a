"""How long the learning rate's schedule is where the clock ends the training."""

# Of the time limit: how often the length is estimated anew.
_EVERY = 0.02


class Horizon:
    """The steps that a schedule is spread over, when `max_seconds` may end training first.

        steps = min(planned, step + (max_seconds - seconds) / pace)

    with the seconds a step that were measured since the second step of this process, validations
    included. It is estimated anew after each fiftieth of the time, so that the rate has come down
    when the time is up.

    Args:
        planned: steps of the whole training, if time were no limit.
        max_seconds: the time limit; 0 for none, and then `steps` stays as planned.
        steps: an estimate to go on from; 0 for none.
    """

    def __init__(self, planned: int, max_seconds: float, steps: float = 0.0):
        self.planned, self.max_seconds = planned, max_seconds
        self.steps = steps or float(planned)
        self._first: tuple[int, float] | None = None
        self._last = 0.0

    def is_due(self, seconds: float) -> bool:
        """Whether it is time for an estimate."""
        return bool(self.max_seconds) and seconds - self._last >= _EVERY * self.max_seconds

    def estimate(self, step: int, seconds: float) -> bool:
        """Estimate `steps` after a step; whether that changed it."""
        self._last = seconds
        if self._first is None:  # the first step compiles, which says nothing about the rest
            self._first = step, seconds
            return False
        before = self.steps
        first, since = self._first
        pace = (seconds - since) / (step - first)
        left = max(self.max_seconds - seconds, 0.0)
        self.steps = min(float(self.planned), step + left / max(pace, 1e-9))
        return self.steps != before
