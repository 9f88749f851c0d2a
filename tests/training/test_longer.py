"""How long a training is: limits, schedules that follow them, and runs that are made longer."""

import json
import os
import shutil

import keras
import numpy as np
import pytest
from keras import ops

from kerasseq import backend
from kerasseq.errors import UserError
from kerasseq.training import Position, Run, TrainingConfig, limits, loop
from kerasseq.training.files import load_arrays
from kerasseq.training.horizon import Horizon
from kerasseq.training.optimizer import make_optimizer
from tests import toy
from tests.thorough import cases

SHORT = {"learning_rate": 0.01, "epochs": 2, "log_every": 4}


def rows(folder, kind):
    found = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [row for row in found if row["kind"] == kind]


def state(folder):
    """The variables of the newest checkpoint."""
    newest = max((folder / "checkpoints").glob("step-*.npz"))
    return load_arrays(newest)[0]


class TestWindowsOfSteps:
    @staticmethod
    def moved(batches, accumulate):
        """The change of the weights by an optimizer that moves by minus the gradient."""
        options = {"beta_1": 0.0, "beta_2": 0.0, "epsilon": 1e6, "learning_rate": 1e6}
        keras.utils.set_random_seed(1)
        model = toy.Toy()
        model.build(None)
        model.dropout.rate = model.attention._dropout_layer.rate = 0.0
        config = TrainingConfig(accumulate=accumulate, **options)
        model.compile(optimizer=make_optimizer(config, 100))
        model.optimizer.build(model.trainable_variables)
        step = backend.make_stepper(model)

        def values():
            return [np.array(ops.convert_to_numpy(v)) for v in model.trainable_variables]

        before = values()
        for batch in batches:
            step(batch)
        step.finish_window()
        return [b - a for a, b in zip(before, values(), strict=True)]

    @pytest.mark.parametrize("count, accumulate", [(1, 2), (3, 5)])
    def test_a_window_that_is_not_full_is_the_mean_of_its_gradients(self, count, accumulate):
        batches = [toy.batch(0, 0, i) for i in range(count)]
        alone = [self.moved([batch], 1) for batch in batches]
        wanted = [np.mean(parts, axis=0) for parts in zip(*alone, strict=True)]
        for mine, theirs in zip(self.moved(batches, accumulate), wanted, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=2e-6)
        assert max(np.abs(part).max() for part in wanted) > 1e-3

    @pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
    def test_the_last_steps_of_a_run_count(self, tmp_path, precision):
        """Seven steps by fives: what is validated last has them, and the checkpoint is before."""
        measured = []
        options = SHORT | {"accumulate": 5, "validate_every": 1, "max_steps": 7}
        _, position = toy.train(
            tmp_path,
            options | {"precision": precision},
            on_validation=lambda model: measured.append(toy.digest(model)) or {},
        )
        assert position.step == 7 and measured[6] not in measured[:6]
        gathered = [a for name, a in state(tmp_path).items() if "optimizer" in name and a.ndim > 1]
        assert any(np.abs(array).max() > 0 for array in gathered)

    def test_a_window_longer_than_the_run_is_refused(self, tmp_path):
        with pytest.raises(UserError, match="accumulate is 15 steps to an update, .* only 14"):
            toy.train(tmp_path / "a", SHORT | {"accumulate": 15})
        _, position = toy.train(tmp_path / "b", SHORT | {"accumulate": 14})
        assert position.step == 14


WINDOWS = {"accumulate": 3, "ema": 0.9}
AVERAGES = {"average_last": 2, "warm_up": 5, "schedule": "inverse_sqrt"}


class TestLonger:
    @pytest.mark.parametrize("more", cases([WINDOWS, AVERAGES], WINDOWS))
    def test_a_run_that_is_made_longer_is_as_if_it_had_been_so_from_the_start(self, tmp_path, more):
        whole, _ = toy.train(tmp_path / "whole", SHORT | more | {"epochs": 4})
        toy.train(tmp_path / "run", SHORT | more)
        options = SHORT | more | {"epochs": 4, "patience": 9, "save_every": 3}
        longer, position = toy.train(tmp_path / "run", options, resume=True)
        assert position.step == 28 and position.ending == "training.epochs is 4"
        assert toy.digest(longer) == toy.digest(whole)
        one, two = state(tmp_path / "run"), state(tmp_path / "whole")
        assert one.keys() == two.keys()
        for name in one:
            np.testing.assert_array_equal(one[name], two[name])
        assert "epochs = 4" in (tmp_path / "run/config.toml").read_text()

    def test_a_rate_that_had_come_down_goes_on_along_the_longer_schedule(self, tmp_path, capsys):
        options = SHORT | {"schedule": "linear"}
        toy.train(tmp_path / "run", options)
        assert rows(tmp_path / "run", "train")[-1]["learning_rate"] < 0.001
        toy.train(tmp_path / "run", options | {"epochs": 4}, resume=True, silent=False)
        said = capsys.readouterr().err
        assert "Changed: training.epochs is 4, was 2. The learning rate goes on at 0.005" in said
        train = rows(tmp_path / "run", "train")
        assert train[-1]["step"] == 28 and train[-1]["learning_rate"] < 0.0005

    @pytest.mark.parametrize(
        "first, second",
        [({"max_steps": 3}, {"max_steps": 5}), ({"patience": 1}, {})],
    )
    def test_any_limit_may_be_raised(self, tmp_path, first, second):
        def measure(model):
            return {"bleu": 50.0 - next(worse)}

        worse = iter(range(99))
        options = SHORT | {"best_by": "bleu", "validate_every": 2}
        kwargs = {"on_validation": measure}
        _, before = toy.train(tmp_path / "run", options | first, **kwargs)
        _, after = toy.train(tmp_path / "run", options | second, resume=True, **kwargs)
        assert before.step < after.step == second.get("max_steps", 14)

    def test_what_is_shorter_or_other_is_refused(self, tmp_path):
        def run(resume, **changes):
            options = {"epochs": 4, "max_steps": 20, "max_minutes": 3.0} | changes
            Run(tmp_path / "run", toy.Config(TrainingConfig(**options)), resume).close()

        run(False)
        before = (tmp_path / "run/config.toml").read_text()
        for changes in (
            {"epochs": 3},
            {"max_steps": 19},
            {"max_minutes": 2.9},
            {"epochs": 5, "learning_rate": 0.02},
            {"epochs": 5, "validate_every": 3},
            {"accumulate": 2},
        ):
            with pytest.raises(UserError, match="has a run with another configuration"):
                run(True, **changes)
            assert (tmp_path / "run/config.toml").read_text() == before
        with pytest.raises(UserError, match="has a run with another configuration"):
            run(False, epochs=5)
        run(True, max_steps=0, max_minutes=4.0, patience=3, log_every=1, keep=5)
        after = (tmp_path / "run/config.toml").read_text()
        assert "max_steps = 0" in after and "patience = 3" in after and "epochs = 4" in after
        with pytest.raises(UserError, match="max_steps is 20, was 0"):
            run(True, max_minutes=4.0)


class TestTime:
    def test_the_rate_comes_down_by_the_time_the_time_is_up(self, tmp_path, monkeypatch):
        """A clock that ticks with the steps: forty of a million can be done."""
        clock = property(lambda self: float(self.position.step))
        monkeypatch.setattr(loop.TrainingLoop, "seconds", clock)
        options = {"schedule": "linear", "learning_rate": 0.01, "epochs": 10**6, "log_every": 1}
        options |= {"max_minutes": 40 / 60, "validate_every": 10**6}
        model, position = toy.train(tmp_path, options, valid=None)
        rates = [row["learning_rate"] for row in rows(tmp_path, "train")]
        assert position.step == 40 and position.horizon == 40
        np.testing.assert_allclose(rates[2:], [0.01 * (40 - i) / 40 for i in range(2, 40)], 1e-5)
        assert float(model.optimizer.learning_rate) == pytest.approx(0.0)  # of the step to come
        _, again = toy.train(tmp_path, options, resume=True, valid=None)
        assert again.horizon == 40 and again.step == 40

    def test_without_a_limit_nothing_depends_on_the_clock(self):
        horizon = Horizon(100, 0.0)
        assert not horizon.is_due(1e9) and horizon.steps == 100.0

    def test_the_estimate(self):
        horizon = Horizon(1000, 100.0)
        assert horizon.is_due(30.0) and not horizon.estimate(1, 30.0)  # the first step compiles
        assert not horizon.is_due(31.0) and horizon.is_due(32.0)
        assert horizon.estimate(11, 40.0) and horizon.steps == 71.0
        assert horizon.estimate(41, 90.0) and horizon.steps == pytest.approx(41 + 10 / 1.5)
        horizon.estimate(50, 200.0)
        assert horizon.steps == 50.0
        fast = Horizon(1000, 100.0)
        fast.estimate(1, 1.0)
        assert not fast.estimate(900, 10.0) and fast.steps == 1000.0


class TestWhatIsSaid:
    def test_what_was_cut_short(self):
        config = TrainingConfig(epochs=6, max_minutes=4.0)
        position = Position(epoch=2, index=5, step=25, seconds=240.0)
        position.ending = limits.explain_ending(config, position)
        said = limits.explain_shortfall(config, position, 10)
        assert "cut short after 2.5 of 6 epochs" in said and "max_minutes=8" in said
        assert "A slower machine" in said
        config = TrainingConfig(epochs=6, max_steps=25)
        position.ending = limits.explain_ending(config, position)
        said = limits.explain_shortfall(config, position, 10)
        assert "max_steps=50" in said and "slower" not in said
        config = TrainingConfig(epochs=2)
        position = Position(epoch=2, step=20, ending="training.epochs is 2")
        assert limits.explain_shortfall(config, position, 10) == ""

    def test_it_is_said_at_the_end(self, tmp_path, capsys):
        toy.train(tmp_path, SHORT | {"max_steps": 3}, silent=False)
        said = capsys.readouterr().err
        assert "cut short after 0.429 of 2 epochs. Go on with the same command" in said

    def test_a_warm_up_without_end(self, tmp_path, capsys):
        toy.train(tmp_path / "a", SHORT | {"warm_up": 56, "max_steps": 3}, silent=False)
        said = capsys.readouterr().err
        assert (
            "to 5.36% of training.learning_rate: training.warm_up is 56 updates, and there" in said
        )
        most = limits.warn_of_long_warm_up(TrainingConfig(warm_up=8), 14)
        assert "through most of the training, 8 of 14 updates; set training.warm_up to 1" in most
        assert not limits.warn_of_long_warm_up(TrainingConfig(warm_up=7), 14)

    def test_one_step_is_trained_by_every_schedule(self):
        from kerasseq.training.schedules import make_schedule

        for name in ("constant", "inverse_sqrt", "cosine", "linear"):
            assert float(make_schedule(TrainingConfig(schedule=name), 1)(0)) == pytest.approx(1e-3)


class TestWhatIsGone:
    def test_a_folder_that_is_deleted_while_it_trains(self, tmp_path):
        data = toy.Data(on_batch=lambda e, i: shutil.rmtree(tmp_path / "run", ignore_errors=True))
        with pytest.raises(UserError) as caught:
            toy.train(tmp_path / "run", SHORT, data=data)
        assert "its folder is gone: it was deleted or moved" in str(caught.value)
        assert "intact" not in str(caught.value) and "--resume" not in str(caught.value)

    def test_checkpoints_that_are_deleted_while_it_trains(self, tmp_path):
        folder = tmp_path / "run/checkpoints"
        data = toy.Data(on_batch=lambda e, i: shutil.rmtree(folder, ignore_errors=True))
        with pytest.raises(UserError, match="its folder is gone") as caught:
            toy.train(tmp_path / "run", SHORT, data=data)
        assert "intact" not in str(caught.value)

    def test_a_run_without_its_checkpoints_is_not_begun_anew(self, tmp_path):
        toy.train(tmp_path / "run", SHORT)
        shutil.rmtree(tmp_path / "run/checkpoints")
        log = (tmp_path / "run/log.jsonl").read_text()
        with pytest.raises(UserError, match="the log of a training but no checkpoint"):
            toy.train(tmp_path / "run", SHORT, resume=True)
        assert (tmp_path / "run/log.jsonl").read_text() == log

    def test_best_weights_that_are_gone(self, tmp_path):
        toy.train(tmp_path / "run", SHORT)
        (best,) = (tmp_path / "run/checkpoints").glob("best-*.npz")
        best.unlink()
        with pytest.raises(UserError, match=f"{best.name}: is gone; it was deleted or moved"):
            toy.train(tmp_path / "run", SHORT | {"epochs": 4}, resume=True)

    def test_a_curve_that_cannot_be_written(self, tmp_path):
        toy.train(tmp_path / "run", SHORT)
        os.unlink(tmp_path / "run/curves.png")
        (tmp_path / "run/curves.png").mkdir()
        with pytest.raises(UserError, match="curves.png: cannot be written: Is a directory") as e:
            toy.train(tmp_path / "run", SHORT, resume=True)
        assert "the last checkpoint is intact: go on from it with --resume" in str(e.value)


class TestValidationData:
    def test_there_must_be_some(self, tmp_path):
        with pytest.raises(UserError, match="the validation data make no batch"):
            toy.train(tmp_path, SHORT, valid=[])
        empty = [keras.tree.map_structure(np.zeros_like, batch) for batch in toy.VALID]
        with pytest.raises(UserError, match="no validation text has a unit"):
            toy.train(tmp_path / "run", SHORT | {"max_steps": 1}, valid=empty)

    def test_patience_needs_them(self, tmp_path):
        with pytest.raises(UserError, match="training.patience = 2 needs validation data"):
            toy.train(tmp_path, SHORT | {"patience": 2}, valid=None)
