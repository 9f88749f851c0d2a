"""One normalisation for what a model reads, what it writes, and what that is compared with."""

import unicodedata
from itertools import combinations

import keras
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kerasseq.data import ListCorpus, TokenStore
from kerasseq.data.text.store import count_unknown_units
from kerasseq.errors import UserError
from kerasseq.metrics import bleu, exact_match
from kerasseq.preprocessing import CaptionPreprocessor, SpeechPreprocessor, TextPreprocessor
from kerasseq.preprocessing.normalization import CAPTION, SPOKEN, STEPS, TEXT, normalize_texts
from kerasseq.preprocessing.tokenizer import Tokenizer
from tests.test_golden import FOLDER

PERSIAN = "می\u200cخواهم کتاب\u200cها"
TEXTS = [
    PERSIAN,
    "क्\u200dष and 👩\u200d🚀",  # a joiner spells, and puts an emoji together
    "soft\u00adhyphen, mark\u200e and \ufeffmore",
    "ﬁne  ｗｉｄｅ\u3000text",
    "Straße ΑΣ İstanbul",
    "<noise> don’t [laughter] 'quoted'",
    "tabs\tand\u2028lines\r\n",
    "zero\u200bwidth",
]
KINDS = ["char", "unigram", "bpe", "word"]
MAKERS = {
    "text": lambda kind, texts, **how: TextPreprocessor.learn(
        [(text, text) for text in texts], kind, 400, **how
    ),
    "speech": lambda kind, texts, **how: SpeechPreprocessor.learn(texts, kind, 400, **how),
    "captions": lambda kind, texts, **how: CaptionPreprocessor.learn(texts, kind, 400, **how),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("maker", MAKERS)
def test_what_is_written_without_a_fault_equals_its_reference(maker, kind):
    """A model that writes each unit of a reference has written the reference."""
    preprocessor = MAKERS[maker](kind, TEXTS)
    references = preprocessor.normalize(TEXTS)
    written = preprocessor.detokenize(preprocessor.targets(TEXTS)[1])
    assert written == references == preprocessor.normalize(written)
    assert exact_match(written, references).value == 100
    assert not any(preprocessor.unknown(TEXTS))


@pytest.mark.parametrize("maker", MAKERS)
def test_the_joiners_survive_and_other_invisible_characters_do_not(maker):
    texts = MAKERS[maker]("char", TEXTS).normalize([PERSIAN, TEXTS[1], TEXTS[2], TEXTS[7]])
    assert texts[0] == PERSIAN and "\u200d" in texts[1]
    assert not {"\u00ad", "\u200e", "\ufeff", "\u200b"} & set("".join(texts))
    assert texts[2].startswith("softhyphen") and texts[3] == "zero width"


@pytest.mark.parametrize("kind", KINDS[:3])
def test_program_text_comes_back_with_its_white_space(kind):
    code = ["def f(x):\n    return  x\n", "if a:\n\treturn 1 \n", "  two"]
    preprocessor = TextPreprocessor.learn([(text, text) for text in code], kind, 90, steps=())
    assert preprocessor.detokenize(preprocessor.targets(code)[1]) == code
    assert preprocessor.normalize(code) == code


def test_the_steps_are_saved_with_the_preprocessor():
    preprocessor = MAKERS["text"]("char", TEXTS, steps=("lower", "accents"))
    copy = TextPreprocessor.from_config(preprocessor.get_config())
    assert copy.steps == ("lower", "accents")
    with pytest.raises(UserError, match="no step 'upper'"):
        MAKERS["text"]("char", TEXTS, steps=("upper",))


STEPS_TO_TRY = [TEXT, SPOKEN, CAPTION, *combinations(STEPS, 2)]


@pytest.mark.parametrize("steps", STEPS_TO_TRY, ids=" ".join)
@given(text=st.text(max_size=12))
@example(text="<<a>b>")
@example(text="İ\u0316")
@example(text="e\u00ad\u0301")
@example(text="[<]>]")
@settings(max_examples=60, deadline=None)
def test_a_normalised_text_stays_as_it_is(steps, text):
    (once,) = normalize_texts([text], steps)
    assert normalize_texts([once], steps) == [once]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
@settings(max_examples=100, deadline=None)
def test_any_text_that_a_vocabulary_holds_comes_back(text):
    preprocessor = SpeechPreprocessor.learn([text + " x"], "char", 200, steps=TEXT)
    (reference,) = preprocessor.normalize([text])
    (missing,) = preprocessor.unknown([text])
    (written,) = preprocessor.detokenize(preprocessor.targets([text])[1])
    # SentencePiece keeps two characters for itself; they are named, not mistaken for others.
    assert set(missing) == set(reference) & set("▁▅")
    assert (written == reference) == (not missing)


def test_a_line_with_a_character_of_the_library_is_learned_from():
    tokenizer = Tokenizer.train(["ab ▅ cd", "x▁y"], "char", 40)
    assert tokenizer.unknown("abcd xy ▅▁") == ["▁", "▅"]
    assert tokenizer.decode(tokenizer.encode(["x▁y"])) != ["x y"]


def test_half_a_surrogate_pair_is_refused():
    tokenizer = Tokenizer.train(["ab"], "char", 40)
    with pytest.raises(UserError, match=r"half a surrogate pair in it, '\\ud800'"):
        tokenizer.encode(["ok", "a\ud800b"])


def test_older_files_say_what_they_make_of_a_text():
    """Their tokenizers apply NFKC and drop the joiner; references are compared likewise."""
    preprocessor = keras.saving.load_model(FOLDER / "transformer.keras").preprocessor
    assert preprocessor.steps == ()
    assert preprocessor.normalize(["  ﬁve\u200csix  "]) == ["five six"]
    texts = ["  six\u200csix  ", "ﬁve"]
    (first, second) = preprocessor.detokenize(preprocessor.targets(["sechs\u200cvier", " vier"])[1])
    assert [first, second] == preprocessor.normalize(["sechs\u200cvier", " vier"])
    assert preprocessor.features(texts)["mask"].sum() > 0


PAIRS = [("one", "eins"), ("two Ж", "zwei"), ("three", "drei ЖЩ"), ("four", "vier Ж")]


def test_what_a_vocabulary_lacks_is_counted_and_named(tmp_path):
    known = [(source, target) for source, target in PAIRS if "Ж" not in source + target]
    preprocessor = TextPreprocessor.learn([*known, ("two three four", "zwei drei vier")], "char")
    store = TokenStore.build(tmp_path / "store", ListCorpus(PAIRS), preprocessor)
    for unknown in (store.unknown, count_unknown_units(ListCorpus(PAIRS), preprocessor)):
        assert (len(unknown["source"]), unknown["source"].units) == (1, {"Ж": 1})
        assert (len(unknown["target"]), unknown["target"].units) == (2, {"Ж": 2, "Щ": 1})
    assert str(store.unknown["target"]) == (
        "2 of 4 target texts (50.0 %) have units outside the vocabulary: 'Ж' in 2, 'Щ' in 1"
    )
    assert TokenStore(tmp_path / "store", preprocessor).unknown["target"].texts == 4


def test_bleu_of_a_perfect_translation_is_100():
    texts = ["„Ein“ kurzer\u00a0Satz mit ½ ﬁsch.", PERSIAN + " و یک جمله", "Noch ein Satz hier."]
    preprocessor = MAKERS["text"]("char", texts)
    written = preprocessor.detokenize(preprocessor.targets(texts)[1])
    assert bleu(written, preprocessor.normalize(texts)).value == pytest.approx(100)


def test_nfkc_is_that_of_unicode():
    assert normalize_texts(["ﬁ①"], ["nfkc"]) == [unicodedata.normalize("NFKC", "ﬁ①")]


@pytest.mark.parametrize("steps", [SPOKEN, CAPTION])
def test_nothing_is_left_of_an_emoji_in_speech_and_captions(steps):
    texts = [
        "👨\u200d👩\u200d👧 ❤\ufe0f 1\ufe0f\u20e3 👍🏽 🇩🇪 yes",
        "🏴\U000e0067\U000e007f",
        PERSIAN,
        "क्\u200dष",
    ]
    assert normalize_texts(texts, steps) == ["1 yes", "", PERSIAN, "क्\u200dष"]
