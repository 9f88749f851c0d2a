"""How to train: one frozen dataclass, the section `[training]` of a configuration file."""

from dataclasses import dataclass
from typing import Annotated, Literal

from kerasseq.checks import Amount, Checked, Fraction, Positive, Seed, whole
from kerasseq.errors import OptionError

Number = Annotated[int, whole(1, 10**9)]
Limit = Annotated[int, whole(0, 10**9)]  # 0: there is none


@dataclass(frozen=True)
class TrainingConfig(Checked):
    """Every choice about the training of a model.

    A step is one batch; an update is one change of the weights, every `accumulate` steps. A number
    that is 0 by default turns its part off: no limit, no clipping, no averaging.
    """

    seed: Seed = 1
    start_from: str = ""  # a model whose vocabulary and weights to begin with
    encoder_from: str = ""  # a model, of any kind, whose encoder's weights to begin with
    epochs: Number = 10
    max_steps: Limit = 0
    max_minutes: Amount = 0.0  # of training, summed over resumed parts

    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: Positive = 1e-3  # the highest that the schedule reaches
    schedule: Literal["constant", "inverse_sqrt", "cosine", "linear"] = "constant"
    warm_up: Limit = 0  # updates
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: Positive = 1e-8
    weight_decay: Amount = 0.0  # adamw only
    clip_norm: Amount = 0.0  # of all gradients together
    accumulate: Number = 1  # batches to an update
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"

    label_smoothing: Fraction = 0.0
    r_drop: Amount = 0.0  # the weight alpha of the two passes' divergence
    doubly_stochastic: Amount = 0.0  # weight of attention that misses places or sees them twice

    ema: Fraction = 0.0  # greatest momentum of the weights' moving average, for each update
    average_last: Limit = 0  # validations whose weights are averaged

    validate_every: Limit = 0  # steps; 0: after each epoch
    patience: Limit = 0  # validations without a better one before training stops
    best_by: Literal["loss", "bleu", "wer", "cider"] = "loss"

    log_every: Number = 50  # steps
    save_every: Number = 500  # steps; each validation and each minute saves as well
    keep: Number = 2  # checkpoints
    tensorboard: bool = False

    def __post_init__(self):
        super().__post_init__()
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
            raise OptionError(name, f"must be {what}, not {getattr(self, name)}")
