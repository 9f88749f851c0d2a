"""Where a training stands."""

from dataclasses import dataclass, field


@dataclass
class Position:
    """All that a training goes on from, beside the variables; stored in each checkpoint.

    Attributes:
        step: batches trained on.
        epoch, index: of the next batch.
        tokens: labels trained on.
        seconds: trained, validation and saving included.
        validated: the step of the last validation.
        due: whether a validation is due at `step` still.
        best: the figures of the best validation, its step among them.
        top: the best figure of all validations, if the best one is chosen by a figure.
        worse: validations since the best one.
        averaged: steps whose weights the average is of.
        ending: why training ends at `step`, or nothing.
        horizon: the steps that the schedule is spread over, where time limits them.
        loss_sum, loss_tokens, logged_tokens, logged_seconds: of the log row to come.
        log: bytes of the log that belong to this position.
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
    log: int = 0

    def window(self, learning_rate: float) -> dict:
        """The log row of the steps since the last one; the last step had this learning rate."""
        elapsed = max(self.seconds - self.logged_seconds, 1e-9)
        return {
            "kind": "train",
            "step": self.step,
            "epoch": self.of_epoch,
            "loss": self.loss_sum / max(self.loss_tokens, 1e-9),
            "learning_rate": learning_rate,
            "tokens": self.tokens,
            "tokens_per_second": round((self.tokens - self.logged_tokens) / elapsed),
            "seconds": round(self.seconds, 1),
        }

    def open_window(self) -> None:
        """Begin the log row of the steps to come."""
        self.loss_sum = self.loss_tokens = 0.0
        self.logged_tokens, self.logged_seconds = self.tokens, self.seconds

    @property
    def of_epoch(self) -> int:
        """The epoch that the last step belonged to, from 1."""
        return self.epoch + (self.index > 0)
