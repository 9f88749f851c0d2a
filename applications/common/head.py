"""What a head does in its own way, for the training that all heads share."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import keras

from kerasseq.applications.common.evaluation import Evaluation
from kerasseq.applications.common.parts import Parts, read_some
from kerasseq.applications.common.preparation import Prepared
from kerasseq.models import SequenceModel
from kerasseq.training import Position, Run


class Head(ABC):
    """A head with the configuration and the examples of a run.

    Args:
        config: the whole configuration.
        parts: the examples.

    Attributes:
        task: the task, for the model's card.
        reads: what its models read: "text", "sound" or "picture".
        examples: what its examples are called: "pairs", "recordings".
        evaluate: measures a model on a corpus, as the command `evaluate` does.
        read_encoder: returns the settings of a model's encoder, given the configuration; see
            `adopt_encoder`.
        report: says and draws what a model learned, and names the commands to go on with; it gets
            the model, the parts, the run, the scores and what prints a text.
        follow: follows the training in place of what it shows; see `fit`.
        data_folder: holds the encoded data; by default the folder "data" of the run.
    """

    task: ClassVar[str]
    reads: ClassVar[str]
    examples: ClassVar[str]
    evaluate: ClassVar[Callable[[SequenceModel, Any], Evaluation]]
    read_encoder: ClassVar[Callable[[Any, SequenceModel], dict[str, Any]]]
    report: ClassVar[Callable[[SequenceModel, Parts, Run, dict, Callable[[str], None]], None]]
    follow: Callable[[Position, float], None] | None = None
    data_folder: Path | None = None

    def __init__(self, config: Any, parts: Parts):
        self.config, self.parts = config, parts

    @abstractmethod
    def learn_preprocessor(self) -> Any:
        """Returns a preprocessor with the vocabulary of the training part."""

    @abstractmethod
    def build(self, preprocessor: Any) -> SequenceModel:
        """Returns the model of the configuration."""

    @abstractmethod
    def prepare(self, model: SequenceModel, folder: Path, resume: bool) -> Prepared:
        """Encodes the data in a folder for a model, and gives the model what needs no training.

        Raises:
            UserError: a run is resumed, but with other examples.
        """

    @abstractmethod
    def describe_data(self, data: Prepared) -> str:
        """Returns how much there is to train on."""

    @abstractmethod
    def describe_model(self, model: SequenceModel) -> str:
        """Returns what distinguishes a model beside its kind and its parameters."""

    @abstractmethod
    def write(self, model: SequenceModel, most: int | None = None) -> list[str]:
        """Returns the texts that a model writes for the validation part, by greedy decoding.

        Args:
            most: the greatest number of examples; None for all.
        """

    @abstractmethod
    def list_references(self, preprocessor: Any) -> list[list[str]]:
        """Returns the normalised texts of each example of the validation part."""

    @abstractmethod
    def score(self, preprocessor: Any, texts: list[str]) -> dict[str, float]:
        """Returns figures of texts for the validation part, by which weights may be chosen."""

    def iterate_texts(self) -> Iterator[dict[str, str]]:
        """Yields the texts of the training part, each by its side, "source" or "target"."""
        return ({"target": text} for text in self.parts.train.texts())

    def describe(self, model: SequenceModel, data: Prepared) -> Iterator[str]:
        """Yields lines on what is trained."""
        settings = self.config.model
        encoder = f" on {settings.encoder.kind}" if hasattr(settings, "encoder") else ""
        kind = self.config.training.start_from or settings.kind + encoder
        yield f"Data    {self.parts.name}: {self.describe_data(data)} to train on"
        yield (f"Model   {kind}, {model.count_params():,} parameters, {self.describe_model(model)}")
        yield f"Plan    {len(data.epochs.plan):,} steps an epoch, on {keras.backend.backend()}"

    def make_card(self, before: dict) -> dict:
        """Returns the entries of the model's card on the data and on decoding.

        Args:
            before: the card of the model to start from.
        """
        return {
            "data": self.parts.name,
            "licence": self.parts.licence,
            "decoding": asdict(self.config.decoding),
        }

    def calibrate(self, model: SequenceModel) -> dict[str, Any]:
        """Returns further entries of the model's card, of its final weights on validation data."""
        return {}

    def check_test_part(self, *how: Any) -> None:
        """Reads an example of the test part, so that errors show before the training.

        Args:
            how: how to read it, see `Examples.reader`.

        Raises:
            UserError: no example can be read.
        """
        if self.parts.test is not None:
            read_some(self.parts.test, 1, *how)
