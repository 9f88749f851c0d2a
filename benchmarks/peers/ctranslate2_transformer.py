"""Conversion of a kerasseq Transformer to a CTranslate2 model, by CTranslate2's specification."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from ctranslate2.specs import TransformerSpec

from kerasseq.embedding import sinusoidal_positions

# CTranslate2 refers to tokens by name; the first four ids are the special ids of kerasseq.
SPECIAL = ["<blank>", "<unk>", "<s>", "</s>"]
POSITIONS = 1024


def name_tokens(ids: Iterable[int]) -> list[str]:
    """Returns the names of ids in a converted model."""
    return [SPECIAL[i] if i < len(SPECIAL) else str(i) for i in ids]


def convert(model, folder: Path, quantization: str | None = None) -> None:
    """Writes a `Seq2Seq` of pre-norm Transformers with tied embeddings as a CTranslate2 model."""
    encoder, decoder = model.encoder, model.decoder
    spec = TransformerSpec.from_config(
        (len(encoder.layers), len(decoder.layers)), decoder.settings.heads, pre_norm=True
    )
    for side, frontend, name in (
        (spec.encoder, model.frontend, "source"),
        (spec.decoder, decoder.embedding, "target"),
    ):
        vocabulary = name_tokens(range(frontend.vocabulary_size))
        getattr(spec, f"register_{name}_vocabulary")(vocabulary)
        embeddings = side.embeddings[0] if name == "source" else side.embeddings
        embeddings.weight = _to_array(frontend.embeddings)
        side.position_encodings.encodings = sinusoidal_positions(POSITIONS, frontend.width)
    spec.decoder.projection.weight = _to_array(decoder.embedding.embeddings)
    _copy_norm(spec.encoder.layer_norm, encoder.norm)
    _copy_norm(spec.decoder.layer_norm, decoder.norm)
    for layer, ours in zip(spec.encoder.layer, encoder.layers, strict=True):
        _copy_self_attention(layer.self_attention, ours.attention, ours.attention_norm)
        _copy_feed_forward(layer.ffn, ours)
    for layer, ours in zip(spec.decoder.layer, decoder.layers, strict=True):
        _copy_self_attention(layer.self_attention, ours.self_attention, ours.self_norm)
        _copy_cross_attention(layer.attention, ours.cross_attention, ours.cross_norm)
        _copy_feed_forward(layer.ffn, ours)
    spec.config.unk_token, spec.config.bos_token, spec.config.eos_token = SPECIAL[1:]
    spec.config.decoder_start_token = SPECIAL[2]
    spec.validate()
    spec.optimize(quantization=quantization)
    folder.mkdir(parents=True)
    spec.save(str(folder))


def _to_array(value) -> np.ndarray:
    return np.ascontiguousarray(value, dtype="float32")


def _copy_norm(spec, layer) -> None:
    spec.gamma, spec.beta = _to_array(layer.gamma), _to_array(layer.beta)


def _copy_dense(spec, *layers) -> None:
    """Joins dense layers into one layer of CTranslate2, which stores the transpose."""
    spec.weight = _to_array(np.concatenate([np.array(layer.kernel) for layer in layers], axis=1).T)
    spec.bias = _to_array(np.concatenate([np.array(layer.bias) for layer in layers]))


def _copy_self_attention(spec, attention, norm) -> None:
    _copy_norm(spec.layer_norm, norm)
    _copy_dense(spec.linear[0], attention.query, attention.key_value)
    _copy_dense(spec.linear[1], attention.output_projection)


def _copy_cross_attention(spec, attention, norm) -> None:
    _copy_norm(spec.layer_norm, norm)
    _copy_dense(spec.linear[0], attention.query)
    _copy_dense(spec.linear[1], attention.key_value)
    _copy_dense(spec.linear[2], attention.output_projection)


def _copy_feed_forward(spec, layer) -> None:
    _copy_norm(spec.layer_norm, layer.feed_forward_norm)
    _copy_dense(spec.linear_0, layer.feed_forward.enter)
    _copy_dense(spec.linear_1, layer.feed_forward.leave)
