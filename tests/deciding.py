"""One small model of each kind, with random weights, for the tests of decoding."""

import keras

from kerasseq.attention import StepAttention
from kerasseq.decoders import RNNDecoder
from kerasseq.embedding import TokenEmbedding
from kerasseq.encoders import RNNEncoder
from kerasseq.language_model import NGram
from kerasseq.models import CTC, HybridSeq2Seq, Seq2Seq, Transducer
from kerasseq.preprocessing import TextPreprocessor
from kerasseq.transduction.joiner import Joiner

TEXTS = ["ab ba", "abc", "cab bac a", "b", "cc ab"]
KINDS = ("seq2seq", "hybrid", "ctc", "transducer")
UNITS = 8


@keras.saving.register_keras_serializable("kerasseq_tests")
class Reader(keras.layers.Layer):
    """Ids to a memory, for models without a frontend."""

    factor, width = 1, 2 * UNITS

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size
        self.embedding = TokenEmbedding(size, UNITS)
        self.encoder = RNNEncoder(UNITS, bidirectional=True)

    def build(self, shape):
        self.embedding.build(shape)
        self.encoder.build((*shape, UNITS))

    def call(self, values, mask, training=False):
        return self.encoder(self.embedding(values), mask, training=training)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


def preprocessor():
    return TextPreprocessor.learn([(text, text) for text in TEXTS] * 4, "char", 12)


def made(kind, seed=1, language_model=False):
    """A model, of larger weights than it would begin with, so that its texts are not all alike."""
    keras.utils.set_random_seed(seed)
    reads = preprocessor()
    size = reads.target_vocabulary_size
    if kind == "ctc":
        model = CTC(Reader(size), size, reads)
    elif kind == "transducer":
        network = RNNDecoder(TokenEmbedding(size, UNITS), UNITS, context="none", projection=False)
        model = Transducer(Reader(size), network, Joiner(size, UNITS), reads)
    else:
        attention = StepAttention("additive")
        decoder = RNNDecoder(TokenEmbedding(size, UNITS), UNITS, attention=attention)
        encoder = RNNEncoder(UNITS, bidirectional=True)
        made_of = TokenEmbedding(size, UNITS), encoder, decoder, reads
        model = (HybridSeq2Seq if kind == "hybrid" else Seq2Seq)(*made_of)
    for variable in model.trainable_variables:
        variable.assign(3.0 * variable + 0.3 * keras.random.normal(variable.shape))
    # Short texts, which need no second search with more room.
    model.card = {"decoding": {"beam": 3, "max_length": 8}}
    if language_model:
        model.language_model = spoken(model, TEXTS)
    return model


def spoken(model, texts):
    """A language model of the units of some texts."""
    units = model.preprocessor.tokenizer("target").encode(texts)
    return NGram.learn(units, model.preprocessor.target_vocabulary_size, order=2)


def written(model, options=None, **more):
    """What a model makes of the texts, to be compared."""
    rows = model.hypotheses(TEXTS, options, jit=False, **more)
    return [[(one.tokens, round(one.score, 4)) for one in row] for row in rows]
