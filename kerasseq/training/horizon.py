"""The length of the learning rate's schedule in a training with a time limit."""

# The share of the time limit between two estimates.
_EVERY = 0.02


class Horizon:
    """The number of steps of a schedule, if `max_seconds` may end the training early.

        steps = min(planned, step + (max_seconds - seconds) / pace)

    where `pace` is the mean number of seconds per step since the second step of this process,
    including validations. A new estimate follows after each fiftieth of the time limit, so that
    the learning rate reaches its end when the time is over.

    Args:
        planned: the steps of the whole training without a time limit.
        max_seconds: the time limit; with 0 there is none, and `steps` stays as planned.
        steps: an earlier estimate; 0 for none.
    """

    def __init__(self, planned: int, max_seconds: float, steps: float = 0.0):
        self.planned, self.max_seconds = planned, max_seconds
        self.steps = steps or float(planned)
        self._first: tuple[int, float] | None = None
        self._last = 0.0

    def is_due(self, seconds: float) -> bool:
        """Returns whether it is time for a new estimate."""
        return bool(self.max_seconds) and seconds - self._last >= _EVERY * self.max_seconds

    def estimate(self, step: int, seconds: float) -> bool:
        """Estimates `steps` after a step, and returns whether the estimate changed."""
        self._last = seconds
        if self._first is None:  # the first step includes compilation
            self._first = step, seconds
            return False
        before = self.steps
        first, since = self._first
        pace = (seconds - since) / (step - first)
        left = max(self.max_seconds - seconds, 0.0)
        self.steps = min(float(self.planned), step + left / max(pace, 1e-9))
        return self.steps != before
