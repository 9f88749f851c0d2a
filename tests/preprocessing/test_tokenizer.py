import pickle
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseq.errors import UserError
from kerasseq.preprocessing.tokenizer import Tokenizer

LINES = [
    "A man in a blue shirt is standing on a ladder cleaning a window.",
    "Zwei junge weiße Männer sind im Freien in der Nähe vieler Büsche.",
    "Un homme vêtu d'un t-shirt bleu regarde quelque chose.",
] * 4
KINDS = ["unigram", "bpe", "char", "word"]


@pytest.fixture(scope="module", params=["unigram", "bpe"])
def tokenizer(request):
    return Tokenizer.train(LINES, request.param, 120)


@pytest.mark.parametrize("kind", KINDS)
def test_text_returns_and_the_special_ids_stand_first(kind):
    tokenizer = Tokenizer.train(iter(LINES), kind, 150)
    assert tokenizer.decode(tokenizer.encode(LINES)) == LINES
    assert tokenizer.pieces(range(4)) == ["<pad>", "<unk>", "<s>", "</s>"]
    assert tokenizer.vocabulary_size <= 150


@pytest.mark.parametrize("kind", KINDS)
def test_an_unreachable_size_is_lowered(kind):
    assert Tokenizer.train(LINES, kind, 8000).vocabulary_size < 1000


def test_the_same_lines_give_the_same_model(tokenizer):
    kinds = {Tokenizer.train(LINES, kind, 120).digest for kind in ("unigram", "bpe")}
    assert tokenizer.digest in kinds


def test_drawing_from_more_lines_than_asked_for_is_repeatable():
    lines = [f"line number {i} of many" for i in range(500)]
    first, second = (Tokenizer.train(lines, "bpe", 40, sentences=200).digest for _ in range(2))
    assert first == second


BYTES = Tokenizer.train(LINES, "unigram", 400, byte_fallback=True)
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0▁▅"), max_size=40)


@given(text)
@settings(max_examples=200, deadline=None)
def test_with_byte_fallback_any_text_returns_exactly(line):
    assert BYTES.decode(BYTES.encode([line])) == [line]
    assert all(1 not in row for row in BYTES.encode([line]))


def test_program_text_keeps_its_indentation():
    code = ["def f(x):\n    return  x\n", "if a:\n\treturn 1\n"]
    tokenizer = Tokenizer.train(code * 20, "unigram", 60)
    assert tokenizer.decode(tokenizer.encode(code)) == code


def test_special_strings_in_text_are_ordinary_text(tokenizer):
    rows = tokenizer.encode(["</s> <s> <pad> a </s>", "<unk>"])
    assert not {0, 2, 3} & {i for row in rows for i in row}


def test_flat_rows_are_the_rows_with_eos(tokenizer):
    texts = [LINES[0], "", LINES[1], "   ", "a"]
    flat = tokenizer.encode_flat(texts)
    rows = [flat.ids[a:b].tolist() for a, b in zip(flat.offsets, flat.offsets[1:], strict=False)]
    assert rows == [[*row, 3] for row in tokenizer.encode(texts)]
    assert flat.ids.dtype == np.int32
    assert tokenizer.encode_flat([]).offsets.tolist() == [0]


def test_sampled_segmentations_follow_the_seed_alone(tokenizer):
    sampling = 0.1
    first = tokenizer.encode(LINES, sampling, seed=7)
    other = tokenizer.encode(LINES, sampling, seed=8)
    assert tokenizer.encode(LINES, sampling, seed=7) == first != other
    assert tokenizer.decode(first) == tokenizer.decode(other) == LINES
    assert len({tuple(row) for row in first}) > len(set(LINES))


def test_sampling_in_several_threads_is_repeatable(tokenizer):
    expected = {seed: tokenizer.encode(LINES, 0.1, seed) for seed in range(4)}
    wrong = []

    def work(seed):
        wrong.extend(
            seed for _ in range(50) if tokenizer.encode(LINES, 0.1, seed) != expected[seed]
        )

    threads = [threading.Thread(target=work, args=(seed,)) for seed in expected]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_bytes_and_pickle(tokenizer):
    for copy in (Tokenizer.from_bytes(tokenizer.to_bytes()), pickle.loads(pickle.dumps(tokenizer))):
        assert copy.digest == tokenizer.digest
        assert copy.encode(LINES) == tokenizer.encode(LINES)


def test_training_is_quiet(capfd):
    Tokenizer.train(LINES, "unigram", 100)
    Tokenizer.train(LINES, "bpe", 100)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize(
    ("lines", "size", "message"),
    [([], 100, "no text"), (["", " "], 100, "no text"), (LINES, 8, "ask for at least")],
)
def test_errors_of_training(lines, size, message):
    with pytest.raises(UserError, match=message):
        Tokenizer.train(lines, "unigram", size)


def test_an_error_of_the_lines_arrives_as_it_is():
    def lines():
        yield LINES[0]
        raise UserError("pairs.tsv:2: no")

    with pytest.raises(UserError, match="^pairs.tsv:2: no$"):
        Tokenizer.train(lines())


def test_foreign_bytes_are_refused():
    with pytest.raises(UserError, match="not a SentencePiece model"):
        Tokenizer.from_bytes(b"nonsense")
