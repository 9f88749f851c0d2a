"""The position of a training."""

from dataclasses import dataclass, field


@dataclass
class Position:
    """The state of a training apart from the variables; each checkpoint stores it.

    Attributes:
        step: the number of batches so far.
        epoch, index: the epoch and the index of the next batch.
        tokens: the number of labels so far.
        seconds: the time so far, including validation and saving.
        validated: the step of the last validation.
        due: whether a validation is still due at `step`.
        best: the losses and metrics of the best validation, and its step.
        top: the best metric of all validations, if a metric chooses the best one.
        worse: the number of validations since the best one.
        averaged: the steps whose weights the average consists of.
        ending: the reason why training ends at `step`, or "".
        horizon: the length of the schedule in steps, if there is a time limit.
        loss_sum, loss_tokens, logged_tokens, logged_seconds: sums for the next log row.
        reward_sum, rewards: the sum and the number of the rewards for the next log row.
        log: the number of bytes in the log at this position.

    Example:

    >>> import kerasseq
    >>> position = kerasseq.training.Position(step=40, epoch=1, index=8, tokens=900)
    >>> position.current_epoch  # from 1
    2
    """

    step: int = 0
    epoch: int = 0
    index: int = 0
    tokens: int = 0
    seconds: float = 0.0
    validated: int = 0
    due: bool = False
    best: dict = field(default_factory=dict)
    top: float | None = None
    worse: int = 0
    averaged: list[int] = field(default_factory=list)
    ending: str = ""
    horizon: float = 0.0
    loss_sum: float = 0.0
    loss_tokens: float = 0.0
    logged_tokens: int = 0
    logged_seconds: float = 0.0
    reward_sum: float = 0.0
    rewards: int = 0
    log: int = 0

    def make_log_row(self, learning_rate: float) -> dict:
        """Returns the log row of the steps since the last row.

        Args:
            learning_rate: the learning rate of the last step.
        """
        elapsed = max(self.seconds - self.logged_seconds, 1e-9)
        return {
            "kind": "train",
            "step": self.step,
            "epoch": self.current_epoch,
            "loss": self.loss_sum / max(self.loss_tokens, 1e-9),
            **({"reward": self.reward_sum / self.rewards} if self.rewards else {}),
            "learning_rate": learning_rate,
            "tokens": self.tokens,
            "tokens_per_second": round((self.tokens - self.logged_tokens) / elapsed),
            "seconds": round(self.seconds, 1),
        }

    def start_log_row(self) -> None:
        """Resets the sums for the next log row."""
        self.loss_sum = self.loss_tokens = self.reward_sum = 0.0
        self.rewards = 0
        self.logged_tokens, self.logged_seconds = self.tokens, self.seconds

    @property
    def current_epoch(self) -> int:
        """The epoch of the last step, from 1."""
        return self.epoch + (self.index > 0)
