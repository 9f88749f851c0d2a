"""Loading a model from a file, which may be a stranger's."""

import importlib
import math
from pathlib import Path
from typing import Any

import keras

from kerasseq.archive import unpack_model
from kerasseq.encoders import Chain
from kerasseq.errors import FileError, UserError
from kerasseq.language_model import NGram
from kerasseq.models.allowance import limit_layers
from kerasseq.models.base import SequenceModel
from kerasseq.models.confidence import CARD_NAME, Calibration
from kerasseq.preprocessing.base import Preprocessor
from kerasseq.presets import find_model, read_calibration

# Keras finds classes once they are imported.
_PACKAGES = ("acoustics", "backbones", "encoders", "language_model", "preprocessing")

# The most that a card may ask of a search, so that memory and time are bounded.
_MOST_BEAMS, _MOST_TOKENS = 100, 10_000

# The shortest that the longest training recording may be; recordings are cut into such parts.
_LEAST_SECONDS = 0.1

_MOST_CHARACTERS = 300


def load(model: str | Path) -> SequenceModel:
    """Loads a model.

    The contents of the file are checked before anything is built from them, so a file from a
    stranger is safe to load.

    Args:
        model: a `.keras` file, a run folder, or the name of a preset.

    Raises:
        UserError: there is no such file or preset.
        FileError: the file is damaged, holds no model of this library with its preprocessor, or
            its parts do not fit each other.

    Example:

    >>> import kerasseq
    >>> model = kerasseq.load("multi30k-en-de")
    >>> model.generate(["A man is riding a bicycle."])
    ['Ein Mann fährt Fahrrad.']
    """
    path = find_model(model)
    for part in _PACKAGES:
        importlib.import_module(f"kerasseq.{part}")
    with unpack_model(path) as archive:
        _check_kind(archive.config, path)
        try:
            # A quantized model is made as others are first.
            with limit_layers(archive.weights.groups, 2 * archive.weights.numbers):
                loaded = keras.saving.load_model(str(archive.folder), compile=False)
        except Exception as error:  # what Keras raises on a damaged file is of no one kind
            raise FileError(path, f"cannot be loaded: {_find_reason(error)}") from error
        if sum(math.prod(weight.shape) for weight in loaded.weights) != archive.weights.numbers:
            raise FileError(path, "it has weights of layers that its configuration lacks")
    if CARD_NAME not in loaded.card and (calibration := read_calibration(path)):
        loaded.card = {**loaded.card, CARD_NAME: calibration}
    try:
        _check_parts(loaded)
        _check_card(loaded)
    except UserError as error:
        raise FileError(path, _strip_period(str(error))) from error
    return loaded


def _check_kind(config: dict, path: str | Path) -> None:
    """Checks that a configuration is that of one of our models, before it is built."""
    kind = keras.saving.get_registered_object(str(config.get("registered_name")))
    if not (isinstance(kind, type) and issubclass(kind, SequenceModel)):
        raise FileError(path, f"holds a {config.get('class_name')}, not a model of kerasseq")


def _check_parts(model: SequenceModel) -> None:
    """Checks that a model's parts are there, loaded, and made for each other."""
    preprocessor, encoder = model.preprocessor, model.encoder
    if preprocessor is None:
        raise UserError("the model was saved without its preprocessor; save it with one")
    if not isinstance(preprocessor, Preprocessor):
        raise UserError(f"a {type(preprocessor).__name__} is no preprocessor")
    preprocessor.check()
    if model.language_model is not None:
        if not isinstance(model.language_model, NGram):
            raise UserError(f"a {type(model.language_model).__name__} is no language model")
        model.language_model.check()
    frontend = getattr(model, "frontend", None)
    if frontend is not None and frontend.vocabulary_size != preprocessor.source_vocabulary_size:
        raise UserError("its embeddings are not those of its source vocabulary")
    for part in ("decoder", "joiner", "language_model"):
        _check_size(getattr(model, part, None), preprocessor.target_vocabulary_size)
    _check_size(model, preprocessor.target_vocabulary_size)
    first = encoder.layers[0] if isinstance(encoder, Chain) else encoder
    for fact in ("rate", "size"):
        ours, theirs = getattr(first, fact, None), getattr(preprocessor, fact, None)
        if None not in (ours, theirs) and ours != theirs:
            raise UserError(f"its encoder has a {fact} of {ours}, its preprocessor of {theirs}")


def _check_size(part: Any, size: int) -> None:
    own = getattr(part, "vocabulary_size", size)
    if own != size:
        raise UserError(
            f"its {type(part).__name__} writes {own} tokens, but its target vocabulary has {size}"
        )


def _check_card(model: SequenceModel) -> None:
    """Checks the entries of a card that change what a model does."""
    Calibration.from_card(model.card)
    longest = model.card.get("longest", _LEAST_SECONDS)
    if not isinstance(longest, int | float) or not longest >= _LEAST_SECONDS:
        raise UserError(f"its card names {longest!r} as the longest recording, in seconds")
    if "decoding" not in model.card:
        return
    try:
        options = model.options()
        lengths = (options.min_length, options.max_length or 0, options.no_repeat)
        within_bounds = options.strategy.width <= _MOST_BEAMS and max(lengths) <= _MOST_TOKENS
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError(f"its card names wrong options: {_find_reason(error)}") from error
    if not within_bounds:
        raise UserError("its card asks for more beams or tokens than any search needs")


def _find_reason(error: BaseException) -> str:
    """Returns the first cause of an error, in one line."""
    chain = [error]
    while below := chain[-1].__cause__ or chain[-1].__context__:
        chain.append(below)
    first = next((one for one in chain if isinstance(one, UserError)), chain[-1])
    text = f"it lacks {first}" if isinstance(first, KeyError) else str(first).strip()
    if text.startswith("A total of "):  # Keras's list of failures, with an example at the end
        text = text.split("\n\n")[1]
    line = text.split("\n")[0] or type(first).__name__
    return _strip_period(line if len(line) <= _MOST_CHARACTERS else line[:_MOST_CHARACTERS] + "...")


def _strip_period(sentence: str) -> str:
    return sentence.removesuffix(".")
