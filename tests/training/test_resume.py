"""Whatever interrupts a training, it ends with the same weights, bit for bit."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from kerasseq.errors import UserError
from kerasseq.training import Interrupted, files
from tests import toy
from tests.thorough import cases, thorough

pytestmark = pytest.mark.backends

OPTIONS = {
    "max_steps": 12,
    "learning_rate": 0.01,
    "log_every": 2,
    "save_every": 3,
    "validate_every": 5,
}
VARIANTS = {
    "plain": {},
    "accumulated": {"accumulate": 2, "r_drop": 1.0, "clip_norm": 1.0, "schedule": "cosine"},
    "moving": {"ema": 0.9, "optimizer": "adamw", "precision": "mixed_float16"},
    "averaged": {"average_last": 2, "label_smoothing": 0.1, "best_by": "bleu", "warm_up": 4},
}


class Crash(Exception):
    pass


def crash_at(*places):
    left = list(places)

    def on_batch(epoch, index):
        if left and (epoch, index) == left[0]:
            left.pop(0)
            raise Crash

    return on_batch


def rows(folder):
    """The log without what depends on the clock."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    timed = ("seconds", "tokens_per_second")
    return [{k: v for k, v in json.loads(line).items() if k not in timed} for line in lines]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The digest and the log of a variant's training that nothing disturbed."""
    made = {}

    def of(variant):
        if variant not in made:
            folder = tmp_path_factory.mktemp("whole") / "run"
            model, _ = toy.train(folder, OPTIONS | VARIANTS[variant])
            made[variant] = toy.digest(model), rows(folder)
        return made[variant]

    return of


@pytest.mark.parametrize("variant", cases(VARIANTS, "plain"))
def test_a_crash_leaves_no_trace(tmp_path, variant, uninterrupted):
    options = OPTIONS | VARIANTS[variant]
    data = toy.Data(on_batch=crash_at((1, 3)))
    with pytest.raises(Crash):
        toy.train(tmp_path / "run", options, data=data)
    model, _ = toy.train(tmp_path / "run", options, resume=True, data=data)
    assert (toy.digest(model), rows(tmp_path / "run")) == uninterrupted(variant)
    again, position = toy.train(tmp_path / "run", options, resume=True)
    assert toy.digest(again) == toy.digest(model) and position.step == 12


@pytest.mark.parametrize("variant", cases(["plain", "averaged"], "plain"))
@pytest.mark.parametrize("before", [True, False])
def test_a_crash_at_any_write_leaves_no_trace(
    tmp_path, monkeypatch, variant, before, uninterrupted
):
    """Every fourth write fails, just before or just after the file gets its name."""
    options, real, calls = OPTIONS | VARIANTS[variant], os.replace, []

    def replace(source, target):
        calls.append(target)
        if len(calls) % 4 == 0:
            if not before:
                real(source, target)
            raise Crash
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    crashes = 0
    while True:
        try:
            resume = (tmp_path / "run/config.toml").exists()
            model, _ = toy.train(tmp_path / "run", options, resume)
            break
        except Crash:
            crashes += 1
    assert crashes >= 2
    assert (toy.digest(model), rows(tmp_path / "run")) == uninterrupted(variant)


@pytest.mark.parametrize("place", ["step", "validation"])
def test_ctrl_c_saves_and_says_how_to_go_on(tmp_path, place, uninterrupted):
    def press(*_):
        if len(seen) < 2:
            seen.append(0)
            os.kill(os.getpid(), signal.SIGINT if place == "step" else signal.SIGTERM)
            time.sleep(0.2)

    class Valid(list):
        def __getitem__(self, index):
            if place == "validation":
                press()
            return super().__getitem__(index)

    seen = [0]
    data = toy.Data(on_batch=press if place == "step" else lambda *_: None)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match="go on with the same command and --resume") as caught:
        toy.train(tmp_path / "run", OPTIONS, data=data, valid=Valid(toy.VALID))
    assert caught.value.code == (130 if place == "step" else 143)
    assert signal.getsignal(signal.SIGINT) is before
    model, _ = toy.train(tmp_path / "run", OPTIONS, resume=True)
    assert (toy.digest(model), rows(tmp_path / "run")) == uninterrupted("plain")


@thorough
def test_killed_at_random_instants(tmp_path, uninterrupted):
    """SIGKILL, twice, into a process that spends much of its time writing checkpoints."""
    options = OPTIONS | {"save_every": 1}
    folder = tmp_path / "run"
    arguments = [sys.executable, "-m", "tests.toy", str(folder), json.dumps(options), "0.05"]
    root = Path(__file__).parents[2]

    for _ in range(2):
        resume = ["--resume"] if (folder / "config.toml").exists() else []
        start = newest(folder)
        process = subprocess.Popen(arguments + resume, cwd=root, stdout=subprocess.PIPE)
        while newest(folder) <= start and process.poll() is None:
            time.sleep(0.005)
        time.sleep(random.uniform(0, 0.3))
        process.kill()
        process.wait()
        assert newest(folder) < 12, "the kill came too late to test anything"
    done = subprocess.run(
        [*arguments, "--resume"], cwd=root, stdout=subprocess.PIPE, text=True, check=True
    )
    assert (done.stdout.split()[-1], rows(folder)) == uninterrupted("plain")


def newest(folder):
    found = [int(p.stem[5:]) for p in (folder / "checkpoints").glob("step-*.npz")]
    return max(found, default=-1)


def test_a_full_disk_spoils_nothing(tmp_path, monkeypatch, uninterrupted):
    real, calls = np.savez, []

    def savez(file, **arrays):
        calls.append(file)
        if len(calls) == 4:
            file.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        real(file, **arrays)

    monkeypatch.setattr(files.np, "savez", savez)
    with pytest.raises(
        UserError, match="the disk is full: make room; the last checkpoint is intact: go on"
    ):
        toy.train(tmp_path / "run", OPTIONS)
    assert not list((tmp_path / "run/checkpoints").glob("*.part"))
    model, _ = toy.train(tmp_path / "run", OPTIONS, resume=True)
    assert toy.digest(model) == uninterrupted("plain")[0]


def test_arrays_of_every_type_come_back(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        f"model.{i}": (rng.normal(size=shape) * 9).astype(dtype)
        for i, (shape, dtype) in enumerate(
            [((2, 3), "float32"), ((), "int64"), ((4,), ml_dtypes.bfloat16), ((0, 2), "uint32")]
        )
    }
    files.save_arrays(tmp_path / "a.npz", arrays, {"step": 3, "seconds": 0.1 + 0.2})
    back, facts = files.load_arrays(tmp_path / "a.npz")
    assert facts == {"step": 3, "seconds": 0.1 + 0.2}
    assert back.keys() == arrays.keys()
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype and back[name].tobytes() == array.tobytes()


def test_a_damaged_checkpoint_is_named(tmp_path):
    toy.train(tmp_path / "run", OPTIONS | {"max_steps": 3})
    file = tmp_path / "run/checkpoints/step-00000003.npz"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UserError, match="step-00000003.npz: cannot be read as a checkpoint"):
        toy.train(tmp_path / "run", OPTIONS | {"max_steps": 3}, resume=True)


def test_a_checkpoint_of_another_backend_is_named(tmp_path):
    toy.train(tmp_path / "run", OPTIONS | {"max_steps": 3})
    file = tmp_path / "run/checkpoints/step-00000003.npz"
    arrays, facts = files.load_arrays(file)
    files.save_arrays(file, arrays, facts | {"backend": "mxnet"})
    with pytest.raises(UserError, match="set KERAS_BACKEND=mxnet to go on with it"):
        toy.train(tmp_path / "run", OPTIONS | {"max_steps": 3}, resume=True)


def test_a_checkpoint_of_another_model_is_named(tmp_path, monkeypatch):
    toy.train(tmp_path / "run", OPTIONS | {"max_steps": 3})
    monkeypatch.setattr(toy, "VOCABULARY", 29)
    with pytest.raises(UserError, match="was written by another model"):
        toy.train(tmp_path / "run", OPTIONS | {"max_steps": 3}, resume=True)
