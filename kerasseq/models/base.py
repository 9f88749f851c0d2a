"""The base of all models: raw input to text, in one file."""

import json
import threading
from typing import Any

import keras

from kerasseq.checks import Amount, Fraction, abbreviate, check_option
from kerasseq.errors import OptionError, UserError
from kerasseq.masking import Memory
from kerasseq.models.functions import Functions
from kerasseq.models.inputs import require_inputs
from kerasseq.models.raw_training import RawTraining
from kerasseq.models.summary import output_shapes, part_shapes
from kerasseq.models.text_generation import TextGeneration
from kerasseq.models.token_alignment import TokenAlignment
from kerasseq.precision import dtype_policy_scope
from kerasseq.serialization import deserialize_arguments

LANGUAGE_MODEL = "language_model"
"""The name of the part and of the scorer."""

# The options of the loss in `compile`: their defaults, and their kinds.
_OF_LOSSES = {
    "label_smoothing": 0.0,
    "r_drop": 0.0,
    "doubly_stochastic": 0.0,
    "on_policy": False,
}
_KINDS = {"label_smoothing": Fraction, "on_policy": bool}

# One at a time makes the place where a model's functions are kept.
_making = threading.Lock()

# Parts that hold more than configurations and weights.
_ASSETS = ("preprocessor", LANGUAGE_MODEL)


class SequenceModel(TextGeneration, TokenAlignment, RawTraining, keras.Model):
    """Base of the models: an encoder, layers that make text of its memory, and a preprocessor.

    A subclass names its layers in `parts`. They are arguments of its constructor, attributes, and
    all of its configuration but the card. It names the options of `compile` that its loss has in
    `loss_options`.

    Args:
        preprocessor: raw inputs to features, and token ids to text; saved with the model.
        language_model: None, or an `NGram` of the units of its texts; saved with the model.
        card: the origin of the model and its scores, as JSON can hold them; saved with the model.

    Example:

    >>> import kerasseq
    >>> from kerasseq.models import SequenceModel
    >>> issubclass(kerasseq.CTC, SequenceModel), kerasseq.CTC.parts
    (True, ('encoder', 'preprocessor', 'language_model'))
    """

    parts: tuple[str, ...] = ()
    loss_options: tuple[str, ...] = ()
    vocabulary_size: int

    def __init__(
        self,
        preprocessor: Any = None,
        language_model: Any = None,
        card: dict | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.preprocessor, self.language_model = preprocessor, language_model
        self.card = card or {}
        for name, value in _OF_LOSSES.items():
            setattr(self, name, value)
        self.quantization: str | None = None
        self._functions: Functions | None = None

    @property
    def card(self) -> dict:
        """The origin of the model and its scores."""
        return json.loads(self._card)

    @card.setter
    def card(self, card: dict) -> None:
        if not isinstance(card, dict):
            raise UserError(f"A model's card must be a dict, not {abbreviate(card)}.")
        try:
            # In JSON, since Keras wraps a dict that is an attribute.
            self._card = json.dumps(card)
        except (TypeError, ValueError) as error:
            raise UserError(f"A model's card must be what JSON can hold: {error}.") from error

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: None = None,
        loss_weights: None = None,
        *,
        label_smoothing: float = 0.0,
        r_drop: float = 0.0,
        doubly_stochastic: float = 0.0,
        on_policy: bool = False,
        **kwargs: Any,
    ):
        """Compiles as `keras.Model.compile` does, but with the model's own loss, which has options.

        Args:
            loss, loss_weights: None.
            label_smoothing: weight of the uniform distribution in the target's
                (Szegedy et al., 2016, section 7).
            r_drop: weight of the divergence between two passes with different dropout
                (`losses.r_drop`; in CTC `transduction.ctc_consistency`).
            doubly_stochastic: weight of `losses.doubly_stochastic` of the decoder's attention.
            on_policy: the labels are samples of the model itself and the sample weights their
                advantages. The loss is that of a policy gradient, which has none of the other
                options.

        Raises:
            UserError: there is another loss, an option is out of its range, the model's loss has no
                such option, or two exclude each other.
        """
        options = dict(
            label_smoothing=label_smoothing,
            r_drop=r_drop,
            doubly_stochastic=doubly_stochastic,
            on_policy=on_policy,
        )
        self._check_trainable()
        for name, value in (("loss", loss), ("loss_weights", loss_weights)):
            if value is not None:
                raise OptionError(
                    name, f"is not for a {type(self).__name__}, whose loss is its own"
                )
        for name, value in options.items():
            check_option(name, value, _KINDS.get(name, Amount))
        wanted = [name for name, value in options.items() if value]
        for name in wanted:
            if name not in self.loss_options:
                raise UserError(
                    f"training.{name} is {options[name]}, but the loss of a {type(self).__name__} "
                    "has no such part: set it to 0."
                )
        # Each changes the loss in a way that the other does not include.
        apart = ("r_drop", "doubly_stochastic") if not on_policy else tuple(_OF_LOSSES)
        both = [name for name in wanted if name in apart]
        if len(both) > 1:
            raise UserError(
                f"training.{both[0]} and {both[1]} do not go together: set one of them to 0."
            )
        for name, value in options.items():
            setattr(self, name, value)
        super().compile(optimizer, **kwargs)

    def summary(self, *args: Any, **kwargs: Any) -> None:
        """Prints the parts as `keras.Model.summary` does, with their output shapes."""
        with output_shapes(part_shapes(self)):
            super().summary(*args, **kwargs)

    @property
    def functions(self) -> Functions:
        """The compiled functions of the layers that the model has now."""
        layers = self.get_computing_parts()
        with _making:
            if self._functions is None or not self._functions.belong_to(layers):
                self._functions = Functions(self.variables, layers)
            return self._functions

    def get_computing_parts(self) -> list:
        """Returns the parts that compute in compiled functions, and the quantization."""
        # No property: Keras saves the layers that it finds by one under the property's name.
        names = [name for name in (*self.parts, "head") if name not in _ASSETS]
        return [*(getattr(self, name, None) for name in names), self.quantization]

    def require_preprocessor(self) -> Any:
        """Returns the preprocessor.

        Raises:
            UserError: the model has none, or one of other units.
        """
        if self.preprocessor is None:
            raise UserError("A model without a preprocessor cannot read or write text.")
        self._check_vocabularies()
        return self.preprocessor

    def _finish(self) -> None:
        """Ends a subclass's constructor: its layers are built and fit each other."""
        self.built = True
        self._check_vocabularies()

    def _check_vocabularies(self) -> None:
        read, written = getattr(self._own_frontend(), "vocabulary_size", None), self.vocabulary_size
        for does, own, part, of in (
            ("reads", read, "preprocessor", "source_vocabulary_size"),
            ("writes", written, "preprocessor", "target_vocabulary_size"),
            ("writes", written, "language_model", "vocabulary_size"),
        ):
            size = getattr(getattr(self, part), of, None)
            if None not in (own, size) and own != size:
                raise UserError(
                    f"The {type(self).__name__} {does} {own} units, but its "
                    f"{part.replace('_', ' ')} knows {size}: make both for one vocabulary."
                )

    def encode(self, features: dict, training: bool = False) -> Memory:
        """Encodes features ("values", "mask") into the encoder's memory.

        Raises:
            UserError: a feature is missing, or the encoder returns no `Memory`.
        """
        values, mask = require_inputs(features, "values", "mask")
        frontend = self._own_frontend()
        if frontend is not None:
            values = frontend(values, training=training)
        memory = self.encoder(values, mask, training=training)
        if not isinstance(memory, Memory):
            raise UserError(
                f"The encoder {type(self.encoder).__name__} must return a Memory(values, mask), "
                f"not {abbreviate(memory)}."
            )
        return memory

    def _own_frontend(self) -> Any:
        # Not an attribute of the class, which on PyTorch would hide a model's own; nor a property.
        return getattr(self, "frontend", None)

    @property
    def factor(self) -> int:
        """Steps of the encoder's input to a step of its memory."""
        return getattr(self.encoder, "factor", 1)

    @property
    def margin(self) -> int:
        """Steps of the encoder's input by which its memory begins before the input."""
        return getattr(self.encoder, "margin", 0)

    def quantize(self, mode: Any = None, config: Any = None, filters: Any = None) -> None:
        """Round the kernels of the dense layers to 8 bits, for a smaller file.

        The model can be used, saved and loaded, but not trained further. Kernels that a search
        reads by themselves, those of the logits, stay as they are, and so do embeddings and the
        kernels of recurrent layers and convolutions.

        Args:
            mode: "int8".
            config: Keras makes it of the mode; one of other quantizers is refused.
            filters: none; the choice of layers is fixed.

        Raises:
            UserError: another mode or a choice of layers is asked for, or the model is quantized.
        """
        plain = keras.quantizers.Int8QuantizationConfig().get_config()
        if mode != "int8" or config.get_config() != plain or filters or self.quantization:
            raise UserError(
                'A model is quantized once and as a whole: quantize("int8") is all that there is.'
            )
        super().quantize(mode, config, _is_quantized)
        self.quantization = mode

    def with_dtype_policy(self, policy: str | keras.dtype_policies.DTypePolicy) -> "SequenceModel":
        """Returns a copy of the model, with weights of its own, for another dtype policy.

        Args:
            policy: for example "mixed_bfloat16".

        Raises:
            UserError: the model is quantized.
        """
        self._check_trainable()
        policy = keras.dtype_policies.serialize(keras.dtype_policies.get(policy))
        config = {**_without_dtypes(self.get_config()), "dtype": policy}
        twin = self.from_config({**config, **dict.fromkeys(_ASSETS)})
        for name in _ASSETS:
            setattr(twin, name, getattr(self, name))
        twin.set_weights(self.get_weights())
        return twin

    def get_compile_config(self) -> dict | None:
        config = super().get_compile_config()
        if config:
            config |= {name: getattr(self, name) for name in _OF_LOSSES}
        return config

    def compile_from_config(self, config: dict) -> None:
        if config:
            self.compile(**keras.saving.deserialize_keras_object(config))
            self.optimizer.build(self.trainable_variables)

    def _check_trainable(self) -> None:
        if self.quantization:
            raise UserError(
                "A quantized model cannot be trained: start from the one that it was made of."
            )

    def get_config(self) -> dict:
        parts = {key: keras.saving.serialize_keras_object(getattr(self, key)) for key in self.parts}
        more = {"quantization": self.quantization} if self.quantization else {}
        return {**super().get_config(), **parts, "card": self.card, **more}

    @classmethod
    def from_config(cls, config: dict) -> "SequenceModel":
        quantization = config.get("quantization")
        config = {key: value for key, value in config.items() if key != "quantization"}
        # Layers within layers take the policy that is set while they are made, not the file's.
        with dtype_policy_scope(keras.dtype_policies.get(config["dtype"])):
            model = cls(**deserialize_arguments(config, *cls.parts))
        if quantization:
            model.quantize(quantization)
        return model


def _is_quantized(layer: keras.layers.Layer) -> bool:
    """Whether a layer's kernel becomes int8."""
    dense = isinstance(layer, keras.layers.Dense) and layer.quantization_mode is None
    return dense and layer.name != "logits"


def _without_dtypes(config: Any) -> Any:
    """A configuration whose layers take the policy that is set while they are made."""
    if isinstance(config, dict):
        return {key: _without_dtypes(item) for key, item in config.items() if key != "dtype"}
    return [_without_dtypes(item) for item in config] if isinstance(config, list) else config
