"""Options: each has its effect or is refused in a sentence, and one rule holds everywhere."""

from dataclasses import fields

import keras
import pytest

from kerasseq.cli import make_parser
from kerasseq.cli.options import DECODING, collect_decoding, spell_option
from kerasseq.errors import OptionError, UserError
from kerasseq.generation import Beam, Greedy, Sample
from kerasseq.models import Hypothesis, Options
from kerasseq.special_ids import END
from tests.deciding import KINDS, made, written
from tests.thorough import cases

# For each option a value, and what has to be chosen beside it.
VALUES = {
    "beam": (1, {}),
    "n_best": (2, {}),
    "length_penalty": (0.0, {}),
    "coverage_penalty": (2.0, {}),
    "sample": (True, {}),
    "temperature": (5.0, {"sample": True}),
    "top_k": (1, {"sample": True}),
    "top_p": (0.1, {"sample": True}),
    "seed": (7, {"sample": True}),
    "min_length": (6, {}),
    "max_length": (2, {}),
    "no_repeat": (1, {}),
    "precision": ("bfloat16", {}),
    "lm_weight": (2.0, {}),
    "ctc_weight": (0.9, {}),
    "length_bonus": (4.0, {}),
}
OF_SAMPLES = {"sample", "temperature", "top_k", "top_p", "seed"}
OF_DECODERS = {"min_length", "no_repeat", "precision", "length_penalty", "coverage_penalty"}
REFUSED = {
    "seq2seq": {"ctc_weight", "length_bonus"},
    "hybrid": {"coverage_penalty", "length_bonus"},
    "transducer": {"ctc_weight"} | OF_SAMPLES | OF_DECODERS,
    "ctc": {"ctc_weight", "max_length"} | OF_SAMPLES | OF_DECODERS,
}


@pytest.fixture(scope="module")
def models():
    return {kind: made(kind, language_model=True) for kind in KINDS}


def test_the_walk_knows_every_option():
    names = {field.name for kind in (Options, Beam, Sample) for field in fields(kind)}
    assert set(VALUES) == names - {"strategy", "width"} | {"beam", "sample"}
    assert set(DECODING) == set(VALUES)


@pytest.mark.parametrize("kind", cases(KINDS, "seq2seq", "ctc"))
def test_every_option_has_its_effect_or_is_refused(kind, models):
    model, before, refused = models[kind], {}, set()
    for name, (value, beside) in VALUES.items():
        base = tuple(beside)
        try:
            if base not in before:
                before[base] = written(model, model.options(**beside))
            assert written(model, model.options(**beside, **{name: value})) != before[base], name
        except OptionError as error:
            assert error.name in (name, *base)
            refused.add(name)
    assert refused == REFUSED[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_options_in_python_are_refused_alike(kind, models):
    for name in sorted(REFUSED[kind]):
        value, beside = VALUES[name]
        sampling = name in OF_SAMPLES
        own = {name: value} if name != "sample" else {}
        parts = {n: own.pop(n) for n in list(own) if hasattr(Sample if sampling else Beam, n)}
        strategy = Sample(**parts) if sampling else Beam(3, **parts)
        with pytest.raises(OptionError, match=r"(is|needs|goes) .*\.$"):
            models[kind].hypotheses(["ab"], Options(strategy, **own))


def test_what_else_has_no_effect(models):
    plain = made("seq2seq")
    for model, given, name in (
        (plain, {"lm_weight": 0.0}, "lm_weight"),
        (plain, {"lm_weight": 1.0}, "lm_weight"),
        (plain, {"beam": 1, "n_best": 1}, "n_best"),
        (plain, {"beam": 1, "length_penalty": 1.0}, "length_penalty"),
        (plain, {"sample": True, "beam": 3}, "beam"),
        (plain, {"sample": True, "n_best": 1}, "n_best"),
        (plain, {"seed": 0}, "seed"),
        (plain, {"bema": 3}, "bema"),
        (models["seq2seq"], {"coverage_penalty": 1.0, "lm_weight": 0.5}, "coverage_penalty"),
        (models["hybrid"], {"ctc_weight": 1.0, "precision": "bfloat16"}, "precision"),
        (models["ctc"], {"beam": 1, "lm_weight": 0.0}, "lm_weight"),
        (models["transducer"], {"beam": 1, "length_bonus": 0.0}, "length_bonus"),
    ):
        with pytest.raises(OptionError) as caught:
            model.options(**given)
        assert caught.value.name == name
    for kind in ("ctc", "transducer"):
        for more in ({"prefixes": ["a"]}, {"with_models": [plain]}):
            with pytest.raises(OptionError, match=r"is not for a"):
                models[kind].hypotheses(["ab"], **more)
    other = made("seq2seq", seed=2)
    for more, reason in (
        ({"with_models": [plain]}, "different ones"),
        ({"with_models": [other, other]}, "different ones"),
        ({"options": Options(Beam(2, 1.0, 0.5)), "with_models": [other]}, "coverage_penalty"),
        ({"options": {"beam": 2}}, "told by Options"),
        ({"prefixes": ["a" * 9]}, "prefix"),
    ):
        with pytest.raises(UserError, match=reason):
            plain.hypotheses(["ab"], **more)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Options(min_length=3, max_length=3), "min_length"),
        (lambda: Options(min_length=-1), "min_length"),
        (lambda: Options(max_length=0), "max_length"),
        (lambda: Options(max_length=2.5), "max_length"),
        (lambda: Options(no_repeat=True), "no_repeat"),
        (lambda: Options(lm_weight=float("nan")), "lm_weight"),
        (lambda: Options(ctc_weight=1.5), "ctc_weight"),
        (lambda: Options(length_bonus="1"), "length_bonus"),
        (lambda: Options(precision="float16"), "precision"),
        (lambda: Beam(3.0), "width"),
        (lambda: Beam(3, float("inf")), "length_penalty"),
        (lambda: Sample(temperature=float("nan")), "temperature"),
        (lambda: Sample(seed=-1), "seed"),
    ],
)
def test_values_out_of_range_are_refused(make, name):
    with pytest.raises(OptionError, match=f"^{name} (must be|is) .*not "):
        make()
    with pytest.raises(UserError, match="strategy must be"):
        Options("greedy")


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Options(lm_weight=1e-300), "lm_weight"),
        (lambda: Options(ctc_weight=1e-30), "ctc_weight"),
        (lambda: Options(length_bonus=-1e300), "length_bonus"),
        (lambda: Options(max_length=10**9), "max_length"),
        (lambda: Options(no_repeat=21), "no_repeat"),
        (lambda: Beam(10**9), "width"),
        (lambda: Beam(3, length_penalty=1000.0), "length_penalty"),
        (lambda: Beam(3, coverage_penalty=1e300), "coverage_penalty"),
        (lambda: Sample(temperature=1e-300), "temperature"),
        (lambda: Sample(top_p=1e-300), "top_p"),
    ],
)
def test_numbers_that_a_search_cannot_hold_are_refused(make, name):
    with pytest.raises(OptionError, match=f"^{name} must be "):
        make()


@pytest.mark.parametrize("kind", ["seq2seq", "ctc"])
def test_how_a_model_is_called(kind, models):
    for more, reason in (
        ({"batch_size": 0}, "batch_size must be"),
        ({"batch_size": 2.5}, "batch_size must be"),
        ({"batch_size": None}, "batch_size must be"),
        ({"jit": "no"}, "jit must be True or False"),
    ):
        with pytest.raises(OptionError, match=reason):
            models[kind].hypotheses(["ab"], **more)


def test_what_is_given_beside_the_sources(models):
    model = models["seq2seq"]
    for more, reason in (
        ({"prefixes": "ab"}, "list of prefixes, not one"),
        ({"prefixes": ["a"]}, "1 prefixes for 2 sources"),
        ({"prefixes": ["a", None]}, "must be a string, not None"),
        ({"with_models": [models["ctc"]]}, "must all have a decoder"),
        ({"with_models": models["hybrid"]}, "list of models"),
        ({"with_models": "ab"}, "list of models, not one"),
        ({"first_row": -1}, "first_row must be"),
    ):
        with pytest.raises(UserError, match=reason):
            model.hypotheses(["ab", "ba"], **more)
    with pytest.raises(OptionError, match="^sample must be True or False"):
        model.options(sample="no")
    with pytest.raises(OptionError, match="there are beam, "):
        model.options(width=3)


def test_what_is_given_may_not_fit_a_card_that_is_right(models):
    model = models["seq2seq"]
    card, model.card = model.card, {"decoding": {"min_length": 4}}
    try:
        with pytest.raises(OptionError, match="^min_length is 4, .*max_length above it, not to 2"):
            model.options(max_length=2)
    finally:
        model.card = card
    for wrong in (None, [1], "card", {"a": {1}}):
        with pytest.raises(UserError, match="^A model's card must be "):
            model.card = wrong
    assert model.card == card


@pytest.mark.parametrize("strategy", [Greedy(), Beam(3), Sample()], ids=str)
def test_a_text_that_can_go_on_with_nothing_ends(strategy, models):
    model = models["seq2seq"]
    options = Options(strategy, no_repeat=1, min_length=30, max_length=40)
    (best,) = model.hypotheses(["ab"], options, jit=False)[0]
    # Every token of the vocabulary but the special ones, once, and the end.
    assert sorted(best.tokens) == [END, *range(END + 1, model.vocabulary_size)]
    assert best.tokens[-1] == END


@pytest.mark.parametrize("kind", KINDS)
def test_a_hypothesis_of_another_model_has_no_alignment(kind, models):
    with pytest.raises(UserError, match="give one that this model wrote"):
        models[kind].alignment("ab", Hypothesis("", 0.0, (400, 5)))
    assert models[kind].alignment("ab", Hypothesis("", 0.0, ())).shape[0] == 0


def test_tokens_that_ctc_has_no_room_for(models):
    long = Hypothesis("", 0.0, (4, 4, 4, 4, 5, 5, 5, 5, END))
    with pytest.raises(UserError, match="8 tokens .* no room in the 4 frames"):
        models["ctc"].alignment("ab", long)
    # A hybrid's decoder wrote them, and knows where it looked.
    frames, log_probs = models["hybrid"].token_alignment("ab", long)
    assert len(frames) == 8 and list(frames) == sorted(frames) and min(frames) >= 0
    assert all(value > float("-inf") for value in log_probs)


@pytest.mark.parametrize("kind", KINDS)
def test_one_rule_for_what_is_not_said(kind, models):
    model = models[kind]
    card, model.card = model.card, {}
    try:
        assert model.options() == Options(Beam(5))
        model.card = {"decoding": {"beam": 1, "length_penalty": 0.5, "ctc_weight": 0.3}}
        assert model.options() == Options(Greedy())
        assert written(model) == written(model, Options(Greedy()))
        model.card = {"decoding": {"beam": 3, "lm_weight": 0.4}}
        assert model.options() == Options(Beam(3), lm_weight=0.4)
        assert model.options(beam=2) == Options(Beam(2), lm_weight=0.4)
        assert model.options(n_best=2).strategy == Beam(3, n_best=2)
        # The weight is of the card, and greedy search of frames has no place for it.
        aligned = kind in ("ctc", "transducer")
        assert model.options(beam=1) == Options(Greedy(), lm_weight=0.0 if aligned else 0.4)
    finally:
        model.card = card


@pytest.mark.parametrize(
    "wrong",
    [
        [1],
        "greedy",
        {"beam": "5"},
        {"beam": 2.5},
        {"beam": 0},
        {"bema": 5},
        {"n_best": 2},
        {"sample": True},
        {"beam": 5, "length_penalty": None},
        {"max_length": [40]},
        {"lm_weight": float("nan")},
    ],
    ids=str,
)
def test_a_card_that_is_wrong_says_so_in_a_sentence(wrong, models):
    model = models["seq2seq"]
    card, model.card = model.card, {"decoding": wrong}
    try:
        with pytest.raises(UserError, match=r"^This model's card is wrong.*\.$") as caught:
            model.generate(["ab"])
        assert not isinstance(caught.value, OptionError)
    finally:
        model.card = card


LOSSES = {"label_smoothing": 0.2, "r_drop": 0.5, "doubly_stochastic": 1.0, "on_policy": True}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LOSSES)
def test_options_of_the_loss_are_saved_or_refused(kind, name, tmp_path):
    model = made(kind)
    if name not in model.loss_options:
        with pytest.raises(UserError, match=rf"training\.{name}"):
            model.compile(optimizer="sgd", **{name: LOSSES[name]})
        return
    model.compile(optimizer="sgd", **{name: LOSSES[name]})
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert {n: getattr(loaded, n) for n in LOSSES} == {n: getattr(model, n) for n in LOSSES}
    assert getattr(loaded, name) == LOSSES[name]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "wrong",
    [
        {"label_smoothing": 1.5},
        {"label_smoothing": "a"},
        {"r_drop": -1},
        {"doubly_stochastic": float("nan")},
        {"on_policy": "no"},
        {"loss": "mse"},
        {"loss_weights": [2.0]},
    ],
    ids=str,
)
def test_what_is_wrong_for_the_loss_is_refused(kind, wrong, models):
    (name,) = wrong
    with pytest.raises(OptionError, match=rf"^{name} (must be|is not for)"):
        models[kind].compile(optimizer="sgd", **wrong)


def test_options_of_the_loss_that_exclude_each_other():
    model = made("seq2seq")
    for pair in (("r_drop", "doubly_stochastic"), ("label_smoothing", "on_policy")):
        with pytest.raises(UserError, match="do not go together"):
            model.compile(optimizer="sgd", **{name: LOSSES[name] for name in pair})


OFFERED = {
    "generate": set(VALUES) - {"length_bonus"},
    "evaluate": set(VALUES) - {"n_best"},
    "transcribe": {"beam", "lm_weight", "ctc_weight", "length_bonus"},
    "caption": {"beam"},
    "attention": set(),
}


@pytest.mark.parametrize("command", OFFERED)
def test_the_command_line_hands_on_what_is_given_and_nothing_else(command, capsys):
    begin = [command, "model.keras", *(["x"] if command != "evaluate" else [])]
    assert collect_decoding(make_parser().parse_args(begin)) == {}
    for name, (value, _) in VALUES.items():
        words = [spell_option(name)] + ([] if value is True else [str(value)])
        if name in OFFERED[command]:
            assert collect_decoding(make_parser().parse_args([*begin, *words])) == {name: value}
        else:
            with pytest.raises(SystemExit):
                make_parser().parse_args([*begin, *words])
            assert "unrecognized arguments" in capsys.readouterr().err
