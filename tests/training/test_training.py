import json

import keras
import numpy as np
import pytest
from keras import ops

from kerasseq import backend
from kerasseq.errors import UserError
from kerasseq.training import Run, TrainingConfig
from kerasseq.training.optimizer import make_optimizer
from kerasseq.training.prefetch import prefetch
from tests import toy

pytestmark = pytest.mark.backends

SHORT = {"max_steps": 6, "learning_rate": 0.01, "validate_every": 2}


def arrays(model):
    return [np.array(ops.convert_to_numpy(v)) for v in model.weights]


def compiled(**options):
    """A toy, ready for a stepper."""
    keras.utils.set_random_seed(1)
    model = toy.Toy()
    model.build(None)
    model.compile(optimizer=make_optimizer(TrainingConfig(**options), 100))
    model.optimizer.build(model.trainable_variables)
    return model, backend.make_stepper(model)


def log(folder, kind):
    rows = map(json.loads, (folder / "log.jsonl").read_text().splitlines())
    return [row for row in rows if row["kind"] == kind]


def test_it_learns_and_leaves_a_full_run_folder(tmp_path, capsys):
    options = {"epochs": 30, "learning_rate": 0.02, "log_every": 20}
    _, position = toy.train(
        tmp_path, options, on_validation=lambda model: {"bleu": 1.0}, silent=False
    )
    train, valid = log(tmp_path, "train"), log(tmp_path, "valid")
    assert position.step == 210 and position.ending == "training.epochs is 30"
    assert train[-1]["loss"] < train[0]["loss"] / 2
    assert [row["step"] for row in train] == [*range(20, 201, 20), 210]
    assert [(row["epoch"], row["step"]) for row in valid] == [(i, 7 * i) for i in range(1, 31)]
    assert position.best["accuracy"] > 0.8 and position.best["bleu"] == 1.0
    words = sum(toy.batch(0, e, i)[2].sum() for e in range(30) for i in range(7))
    assert position.tokens == words
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"config.toml", "log.jsonl", "checkpoints", "curves.png", ".lock"}
    said = capsys.readouterr().err
    assert "step 210  loss 0." in said and "Training is over: training.epochs is 30." in said


def test_the_best_weights_are_the_last_word(tmp_path):
    seen = {}

    def measure(model):
        seen[len(seen)] = arrays(model)
        return {"bleu": [3.0, 5.0, 4.0, 2.0, 1.0][len(seen) - 1]}

    options = SHORT | {"max_steps": 20, "best_by": "bleu", "patience": 2}
    model, position = toy.train(tmp_path, options, on_validation=measure)
    assert position.step == 8 and position.best["step"] == 4 and position.worse == 2
    assert position.ending == "2 validations without a better one"
    for mine, best in zip(arrays(model), seen[1], strict=True):
        np.testing.assert_array_equal(mine, best)
    assert [row["best"] for row in log(tmp_path, "valid")] == [True, True, False, False]


def test_the_time_limit(tmp_path):
    _, position = toy.train(tmp_path, {"max_minutes": 1e-6})
    assert position.step == 1 and position.ending == "training.max_minutes is 1e-06"


def test_averages_of_the_last_weights(tmp_path):
    raw, averaged = [], []
    keep = {"raw": raw, "mean": averaged}
    for name, last in {"raw": 0, "mean": 3}.items():
        toy.train(
            tmp_path / name,
            SHORT | {"max_steps": 8, "average_last": last},
            on_validation=lambda model, name=name: keep[name].append(arrays(model)) or {},
        )
    for mean, *parts in zip(averaged[3], *raw[1:4], strict=True):
        np.testing.assert_allclose(mean, np.mean(parts, axis=0), rtol=1e-6, atol=1e-7)
    kept = sorted(path.name for path in (tmp_path / "mean/checkpoints").glob("weights*"))
    assert kept == [f"weights-{step:08d}.npz" for step in (4, 6, 8)]


@pytest.mark.parametrize("greatest", [0.3, 0.9])
def test_the_moving_average_validates(greatest, tmp_path):
    """With a momentum that reaches back over a fifth of the steps so far, and no further."""
    raw, moving = [], []
    toy.train(
        tmp_path / "raw",
        SHORT | {"validate_every": 1},
        on_validation=lambda model: raw.append(arrays(model)) or {},
    )
    toy.train(
        tmp_path / "ema",
        SHORT | {"validate_every": 1, "ema": greatest},
        on_validation=lambda model: moving.append(arrays(model)) or {},
    )
    wanted = raw[0]  # the average begins with the weights after the first update
    for step in range(1, 6):
        momentum = min(greatest, step / (step + 5))
        wanted = [momentum * a + (1 - momentum) * b for a, b in zip(wanted, raw[step], strict=True)]
    for mine, theirs in zip(moving[5], wanted, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


def test_accumulated_batches_are_one_update():
    halves = [toy.batch(0, 0, 0), toy.batch(0, 1, 0)]
    whole = keras.tree.map_structure(lambda a, b: np.concatenate([a, b]), *halves)
    for half in halves:  # Keras means over batches, so let them weigh the same
        half[2][:] = half[2] / half[2].sum()
    whole[2][:] = np.concatenate([half[2] for half in halves])
    results = []
    for batches, accumulate in ((halves, 2), ([whole], 1)):
        model, step = compiled(accumulate=accumulate, epsilon=1e-3)
        model.dropout.rate = model.attention._dropout_layer.rate = 0.0
        for batch in batches:
            step(batch)
        step.sync()
        results.append(arrays(model))
    for one, two in zip(*results, strict=True):
        np.testing.assert_allclose(one, two, atol=2e-6)


def test_clipping_bounds_the_gradient_of_rows_named_twice():
    # Adam with a huge epsilon moves by rate * gradient / epsilon.
    options = {"beta_2": 0.0, "epsilon": 1e6, "learning_rate": 1e6, "clip_norm": 1e-3}
    model, step = compiled(**options)
    before = arrays(model)
    step(toy.batch(0, 0, 0))
    step.sync()
    moved = np.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(arrays(model), before, strict=True)))
    np.testing.assert_allclose(moved, 1e-3, rtol=1e-2)


def test_weight_decay_spares_biases_and_norms():
    models = []
    for decay in (0.5, 0.0):
        model, step = compiled(optimizer="adamw", weight_decay=decay, learning_rate=1e-2)
        step(toy.batch(0, 0, 0))
        step.sync()
        models.append(model.trainable_variables)
    for a, b in zip(*models, strict=True):
        decayed = not np.array_equal(ops.convert_to_numpy(a), ops.convert_to_numpy(b))
        assert decayed == (a.name in ("kernel", "embeddings")), a.path


def test_evaluation_takes_no_part_in_training():
    digests = []
    for evaluates in (False, True):
        model, step = compiled()
        for i in range(3):
            step(toy.batch(0, 0, i))
            if evaluates:
                step.sync()
                sums = [float(x) for x in step.evaluate(toy.VALID[0])]
                assert sums[1] == toy.VALID[0][2].sum() and 0 <= sums[2] <= sums[1]
        step.sync()
        digests.append(toy.digest(model))
    assert digests[0] == digests[1]


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    with pytest.raises(UserError, match=r"the loss is (nan|inf) at step \d+; .*step-0000000"):
        toy.train(tmp_path, {"learning_rate": 1e30, "save_every": 1, "log_every": 1})
    for file in (tmp_path / "checkpoints").glob("step-*.npz"):
        with np.load(file) as saved:
            assert all(np.isfinite(saved[n]).all() for n in saved.files if n.startswith("model"))


def test_slow_steps_are_saved_by_the_clock(tmp_path, monkeypatch):
    monkeypatch.setattr("kerasseq.training.loop._SAVE_SECONDS", 0.0)
    toy.train(tmp_path, SHORT | {"max_steps": 4, "save_every": 1000, "validate_every": 1000})
    saved = {path.stem for path in (tmp_path / "checkpoints").iterdir()}
    assert {"step-00000003", "step-00000004"} <= saved


def test_mixed_precision_keeps_float32_weights(tmp_path):
    for precision in ("mixed_float16", "mixed_bfloat16"):
        model, position = toy.train(tmp_path / precision, SHORT | {"precision": precision})
        assert {v.dtype for v in model.weights} == {"float32"}
        assert np.isfinite(position.best["loss"])


def test_the_model_must_be_built_for_the_precision(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.config, "set_dtype_policy", lambda name: None)
    with pytest.raises(ValueError, match="the model computes in float32, but training.precision"):
        toy.train(tmp_path, SHORT | {"precision": "mixed_bfloat16"})


def test_nothing_to_train_on(tmp_path):
    with pytest.raises(UserError, match="the training data make no batch"):
        toy.train(tmp_path, SHORT, data=toy.Data(batches=0))


def test_the_best_by_bleu_needs_bleu(tmp_path):
    with pytest.raises(UserError, match="training.best_by = bleu needs validation data"):
        toy.train(tmp_path, SHORT | {"best_by": "bleu"}, on_validation=None)


def test_without_validation_data_the_last_weights_stay(tmp_path):
    seen = []
    _, position = toy.train(
        tmp_path,
        SHORT,
        valid=None,
        on_validation=lambda model: seen.append(toy.digest(model)) or {},
    )
    assert len(seen) == 3 and position.best["step"] == 6


class TestRunFolder:
    def config(self, **options):
        return toy.Config(TrainingConfig(**options))

    def test_another_configuration_is_refused(self, tmp_path):
        Run(tmp_path / "r", self.config()).close()
        for resume in (False, True):
            with pytest.raises(UserError) as caught:
                Run(tmp_path / "r", self.config(epochs=3, seed=5), resume)
            text = str(caught.value)
            assert "another configuration (training.seed is 5, was 1; training.epochs is 3" in text

    def test_an_existing_run_is_not_overwritten(self, tmp_path):
        Run(tmp_path / "r", self.config()).close()
        with pytest.raises(UserError, match="go on with it by --resume"):
            Run(tmp_path / "r", self.config())
        Run(tmp_path / "r", self.config(), resume=True).close()

    def test_a_log_that_cannot_be_written_is_named(self, tmp_path):
        with Run(tmp_path / "r", self.config()) as run:
            run.log_path.mkdir()
            with pytest.raises(UserError, match="log.jsonl: cannot be written: Is a directory"):
                run.append_to_log({})

    def test_other_files_are_left_alone(self, tmp_path):
        (tmp_path / "thesis.tex").touch()
        with pytest.raises(UserError, match="has other files in it"):
            Run(tmp_path, self.config())

    def test_one_process_at_a_time(self, tmp_path):
        with Run(tmp_path / "r", self.config()):
            with pytest.raises(UserError, match="another process is training in this folder"):
                Run(tmp_path / "r", self.config(), resume=True)
        Run(tmp_path / "r", self.config(), resume=True).close()

    def test_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(UserError, match="cannot be used: Not a directory"):
            Run(tmp_path / "file/r", self.config())

    def test_the_model_is_saved_whole(self, tmp_path):
        model, _ = compiled()
        with Run(tmp_path / "r", self.config()) as run:
            path = run.save_model(model)
        assert model.optimizer is not None
        loaded = keras.saving.load_model(path)
        assert not getattr(loaded, "optimizer", None) and not loaded.compiled
        assert path.stat().st_size < 2 * sum(a.nbytes for a in arrays(model)) + 50_000
        assert toy.digest(loaded) == toy.digest(model)
        assert [p.name for p in path.parent.glob("*.keras")] == ["model.keras"]


class TestPrefetch:
    def test_order(self):
        assert list(prefetch(iter(range(50)), depth=3)) == list(range(50))

    def test_an_exception_comes_in_its_place(self):
        def items():
            yield from (1, 2)
            raise KeyError("three")

        ready = prefetch(items())
        assert [next(ready), next(ready)] == [1, 2]
        with pytest.raises(KeyError, match="three"):
            next(ready)

    def test_it_runs_no_further_ahead_and_ends_when_closed(self):
        made = []
        ready = prefetch((made.append(i) for i in range(1000)), depth=2)
        next(ready)
        ready.close()
        assert len(made) <= 5


def test_tensorboard(tmp_path):
    event_accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator"
    )
    toy.train(tmp_path, SHORT | {"tensorboard": True, "log_every": 3})
    events = event_accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    for kind in ("train", "valid"):
        written = [(e.step, e.value) for e in events.Scalars(f"{kind}/loss")]
        logged = [(row["step"], np.float32(row["loss"])) for row in log(tmp_path, kind)]
        assert written == logged
