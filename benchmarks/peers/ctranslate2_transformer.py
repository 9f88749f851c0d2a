"""A kerasseq Transformer's weights as a CTranslate2 model, by CTranslate2's own specification."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from ctranslate2.specs import TransformerSpec

from kerasseq.embedding import sinusoidal_positions

# CTranslate2 knows tokens by name; the first four ids are kerasseq's special ones.
SPECIAL = ["<blank>", "<unk>", "<s>", "</s>"]
POSITIONS = 1024


def tokens(ids: Iterable[int]) -> list[str]:
    """The names of ids in a converted model."""
    return [SPECIAL[i] if i < len(SPECIAL) else str(i) for i in ids]


def convert(model, folder: Path, quantization: str | None = None) -> None:
    """Write `model`, a `Seq2Seq` of pre-norm Transformers with tied embeddings, to `folder`."""
    encoder, decoder = model.encoder, model.decoder
    spec = TransformerSpec.from_config(
        (len(encoder.layers), len(decoder.layers)), decoder.settings.heads, pre_norm=True
    )
    for side, frontend, name in (
        (spec.encoder, model.frontend, "source"),
        (spec.decoder, decoder.embedding, "target"),
    ):
        vocabulary = tokens(range(frontend.vocabulary_size))
        getattr(spec, f"register_{name}_vocabulary")(vocabulary)
        embeddings = side.embeddings[0] if name == "source" else side.embeddings
        embeddings.weight = _array(frontend.embeddings)
        side.position_encodings.encodings = sinusoidal_positions(POSITIONS, frontend.width)
    spec.decoder.projection.weight = _array(decoder.embedding.embeddings)
    _norm(spec.encoder.layer_norm, encoder.norm)
    _norm(spec.decoder.layer_norm, decoder.norm)
    for layer, ours in zip(spec.encoder.layer, encoder.layers, strict=True):
        _self_attention(layer.self_attention, ours.attention, ours.attention_norm)
        _feed_forward(layer.ffn, ours)
    for layer, ours in zip(spec.decoder.layer, decoder.layers, strict=True):
        _self_attention(layer.self_attention, ours.self_attention, ours.self_norm)
        _cross_attention(layer.attention, ours.cross_attention, ours.cross_norm)
        _feed_forward(layer.ffn, ours)
    spec.config.unk_token, spec.config.bos_token, spec.config.eos_token = SPECIAL[1:]
    spec.config.decoder_start_token = SPECIAL[2]
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True)
    spec.save(str(folder))


def _array(value) -> np.ndarray:
    return np.ascontiguousarray(value, dtype="float32")


def _norm(spec, layer) -> None:
    spec.gamma, spec.beta = _array(layer.gamma), _array(layer.beta)


def _linear(spec, *layers) -> None:
    """Dense layers side by side as one of CTranslate2's, which stores the transpose."""
    spec.weight = _array(np.concatenate([np.array(layer.kernel) for layer in layers], axis=1).T)
    spec.bias = _array(np.concatenate([np.array(layer.bias) for layer in layers]))


def _self_attention(spec, attention, norm) -> None:
    _norm(spec.layer_norm, norm)
    _linear(spec.linear[0], attention.query, attention.key_value)
    _linear(spec.linear[1], attention.output_projection)


def _cross_attention(spec, attention, norm) -> None:
    _norm(spec.layer_norm, norm)
    _linear(spec.linear[0], attention.query)
    _linear(spec.linear[1], attention.key_value)
    _linear(spec.linear[2], attention.output_projection)


def _feed_forward(spec, layer) -> None:
    _norm(spec.layer_norm, layer.feed_forward_norm)
    _linear(spec.linear_0, layer.feed_forward.enter)
    _linear(spec.linear_1, layer.feed_forward.leave)
