"""Text to subword ids and back."""

import hashlib
import io
import re
import threading
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Literal

import numpy as np
import sentencepiece

from kerasseq.errors import UserError
from kerasseq.preprocessing.padding import Ragged
from kerasseq.special_ids import BEGIN, END, PAD, UNKNOWN

Kind = Literal["unigram", "bpe", "char", "word"]

# The mark by which SentencePiece begins a word.
WORD_MARK = "\N{LOWER ONE EIGHTH BLOCK}"

# Characters that SentencePiece has a use of its own for: it reads the first as a space, skips lines
# with the second in training, and ends a text at the third. None of them is in a vocabulary.
_RESERVED = (WORD_MARK, "\N{LOWER FIVE EIGHTHS BLOCK}", "\0")
_FOREIGN = _RESERVED[1]

_LIGATURE = "\N{LATIN SMALL LIGATURE FI}"


def digest_of(model: bytes) -> str:
    """Computes the SHA-256 of a serialised model, in hexadecimal."""
    return hashlib.sha256(model).hexdigest()


# The library's random generator is seeded for the whole process, not for a processor.
_random_generator = threading.Lock()


class Tokenizer:
    """Subword segmentation by SentencePiece, with pad 0, unk 1, bos 2 and eos 3.

    Text never produces pad, bos or eos: "</s>" in a sentence is four ordinary characters. A text
    comes back from its ids exactly, except for characters outside the vocabulary. A tokenizer
    normalises nothing, since preprocessors do that. Only tokenizers in files of older versions
    apply NFKC themselves; `normalize` shows the result.

    Args:
        model: a serialised SentencePiece model with these special ids.

    Raises:
        UserError: the bytes are no such model.

    Kudo and Richardson, "SentencePiece", 2018.

    Example:

    >>> import kerasseq
    >>> lines = ["low lower lowest", "new newer newest"] * 10
    >>> tokenizer = kerasseq.Tokenizer.train(lines, kind="bpe", vocabulary_size=20)
    >>> (ids,) = tokenizer.encode(["newer"])
    >>> tokenizer.decode([ids]), 3 in ids
    (['newer'], False)
    """

    def __init__(self, model: bytes):
        try:
            self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        except RuntimeError as error:
            raise UserError("The vocabulary is not a SentencePiece model or is damaged.") from error
        names = ("pad", "unk", "bos", "eos")
        found = tuple(getattr(self._processor, f"{name}_id")() for name in names)
        if found != (PAD, UNKNOWN, BEGIN, END):
            raise UserError(
                f"The SentencePiece model has pad, unk, bos, eos at {found}; train it with "
                "pad_id=0, unk_id=1, bos_id=2, eos_id=3."
            )
        self._model = model
        # No method tells the rule; it has one that takes a ligature apart.
        self._normalizes = self._processor.normalize(_LIGATURE) != WORD_MARK + _LIGATURE

    @classmethod
    def train(
        cls,
        lines: Iterable[str],
        kind: Kind = "unigram",
        vocabulary_size: int = 8000,
        *,
        byte_fallback: bool = False,
        character_coverage: float = 1.0,
        sentences: int = 1_000_000,
    ) -> "Tokenizer":
        """Learns a vocabulary; the same lines always give the same one.

        Args:
            lines: the text, read once. Memory holds no more than `sentences` of them.
            kind: "unigram" (Kudo, 2018), "bpe" (Sennrich et al., 2016), "char", or "word"
                (split at spaces alone).
            vocabulary_size: pieces, special ones included. A short text gives fewer.
            byte_fallback: spell a character outside the vocabulary in UTF-8 bytes, so that nothing
                is unknown, at the price of 256 pieces.
            character_coverage: the part of the text's characters that get a piece. Less than 1
                suits Chinese and Japanese.
            sentences: lines to draw from a longer text.

        Raises:
            UserError: the text is empty or the size cannot hold its characters.
        """
        model, source = io.BytesIO(), _Source(lines)
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=iter(source),
                model_writer=model,
                model_type=kind,
                vocab_size=vocabulary_size,
                hard_vocab_limit=False,
                character_coverage=character_coverage,
                byte_fallback=byte_fallback,
                # A number is its digits; else 1,234 and 1.234 would have no piece in common.
                split_digits=True,
                normalization_rule_name="identity",
                remove_extra_whitespaces=False,
                input_sentence_size=sentences,
                shuffle_input_sentence=True,
                max_sentence_length=1 << 20,
                pad_id=PAD,
                unk_id=UNKNOWN,
                bos_id=BEGIN,
                eos_id=END,
                minloglevel=3,
            )
        except RuntimeError as error:
            # The library turns an exception of its input into its own, with a traceback as text.
            raise source.error or UserError(
                _explain_failure(error, source, vocabulary_size)
            ) from error
        return cls(model.getvalue())

    @classmethod
    def from_bytes(cls, model: bytes) -> "Tokenizer":
        """Makes the tokenizer of `to_bytes`."""
        return cls(model)

    def to_bytes(self) -> bytes:
        """Returns the serialised model; any SentencePiece reads it."""
        return self._model

    def __reduce__(self):
        return Tokenizer, (self._model,)

    @property
    def digest(self) -> str:
        """SHA-256 of the serialised model, in hexadecimal."""
        return digest_of(self._model)

    @property
    def vocabulary_size(self) -> int:
        """V: pieces, special ones included."""
        return self._processor.vocab_size()

    def encode(
        self, texts: Sequence[str], sampling: float | None = None, seed: int = 0
    ) -> list[list[int]]:
        """Returns the ids of each text, without bos and eos.

        Args:
            texts: N texts.
            sampling: None for the best segmentation. Otherwise draw one: for "unigram" from
                P(x)^sampling over all of them (Kudo, 2018, section 3; a lower value is more
                random); for "bpe" by dropping each merge with this probability (Provilkov et al.,
                2020).
            seed: the drawn segmentations depend on texts, sampling and seed alone.
        """
        return self._encode(texts, sampling, seed, add_eos=False)

    def encode_flat(
        self, texts: Sequence[str], sampling: float | None = None, seed: int = 0
    ) -> Ragged:
        """Returns the ids of each text, each with eos, end to end: the quick way for many texts.

        It uses one core. Call it from several threads for more, since most of its time is outside
        the interpreter's lock.
        """
        rows = self._encode(texts, sampling, seed, add_eos=True)
        ids = np.fromiter(chain.from_iterable(rows), np.int32)
        # No text produces eos, so eos marks every row's end.
        offsets = np.concatenate([[0], np.flatnonzero(ids == END) + 1])
        return Ragged(ids, offsets)

    def _encode(self, texts, sampling, seed, add_eos):
        texts = self._readable(texts)
        if sampling is None:
            return self._processor.encode(texts, add_eos=add_eos, num_threads=1)
        with _random_generator:
            sentencepiece.set_random_generator_seed(seed)
            return self._processor.encode(
                texts,
                add_eos=add_eos,
                num_threads=1,  # more would share out the random numbers by chance
                enable_sampling=True,
                alpha=sampling,
                nbest_size=-1,
            )

    def _readable(self, texts: Iterable[str]) -> list[str]:
        """Returns the texts with an unknown character for each that SentencePiece reserves."""
        texts = list(texts) if self._normalizes else list(map(_replace_reserved, texts))
        try:
            "".join(texts).encode()
        except UnicodeEncodeError as error:
            raise UserError(
                f"A text has half a surrogate pair in it, {error.object[error.start]!a}, which is "
                "no character: leave it out."
            ) from None
        return texts

    def normalize(self, text: str) -> str:
        """Returns the text as this tokenizer reads it."""
        if not self._normalizes:
            return text
        return self._processor.normalize(text).removeprefix(WORD_MARK).replace(WORD_MARK, " ")

    def decode(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """Returns the text of each row of ids; pad, bos and eos are dropped, unk becomes "⁇"."""
        rows = [[int(i) for i in row] for row in rows]
        return self._processor.decode(rows) if rows else []  # the library reads [] as one row

    def unknown(self, text: str) -> list[str]:
        """Returns the characters, or words of a word vocabulary, that the vocabulary lacks."""
        (readable,) = self._readable([text])
        found: list[str] = []
        for piece in self._processor.encode(readable, out_type=str):
            if self._processor.piece_to_id(piece) == UNKNOWN:
                # Both come joined to runs; only words carry the mark of their beginning.
                found += piece[1:].split(WORD_MARK) if piece.startswith(WORD_MARK) else piece
        own = sorted(set(text) & set(_RESERVED))
        return [*filter(lambda unit: unit != _FOREIGN, found), *own] if own else found

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Returns the written form of each id; "▁" begins a word."""
        return [self._processor.id_to_piece(int(i)) for i in ids]


class _Source:
    """The lines that have characters, their number, and the error that stopped them."""

    def __init__(self, lines):
        self.lines, self.count, self.error = lines, 0, None

    def __iter__(self):
        try:
            for line in self.lines:
                if line and not line.isspace():
                    self.count += 1
                    yield _replace_reserved(line, "")
        except BaseException as error:
            self.error = error
            raise


def _replace_reserved(text: str, other: str = _FOREIGN) -> str:
    """Replaces each character that SentencePiece reserves by `other`."""
    for character in _RESERVED:
        if character in text:
            text = text.replace(character, other)
    return text


def _explain_failure(error, source, vocabulary_size):
    if not source.count:
        return "There is no text to learn a vocabulary from."
    needed = re.search(r"required_chars\. \d+ vs (\d+)", str(error))
    if needed or "(vocab_size) >= (0)" in str(error):
        least = f"at least {needed[1]}" if needed else "more"
        return (
            f"A vocabulary of {vocabulary_size} pieces cannot hold the characters of the text: "
            f"ask for {least}, or lower character_coverage."
        )
    return f"SentencePiece could not learn a vocabulary: {error}"
