"""The settings of a training: the section `[training]` of a configuration file."""

from dataclasses import dataclass
from typing import Annotated, Literal

from kerasseq.checks import Amount, Checked, Fraction, Positive, Rule, Seed, is_number, whole
from kerasseq.errors import OptionError

Number = Annotated[int, whole(1, 10**9)]
Limit = Annotated[int, whole(0, 10**9)]  # 0: there is none
WarmUp = Annotated[
    float,
    Rule(
        "a share of the training below 1, or a whole number of updates",
        lambda x: is_number(x) and 0 <= x <= 10**9 and (x < 1 or float(x).is_integer()),
    ),
]


@dataclass(frozen=True)
class TrainingConfig(Checked):
    """The settings of a training.

    A step is one batch. An update is one change of the weights, after each `accumulate` steps. A
    number with the default 0 turns its part off: no limit, no clipping, no averaging.

    Raises:
        OptionError: a value is out of its range, or two settings exclude each other.

    Example:

    >>> import kerasseq
    >>> config = kerasseq.training.TrainingConfig(epochs=3, schedule="cosine", warm_up=100)
    >>> config.optimizer, config.learning_rate
    ('adam', 0.001)
    >>> kerasseq.training.TrainingConfig(epochs=0)
    Traceback (most recent call last):
    kerasseq.errors.OptionError: epochs must be a whole number from 1 to 1,000,000,000, not 0.
    """

    seed: Seed = 1
    start_from: str = ""  # a model: training starts from its vocabulary and weights
    encoder_from: str = ""  # a model of any kind: training starts from its encoder
    epochs: Number = 10
    max_steps: Limit = 0
    max_minutes: Amount = 0.0  # of training, summed over all resumed parts

    optimizer: Literal["adam", "adamw"] = "adam"
    learning_rate: Positive = 1e-3  # the peak of the schedule
    schedule: Literal["constant", "inverse_sqrt", "cosine", "linear"] = "constant"
    warm_up: WarmUp = 0.0  # updates; below 1: a share of the training
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: Positive = 1e-8
    weight_decay: Amount = 0.0  # adamw only
    clip_norm: Amount = 0.0  # the largest norm of all gradients together
    accumulate: Number = 1  # steps in an update
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"

    label_smoothing: Fraction = 0.0
    r_drop: Amount = 0.0  # the weight alpha of the divergence between two passes
    doubly_stochastic: Amount = 0.0  # the weight of the penalty on attention

    ema: Fraction = 0.0  # the largest momentum of the weights' moving average, per update
    average_last: Limit = 0  # the number of validations whose weights are averaged

    validate_every: Limit = 0  # steps; 0: after each epoch
    patience: Limit = 0  # validations without a better one, after which training stops
    best_by: Literal["loss", "bleu", "wer", "cider"] = "loss"

    log_every: Number = 50  # steps
    save_every: Number = 500  # steps; each validation and each minute also saves
    keep: Number = 2  # the number of checkpoints to keep
    tensorboard: bool = False

    def __post_init__(self):
        super().__post_init__()
        self._require(
            "weight_decay",
            not self.weight_decay or self.optimizer == "adamw",
            "0 unless optimizer is adamw",
        )
        self._require(
            "r_drop",
            not (self.r_drop and self.doubly_stochastic),
            "0 where doubly_stochastic is not 0: choose one of them",
        )
        self._require(
            "average_last",
            not (self.ema and self.average_last),
            "0 where ema is not 0: choose one average",
        )

    def find_unused(self) -> dict[str, str]:
        return {"encoder_from": "training.start_from brings an encoder"} if self.start_from else {}

    def _require(self, name: str, holds: bool, rule: str) -> None:
        if not holds:
            raise OptionError(name, f"must be {rule}, not {getattr(self, name)}")
