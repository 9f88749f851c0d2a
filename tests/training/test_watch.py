"""What a training notices when it goes wrong, and what it does not say of a healthy one."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasseq.training import TrainingConfig, Watch, watch
from kerasseq.training.watch import Course
from tests import toy

pytestmark = pytest.mark.backends


@dataclass(frozen=True)
class Batched(TrainingConfig):
    batch_pictures: int = 8


def make_course(rows, share=1.0, over=False, planned=1000, **options):
    step = max((row["step"] for row in rows), default=0)
    return Course(rows, Batched(**options), step, planned, share, over)


def advise(rows, watch=None, **course):
    return (watch or Watch()).find_advice(make_course(rows, **course))


def log(losses, trained=None, **metrics):
    """The rows of validations after each ten steps, and of the training before them."""
    trained = trained or [3.0 * 0.9**i for i in range(len(losses))]
    rows = []
    for i, loss in enumerate(losses):
        common = {"step": 10 * (i + 1), "epoch": i + 1}
        rows.append({"kind": "train", **common, "loss": trained[i]})
        row = {"kind": "valid", **common, "loss": loss, "best": loss == min(losses[: i + 1])}
        rows.append(row | {name: values[i] for name, values in metrics.items()})
    return rows


class TestPlateau:
    SAME = {"texts": [9] * 4, "different": [1] * 4}
    watch = Watch("recordings", different=5)

    def test_one_text_for_all(self):
        rows = log([5.0, 4.0, 4.0, 4.0], same=["two"] * 4, **self.SAME)
        said = advise(rows, self.watch, share=0.5)["plateau"]
        assert said == (
            "The model still writes “two” for each of 9 recordings after 40 steps: give it more "
            "updates (a smaller training.batch_pictures, more training.epochs), less dropout and "
            "augmentation, another training.learning_rate, or a model to start from."
        )
        rows = log([5.0, 4.0, 4.0, 4.0], same=[""] * 4, **self.SAME)
        assert "still writes nothing for" in advise(rows, self.watch, share=0.5)["plateau"]
        rows = log([5.0, 4.0, 4.0, 4.0], same=["a", "b"] * 2, **self.SAME)
        assert "still writes the same text for" in advise(rows, self.watch, share=0.5)["plateau"]

    def test_not_at_the_beginning_and_not_in_the_warm_up(self):
        rows = log([5.0, 4.0, 4.0, 4.0], same=["two"] * 4, **self.SAME)
        assert "plateau" not in advise(rows, self.watch, share=0.29)
        assert "plateau" in advise(rows, self.watch, share=0.3, warm_up=40)
        assert "plateau" not in advise(rows, self.watch, share=0.3, warm_up=41)
        assert "plateau" in advise(rows, self.watch, share=0.5, warm_up=41)

    def test_not_where_it_has_come_down_or_all_references_are_one(self):
        rows = log([5.0, 4.0, 4.0, 4.0], same=["two"] * 4, **self.SAME)
        assert "plateau" not in advise(rows, Watch("recordings", different=1), share=0.9)
        assert "plateau" in advise(rows[:2], self.watch, over=True)
        rows[-1] = {name: value for name, value in rows[-1].items() if name != "same"}
        for over in (False, True):
            assert "plateau" not in advise(rows, self.watch, share=0.9, over=over)

    def test_texts_are_written_until_they_differ(self):
        asked = []
        one = Watch(write=lambda model: asked.append(model) or ["a", "a"])
        assert one.take_texts("model", []) == {"texts": 2, "different": 1, "same": "a"}
        one.take_texts("model", [{"texts": 2, "different": 1, "same": "a"}])
        assert asked == ["model"] * 2
        assert one.take_texts("model", [{"texts": 2, "different": 2}]) == {} and len(asked) == 2
        one.texts = ["b", "c"]
        assert one.take_texts("model", []) == {"texts": 2, "different": 2} and one.texts is None
        assert one.describe_texts(["b"]) == {"texts": 1, "different": 1}


class TestWarmUp:
    def test_a_rate_that_does_not_reach_its_peak(self):
        assert "warm-up" not in advise([], planned=160, warm_up=0.5)
        assert "96 of 160 updates" in advise([], planned=160, warm_up=0.6)["warm-up"]
        assert advise([], planned=160, warm_up=500)["warm-up"] == (
            "The learning rate rises through the whole training, to 32% of training.learning_rate: "
            "training.warm_up is 500 updates, and there are 160; set training.warm_up to 16 or "
            "train longer."
        )
        said = advise(log([3.0]), planned=1000, over=True, warm_up=30)["warm-up"]
        assert "The learning rate rose through the whole" in said and "there were 10;" in said
        said = advise([], planned=640, warm_up=500)["warm-up"]
        assert "rises through most of the training, 500 of 640 updates; set" in said

    @pytest.mark.parametrize(
        "options", [{}, {"warm_up": 320}, {"warm_up": 80, "accumulate": 4, "schedule": "cosine"}]
    )
    def test_a_rate_that_does(self, options):
        assert not advise([], planned=640, **options)


class TestBaseline:
    watch = Watch("pairs", different=5, unigram=4.5, constant={"bleu": (1.5, "“Hello.”")})

    def test_units_that_are_guessed(self):
        rows = log([6.0, 4.6, 4.8], accuracy=[0.1] * 3)
        assert (
            "4.6 nats a unit at best, no better than the 4.5 of guessing"
            in (advise(rows, self.watch)["baseline"])
        )
        assert not advise(rows, self.watch, share=0.2)
        assert not advise(log([6.0, 4.4, 4.8], accuracy=[0.1] * 3), self.watch)
        assert not advise(log([6.0, 4.6, 4.8]), self.watch)  # not nats a unit: CTC

    def test_texts_that_any_text_equals(self):
        rows = log([6.0, 4.0, 3.9], bleu=[0.0, 1.4, 1.5])
        assert advise(rows, self.watch)["baseline"] == (
            "BLEU is 1.5 at best in the validations, no better than the 1.5 of writing “Hello.” "
            "for each of the pairs: train longer, or check that the training data are like the "
            "validation data."
        )
        assert not advise(rows, self.watch, share=0.49)
        assert not advise(log([6.0, 4.0, 3.9], bleu=[0.0, 1.6, 1.5]), self.watch)
        speech = Watch("recordings", constant={"wer": (90.0, "“yes”")})
        assert "WER is 95" in advise(log([3.0, 2.0], wer=[100.0, 95.0]), speech)["baseline"]
        assert not advise(log([3.0, 2.0], wer=[100.0, 85.0]), speech)

    def test_a_plateau_is_said_once(self):
        same = {"texts": [9] * 2, "different": [1] * 2, "same": [""] * 2}
        watch = Watch("recordings", different=5, constant={"wer": (100.0, "nothing")})
        assert advise(log([3.0, 2.0], wer=[100.0] * 2, **same), watch).keys() == {"plateau"}


class TestOverfitting:
    RISING = [3.0, 2.0, 1.4, 1.5, 1.7, 1.9, 2.2, 2.4]

    def test_it_is_said_with_the_epoch(self):
        assert advise(log(self.RISING))["overfitting"] == (
            "Overfitting since epoch 3: the validation loss rose from 1.4 to 2.2 while the "
            "training loss fell from 2.43 to 1.43; the weights of step 30 are kept, and more data, "
            "more dropout or a smaller model would bring more than further steps."
        )

    def test_not_after_a_few_validations(self):
        assert not advise(log(self.RISING[:-1]))

    def test_not_where_the_training_loss_rises_too(self):
        assert not advise(log(self.RISING, trained=[2.0] * 8))

    @pytest.mark.parametrize(
        ("name", "values"),
        [("wer", [90, 50, 30, 20, 15, 12, 11, 10]), ("bleu", [0, 5, 8, 9, 12, 13, 13, 13])],
    )
    def test_not_where_a_metric_gets_better(self, name, values):
        assert not advise(log(self.RISING, **{name: values}))
        assert advise(log(self.RISING, **{name: values[:4] + values[:1] * 4}))

    def test_not_in_self_critical_training(self):
        rows = log(self.RISING)
        for row in rows[::2]:
            row["reward"] = 1.0
        assert "overfitting" not in advise(rows)

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, 10**6), st.floats(0.0, 0.03), st.integers(5, 60), st.floats(0.2, 0.97))
    def test_no_false_alarm_on_a_healthy_course(self, seed, noise, count, decay):
        """A loss that comes down to a floor, with noise of up to 3 % of it."""
        rng = np.random.default_rng(seed)
        course = 1.0 + 3.0 * decay ** np.arange(count)
        losses = list(course * (1 + noise * rng.uniform(-1, 1, count)))
        for length in range(1, count + 1):
            assert "overfitting" not in advise(log(losses[:length])), losses[:length]

    def test_not_near_zero(self):
        assert not advise(log([3.0, 0.1, 0.01, 0.012, 0.014, 0.016, 0.018, 0.02]))


class TestReward:
    @staticmethod
    def rows(rewards):
        return [
            {"kind": "train", "step": 50 * i, "loss": 0.1, "reward": reward}
            for i, reward in enumerate(rewards, 1)
        ]

    def test_it_does_not_rise(self):
        said = advise(self.rows([0.5, 0.52, 0.49, 0.5, 0.51, 0.5]))["reward"]
        assert said.startswith("The reward does not rise: it is 0.505 and was 0.51; set a training")
        assert "reward" in advise(self.rows([0.5, 0.4, 0.3, 0.2, 0.2, 0.1]))

    def test_it_rises(self):
        assert not advise(self.rows([0.5, 0.52, 0.53, 0.55, 0.56, 0.58]))
        assert not advise(self.rows([0.5, 0.4, 0.4, 0.4, 0.4]))  # too few to know
        assert not advise(self.rows([0.5] * 6), share=0.2)


def rows_of(folder, kind):
    rows = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [row for row in rows if row["kind"] == kind]


class Crash(Exception):
    pass


def test_each_thing_is_said_once_also_by_a_resumed_run(tmp_path, capsys):
    def crash(epoch, index):
        if (epoch, index) == (4, 3) and not crashed:
            crashed.append(True)
            raise Crash

    def train(resume):
        watch = Watch("pairs", 9, unigram=0.0, notes={"vocabulary": "Your words are others."})
        options = {"epochs": 6, "warm_up": 99, "learning_rate": 0.01}
        data = toy.Data(on_batch=crash)
        _, position = toy.train(tmp_path, options, resume, data, silent=False, watch=watch)
        return position

    crashed = []
    with pytest.raises(Crash):
        train(resume=False)
    train(resume=True)
    said = capsys.readouterr().err
    for words in ("Your words are others.", "rate rises through the whole", "guessing each unit"):
        assert said.count(words) == 1, words
    about = [row["about"] for row in rows_of(tmp_path, "advice")]
    assert about == ["vocabulary", "warm-up", "baseline"]


def test_the_run_knows_what_is_still_true_at_its_end(tmp_path, monkeypatch):
    advice = []

    class Run(toy.Run):
        def __exit__(self, *error):
            advice.extend(self.advice)
            super().__exit__(*error)

    monkeypatch.setattr(toy, "Run", Run)
    texts = iter([["a", "a"]] * 4 + [["a", "b"]] * 2)
    watch = Watch("pairs", 9, write=lambda model: next(texts))
    toy.train(tmp_path, {"epochs": 6, "learning_rate": 0.01}, watch=watch)
    assert [row["about"] for row in rows_of(tmp_path, "advice")] == ["plateau"] and not advice
    assert [row.get("different") for row in rows_of(tmp_path, "valid")] == [1, 1, 1, 1, 2, None]


def test_texts_are_quoted():
    assert watch.quote("") == "nothing" and watch.quote("no") == "“no”"
    assert len(watch.quote("word " * 20)) == 40
