"""How to train: one frozen dataclass, the section `[training]` of a configuration file."""

from dataclasses import dataclass
from typing import Literal

from kerasseq.errors import UserError


@dataclass(frozen=True)
class TrainingConfig:
    """Every choice about the training of a model.

    A step is one batch; an update is one change of the weights, every `accumulate` steps. A number
    that is 0 by default turns its part off: no limit, no clipping, no averaging.
    """

    seed: int = 1
    start_from: str = ""  # a model whose vocabulary and weights to begin with
    encoder_from: str = ""  # a model, of any kind, whose encoder's weights to begin with
    epochs: int = 10
    max_steps: int = 0
    max_minutes: float = 0.0  # of training, summed over resumed parts

    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: float = 1e-3  # the highest that the schedule reaches
    schedule: Literal["constant", "inverse_sqrt", "cosine", "linear"] = "constant"
    warm_up: int = 0  # updates
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0  # adamw only
    clip_norm: float = 0.0  # of all gradients together
    accumulate: int = 1  # batches to an update
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"

    label_smoothing: float = 0.0
    r_drop: float = 0.0  # the weight alpha of the two passes' divergence
    doubly_stochastic: float = 0.0  # the weight of attention that misses places, or sees them twice

    ema: float = 0.0  # greatest momentum of the weights' moving average, for each update
    average_last: int = 0  # validations whose weights are averaged

    validate_every: int = 0  # steps; 0: after each epoch
    patience: int = 0  # validations without a better one before training stops
    best_by: Literal["loss", "bleu", "wer", "cider"] = "loss"

    log_every: int = 50  # steps
    save_every: int = 500  # steps; each validation and each minute saves as well
    keep: int = 2  # checkpoints
    tensorboard: bool = False

    def __post_init__(self):
        for name in ("epochs", "accumulate", "log_every", "save_every", "keep"):
            self._must(name, getattr(self, name) >= 1, "at least 1")
        self._must("seed", 0 <= self.seed < 2**32, "at least 0 and below 2 ** 32")
        for name in (
            *("max_steps", "max_minutes", "warm_up", "weight_decay", "clip_norm", "r_drop"),
            *("doubly_stochastic", "average_last", "validate_every", "patience"),
        ):
            self._must(name, getattr(self, name) >= 0, "at least 0")
        for name in ("learning_rate", "epsilon"):
            self._must(name, getattr(self, name) > 0, "above 0")
        for name in ("beta_1", "beta_2", "ema", "label_smoothing"):
            self._must(name, 0 <= getattr(self, name) < 1, "at least 0 and below 1")
        self._must(
            "weight_decay",
            not self.weight_decay or self.optimizer == "adamw",
            "0 unless optimizer is adamw",
        )
        self._must(
            "r_drop",
            not (self.r_drop and self.doubly_stochastic),
            "0 where doubly_stochastic is not 0: choose one of them",
        )
        self._must(
            "average_last",
            not (self.ema and self.average_last),
            "0 where ema is not 0: choose one average",
        )

    def idle(self) -> dict[str, str]:
        return {"encoder_from": "training.start_from brings an encoder"} if self.start_from else {}

    def _must(self, name: str, holds: bool, what: str) -> None:
        if not holds:
            raise UserError(f"training.{name} must be {what}, not {getattr(self, name)}")
