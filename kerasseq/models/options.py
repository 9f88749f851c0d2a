"""The options of decoding."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Literal

import numpy as np

from kerasseq.checks import Checked, Weight, WeightShare, check_option, number, whole
from kerasseq.errors import OptionError
from kerasseq.generation import Beam, Greedy, Sample, search_of_width
from kerasseq.generation.beam import Width

# More would take memory and time without end.
_MOST_TOKENS, _LONGEST_NGRAM = 1_000_000, 20


@dataclass(frozen=True)
class Options(Checked):
    """The options of decoding.

    One rule holds everywhere, in Python and on the command line. Without options a model decodes as
    its card says under "decoding", which is how it was measured. A model whose card says nothing
    uses `Options()`, beam search of width 5, whatever kind of model it is. Options of the command
    line and keywords of `generate` replace single ones of these. An option without effect is
    refused.

    Attributes:
        strategy: `Greedy`, `Beam` or `Sample`.
        min_length: the least number of tokens. A text is shorter where `no_repeat` leaves no other.
        max_length: the greatest number of tokens, the end symbol included. Default: twice the
            source's steps and 10, or as many as `min_length` needs.
        no_repeat: no n-gram of this length comes twice; 0 allows all.
        precision: None, or "bfloat16", which rounds the operands of the product that makes the
            logits, while sums stay in float32. Faster on JAX; few texts change.
        lm_weight: weight of the log-probabilities of the model's language model; 0 leaves it out.
        ctc_weight: weight of CTC's log-probabilities in models that have both CTC and a decoder,
            which has the rest. 0 leaves out CTC, and 1 the decoder.
        length_bonus: nats for each token, in CTC and transducers, which have no length penalty.

    Raises:
        UserError: a number is out of its range, or there is no such strategy or precision.

    Example:

    >>> import kerasseq
    >>> options = kerasseq.Options(kerasseq.Beam(4, n_best=2), max_length=20)
    >>> options.strategy.width, options.max_length
    (4, 20)
    >>> kerasseq.Options(max_length=0)
    Traceback (most recent call last):
    ...
    kerasseq.errors.OptionError: max_length must be a whole number from 1 to 1,000,000 or None, not
    0.
    """

    strategy: Greedy | Beam | Sample = Beam(5)
    min_length: Annotated[int, whole(0, _MOST_TOKENS)] = 0
    max_length: Annotated[int, whole(1, _MOST_TOKENS)] | None = None
    no_repeat: Annotated[int, whole(0, _LONGEST_NGRAM)] = 0
    precision: Literal["bfloat16"] | None = None
    lm_weight: Weight = 0.0
    ctc_weight: WeightShare = 0.3
    length_bonus: Annotated[float, number(-1e3, 1e3)] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_length is not None and self.min_length >= self.max_length:
            raise OptionError(
                "min_length",
                f"is {self.min_length}, which leaves no room for the end symbol: set "
                f"{{max_length}} above it, not to {self.max_length}",
            )

    def length_for(self, steps: Any) -> Any:
        """Returns the greatest number of tokens for sources with that many steps."""
        if self.max_length is not None:
            return 0 * steps + self.max_length
        return np.maximum(2 * steps + 10, self.min_length + 1)

    def changed_names(self) -> set[str]:
        """Returns the names of the options that differ from the defaults, as `parse_options` takes
        them.
        """
        strategy = self.strategy
        names = {"sample"} if isinstance(strategy, Sample) else set()
        for one, plain in ((self, Options()), (strategy, type(strategy)())):
            names |= {
                field.name
                for field in fields(one)
                if getattr(one, field.name) != getattr(plain, field.name)
            }
        return names - {"strategy", "width"}

    def without(self, names: Iterable[str]) -> "Options":
        """Returns these options with some at their defaults."""
        plain = {field.name: field.default for field in fields(self)}
        parts = {field.name: field.default for field in fields(self.strategy)}
        strategy = replace(self.strategy, **{n: parts[n] for n in names if n in parts})
        return replace(self, strategy=strategy, **{n: plain[n] for n in names if n in plain})


_OWN = tuple(field.name for field in fields(Options) if field.name != "strategy")
_OF_BEAMS = tuple(field.name for field in fields(Beam) if field.name != "width")
_OF_SAMPLES = tuple(field.name for field in fields(Sample))
NAMES = ("beam", *_OF_BEAMS, "sample", *_OF_SAMPLES, *_OWN)
"""All options by their names."""

CARD_NAMES = ("beam", *(name for name in _OF_BEAMS if name != "n_best"), *_OWN)
"""The options that a card may have under "decoding"."""


def parse_options(given: Mapping[str, Any], usual: Mapping[str, Any]) -> Options:
    """Makes options of names: "beam" for a width, 1 being greedy; "sample"; fields of strategies.

    Args:
        given: the options to set. Each must have an effect beside the others.
        usual: the options that hold otherwise. One without effect beside `given` falls away.

    Raises:
        OptionError: one is unknown, out of its range, or of another strategy.
    """
    for name in given:
        if name not in NAMES:
            raise OptionError(name, f"is no option of decoding; there are {', '.join(NAMES)}")
    settings = {**usual, **given}
    beam, sample = settings.get("beam", Beam().width), given.get("sample", False)
    check_option("beam", beam, Width)
    check_option("sample", sample, bool)
    if sample:
        _check_places(
            given, ("beam", *_OF_BEAMS), "goes with beam search: leave it or {sample} out"
        )
        own, strategy = _OF_SAMPLES, Sample()
    else:
        _check_places(given, _OF_SAMPLES, "goes with {sample}: add that or leave it out")
        if beam == 1:
            _check_places(given, _OF_BEAMS, "goes with beam search: set {beam} to 2 or more")
        own, strategy = _OF_BEAMS if beam > 1 else (), search_of_width(beam)
    strategy = replace(strategy, **{name: settings[name] for name in own if name in settings})
    return Options(strategy, **{name: settings[name] for name in _OWN if name in settings})


def _check_places(given: Mapping[str, Any], names: Iterable[str], reason: str) -> None:
    for name in names:
        if name in given:
            raise OptionError(name, reason)
