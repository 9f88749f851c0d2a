"""Notices what goes wrong in a training, and says once what to do."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from statistics import fmean, linear_regression, median, pstdev
from typing import Any, NamedTuple

from kerasseq.training import limits
from kerasseq.training.config import TrainingConfig
from kerasseq.training.model_selection import METRICS

# The shares of a training after which a model should write different texts, and should be better
# than one that ignores its source.
_EARLY, _HALF = 0.3, 0.5


class Course(NamedTuple):
    """The course of a training so far.

    Attributes:
        rows: the rows of the log.
        config: the settings of the training.
        step: the number of steps so far.
        planned: the number of steps that the training is going to have.
        share: the part of the training that is over, of its steps or of its time.
        over: whether the training has ended.
    """

    rows: Sequence[Mapping]
    config: TrainingConfig
    step: int
    planned: float
    share: float
    over: bool = False

    def select(self, kind: str, key: str) -> list[Mapping]:
        """Returns the rows of a kind that have a key."""
        return [row for row in self.rows if row["kind"] == kind and row.get(key) is not None]


@dataclass
class Watch:
    """What a training is compared with, so that it notices when it goes wrong.

    `find_advice` reads the log alone. So a resumed training gives the advice of one that was not
    interrupted.

    Args:
        examples: the name of the examples: "recordings".
        different: the number of different texts in the validation part.
        unigram: the cross-entropy of the validation part, in nats a unit, under the frequencies of
            the units in the training part; None for models that do not predict unit by unit.
        constant: for a metric, its value if the model writes one text for all examples, and what
            it writes then: `{"wer": (100.0, "nothing")}`.
        write: returns the texts of a model for some validation examples. It is called if no metric
            needs the texts, until the model writes different ones.
        notes: sentences that are known before the training, by what they are about.

    Attributes:
        texts: the texts of the last validation, if it wrote some.

    Example:

    >>> import kerasseq
    >>> watch = kerasseq.training.Watch("recordings", different=9)
    >>> watch.describe_texts(["", "", ""])
    {'texts': 3, 'different': 1, 'same': ''}
    """

    examples: str = "examples"
    different: int = 0
    unigram: float | None = None
    constant: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    write: Callable[[Any], list[str]] | None = None
    notes: Mapping[str, str] = field(default_factory=dict)
    texts: Sequence[str] | None = None

    def take_texts(self, model: Any, rows: Sequence[Mapping]) -> dict[str, Any]:
        """Returns what a validation's row of the log says of the texts that the model writes."""
        texts, self.texts = self.texts, None
        before = [row for row in rows if "different" in row][-1:]
        if texts is None and self.write and all("same" in row for row in before):
            texts = self.write(model)
        return {} if texts is None else self.describe_texts(texts)

    def describe_texts(self, texts: Sequence[str]) -> dict[str, Any]:
        """Returns the number of texts and of different texts, and the text that is all of them."""
        counts = {"texts": len(texts), "different": len(set(texts))}
        return counts | ({"same": texts[0]} if counts["different"] == 1 < len(texts) else {})

    def find_advice(self, course: Course) -> dict[str, str]:
        """Returns sentences on what goes wrong, by what they are about."""
        advice = dict(self.notes)
        checks = {
            "warm-up": _check_warm_up,
            "plateau": self._check_plateau,
            "baseline": self._check_baseline,
            "overfitting": _check_overfitting,
            "reward": _check_reward,
        }
        for about, check in checks.items():
            # A model that writes one text is no better than the baseline for this reason.
            if about != "baseline" or not advice["plateau"]:
                advice[about] = check(course)
        return {about: text for about, text in advice.items() if text}

    def _check_plateau(self, course: Course) -> str:
        rows = course.select("valid", "different")[-1 if course.over else -2 :]
        same = [row.get("same") for row in rows]
        late = course.over or _is_late(course) and len(rows) == 2
        if not late or not rows or None in same or self.different < 2:
            return ""
        what = "the same text" if len(set(same)) > 1 else quote(same[-1])
        batch = next((f.name for f in fields(course.config) if f.name.startswith("batch_")), "")
        smaller = f"a smaller training.{batch}, " if batch else ""
        return (
            f"The model {'' if course.over else 'still '}writes {what} for each of "
            f"{rows[-1]['texts']:,} {self.examples} after {course.step:,} steps: give it more "
            f"updates ({smaller}more training.epochs), less dropout and augmentation, another "
            "training.learning_rate, or a model to start from."
        )

    def _check_baseline(self, course: Course) -> str:
        if not _is_late(course):
            return ""
        losses = [row["loss"] for row in course.select("valid", "accuracy") if "loss" in row]
        if self.unigram is not None and losses and not min(losses) < self.unigram:
            return (
                f"The validation loss is {min(losses):.3g} nats a unit at best, no better than the "
                f"{self.unigram:.3g} of guessing each unit by its frequency: the model learns "
                "nothing from the source yet; check that sources and texts belong together, train "
                "longer, or set another training.learning_rate."
            )
        for name, (value, what) in self.constant.items():
            values = [row[name] for row in course.select("valid", name)]
            if not values or course.share < _HALF and not course.over:
                continue
            higher = METRICS[name].higher_is_better
            best = max(values) if higher else min(values)
            if (best <= value) if higher else (best >= value):
                return (
                    f"{name.upper()} is {best:.3g} at best in the validations, no better than the "
                    f"{value:.3g} of writing {what} for each of the {self.examples}: train longer, "
                    "or check that the training data are like the validation data."
                )
        return ""


def _is_late(course: Course) -> bool:
    """Returns whether a model should have left the plateau of its beginning."""
    updates = limits.count_updates(course.config, course.planned)
    warm = course.step >= limits.count_warm_up(course.config, updates) * course.config.accumulate
    return course.over or course.share >= _HALF or warm and course.share >= _EARLY


def quote(text: str | None) -> str:
    """Returns a text in quotation marks, shortened, or "nothing" for an empty one."""
    if not text:
        return "nothing"
    return f"“{text}”" if len(text) <= 40 else f"“{text[:37]}…”"


def _check_warm_up(course: Course) -> str:
    steps = course.step if course.over else int(course.planned)
    return limits.warn_of_long_warm_up(course.config, steps, course.over)


def _check_overfitting(course: Course) -> str:
    """Compares the validations since the least loss with it.

    There are at least five of them, the loss is clearly higher than by chance, most of each two of
    them rise, the training loss is lower, and no metric got better meanwhile.
    """
    valid, train = course.select("valid", "loss"), course.select("train", "loss")
    if not valid or any("reward" in row for row in train):
        return ""
    least = min(range(len(valid)), key=lambda i: valid[i]["loss"])
    first, losses = valid[least], [row["loss"] for row in valid[least:]]
    before = next((row for row in train if row["step"] >= first["step"]), None)
    if len(losses) < 6 or before is None or train[-1]["loss"] > 0.95 * before["loss"]:
        return ""
    now, pairs = median(losses[-3:]), list(_pair(losses))
    if now - losses[0] <= max(0.1 * losses[0], 0.02, 4 * _estimate_noise(losses[1:])):
        return ""
    if sum(late > early for early, late in pairs) < 0.8 * len(pairs):
        return ""
    for name, (higher_is_better, _) in METRICS.items():
        values = [row[name] if higher_is_better else -row[name] for row in valid if name in row]
        if values and max(values[-3:]) >= max(values):
            return ""
    chosen = next((row["step"] for row in reversed(valid) if row.get("best")), first["step"])
    return (
        f"Overfitting since epoch {first['epoch']}: the validation loss rose from {losses[0]:.3g} "
        f"to {now:.3g} while the training loss fell from {before['loss']:.3g} to "
        f"{train[-1]['loss']:.3g}; the weights of step {chosen:,} are kept, and more data, more "
        "dropout or a smaller model would bring more than further steps."
    )


def _estimate_noise(values: Sequence[float]) -> float:
    """Returns the standard deviation of values from a straight line."""
    places = range(len(values))
    slope, start = linear_regression(places, values)
    squares = [(value - start - slope * place) ** 2 for place, value in enumerate(values)]
    return (sum(squares) / (len(values) - 2)) ** 0.5


def _pair(values: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Yields each value with each later one."""
    for index, early in enumerate(values):
        for late in values[index + 1 :]:
            yield early, late


def _check_reward(course: Course) -> str:
    rewards = [row["reward"] for row in course.select("train", "reward")]
    third = len(rewards) // 3
    if third < 2 or course.share < _EARLY and not course.over:
        return ""
    first, last = rewards[:third], rewards[-third:]
    noise = max(pstdev(first), pstdev(last)) / third**0.5
    if fmean(last) > fmean(first) + noise:
        return ""
    return (
        f"The reward does not rise: it is {fmean(last):.3g} and was {fmean(first):.3g}; set a "
        "training.learning_rate of a tenth, more training.draws, or start from a model that writes "
        "better texts."
    )
