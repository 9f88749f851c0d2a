"""Every decoder and encoder of the library, small, for the tests that hold their contracts."""

from collections.abc import Callable

import keras

from kerasseq.attention import ALIGNMENTS, SCORES, MultiHeadAttention, StepAttention
from kerasseq.decoders import ConvolutionalDecoder, RNNDecoder, S2VTDecoder, TransformerDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import ConvolutionalEncoder, RNNEncoder, TransformerEncoder
from kerasseq.models import Seq2Seq
from kerasseq.preprocessing import TextPreprocessor

VOCABULARY, WIDTH, UNITS = 11, 8, 8


def embedding(
    positions: str | None = None, dropout: float = 0.0, size: int = VOCABULARY
) -> TokenEmbedding:
    return TokenEmbedding(size, WIDTH, positions, scale=positions is not None, dropout=dropout)


def _attentive(score: str, alignment: str, **options) -> Callable:
    def make(dropout: float = 0.0) -> RNNDecoder:
        attention = StepAttention(score, alignment)
        return RNNDecoder(
            embedding(dropout=dropout), UNITS, 2, attention=attention, dropout=dropout, **options
        )

    return make


DECODERS: dict[str, Callable] = {
    "rnn-initial": lambda dropout=0.0: RNNDecoder(embedding(), UNITS, 2, dropout=dropout),
    "rnn-joined-gru": lambda dropout=0.0: RNNDecoder(
        embedding(), UNITS, 2, "gru", context="joined", dropout=dropout
    ),
    "rnn-fed": lambda dropout=0.0: RNNDecoder(
        embedding(), UNITS, input_feeding=True, tied=True, dropout=dropout
    ),
    "rnn-heads-before": lambda dropout=0.0: RNNDecoder(
        embedding(), UNITS, attention=MultiHeadAttention(2, 6), query="before", dropout=dropout
    ),
    "rnn-heads-after": lambda dropout=0.0: RNNDecoder(
        embedding(), UNITS, attention=MultiHeadAttention(2, 6), dropout=dropout
    ),
    "rnn-gated-before": _attentive("additive", "global", query="before", gate=True),
    "rnn-gated-after": _attentive("bilinear", "global", query="after", gate=True),
    "s2vt": lambda dropout=0.0: S2VTDecoder(embedding(), UNITS, dropout=dropout),
    "s2vt-gru": lambda dropout=0.0: S2VTDecoder(embedding(), UNITS, "gru", dropout, tied=True),
    "transformer": lambda dropout=0.0: TransformerDecoder(
        embedding("sinusoidal", dropout), 2, 2, 12, dropout=dropout, attention_dropout=dropout
    ),
    "convolution": lambda dropout=0.0: ConvolutionalDecoder(
        embedding("learned", dropout), UNITS, 2, dropout=dropout
    ),
    **{
        f"convolution-{score}": lambda dropout=0.0, score=score: ConvolutionalDecoder(
            embedding("learned", dropout), UNITS, 2, score=score, dropout=dropout
        )
        for score, kind in SCORES.items()
        if not kind.stepwise
    },
    **{
        f"rnn-{score}-{alignment}-{query}{'-fed' if fed else ''}": _attentive(
            score, alignment, query=query, input_feeding=fed
        )
        for alignment in ALIGNMENTS
        for score in (SCORES if alignment == "global" else ("additive", "location"))
        for query, fed in (("before", False), ("after", False), ("after", True))
    },
}

ENCODERS: dict[str, Callable] = {
    "rnn": lambda dropout=0.0: RNNEncoder(UNITS, 2, dropout=dropout),
    "rnn-gru-bidirectional": lambda dropout=0.0: RNNEncoder(
        UNITS // 2, 2, "gru", bidirectional=True, dropout=dropout, residual=True
    ),
    "rnn-fixed-reversed": lambda dropout=0.0: RNNEncoder(
        UNITS // 2, 2, reverse=True, fixed=True, dropout=dropout
    ),
    "rnn-reversed": lambda dropout=0.0: RNNEncoder(UNITS, reverse=True, dropout=dropout),
    "convolution": lambda dropout=0.0: ConvolutionalEncoder(UNITS, 2, dropout=dropout),
    "transformer": lambda dropout=0.0: TransformerEncoder(
        2, 2, 12, dropout=dropout, attention_dropout=dropout
    ),
}


def built_decoder(name: str, dropout: float = 0.0, seed: int = 1) -> keras.layers.Layer:
    keras.utils.set_random_seed(seed)
    decoder = DECODERS[name](dropout)
    decoder.build((None, None, WIDTH))
    return decoder


def built_encoder(name: str, dropout: float = 0.0, seed: int = 1) -> keras.layers.Layer:
    keras.utils.set_random_seed(seed)
    encoder = ENCODERS[name](dropout)
    encoder.build((None, None, WIDTH))
    return encoder


def model_of(
    name: str, preprocessor: TextPreprocessor, dropout: float = 0.0, seed: int = 1, shared=False
) -> Seq2Seq:
    """A model around a decoder of `DECODERS`, with an encoder of its kind."""
    keras.utils.set_random_seed(seed)
    decoder = DECODERS[name](dropout)
    size = preprocessor.target_vocabulary_size
    positions = decoder.embedding.positions
    own = decoder.embedding.get_config() | {"vocabulary_size": size}
    decoder = type(decoder).from_config(
        decoder.get_config() | {"embedding": TokenEmbedding.from_config(own)}
    )
    frontend = decoder.embedding if shared else embedding(positions, dropout, size)
    encoders = {"sinusoidal": "transformer", "learned": "convolution", None: "rnn"}
    encoder = ENCODERS[encoders[positions]](dropout)
    return Seq2Seq(frontend, encoder, decoder, preprocessor)
