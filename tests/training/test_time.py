"""What a training says of the time that it takes."""

import itertools
import re

import numpy as np
import pytest

from kerasseq.training import Position, TrainingConfig, pace, progress
from kerasseq.training.pace import Pace, describe_seconds, describe_time
from tests import toy

pytestmark = pytest.mark.backends


def batch(steps):
    return {"values": np.zeros((2, steps))}, np.zeros((2, 3)), np.ones((2, 3))


def test_steps_that_compile_do_not_count():
    timer = Pace()
    steps = [(8, 30.0), (8, 0.5), (16, 9.0), (8, 0.3)]
    assert [timer.add(batch(width), seconds) for width, seconds in steps[:1]] == [False]
    assert timer.add(batch(8), 0.5) and timer.seconds == 0.5  # it took long enough
    timer = Pace()
    for width, seconds in [(8, 9.0), (16, 9.0), *[(8, 0.2), (16, 0.4)] * 3]:
        assert timer.seconds is None
        last = timer.add(batch(width), seconds)
    assert last and timer.seconds == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (42.4, "42 seconds"),
        (89, "89 seconds"),
        (91, "1.5 minutes"),
        (720, "12 minutes"),
        (9000, "2.5 hours"),
        (1e6, "278 hours"),
    ],
)
def test_durations_in_words(seconds, words):
    assert describe_seconds(seconds) == words


def test_the_line_on_the_time():
    config = TrainingConfig(epochs=4)
    said = describe_time(config, Position(step=7), 640, 160, 1.2)
    assert said == (
        "Time    640 steps in about 13 minutes (1.2 s a step), 4 epochs; validation after each "
        "epoch, which takes more."
    )
    config = TrainingConfig(epochs=4, max_minutes=10, validate_every=50, patience=3)
    said = describe_time(config, Position(step=100, seconds=120.0), 640, 160, 1.2, resumed=True)
    assert said == (
        "Time    training.max_minutes = 10 reaches about 500 of 640 steps, 3.12 of 4 epochs "
        "(1.2 s a step); validation every 50 steps, which takes more; it ends earlier after 3 "
        "validations without a better one."
    )
    config = TrainingConfig(epochs=4)
    said = describe_time(config, Position(step=480), 640, 160, 0.02, resumed=True)
    assert said.startswith(
        "Time    the 160 steps left in about 3 seconds (0.02 s a step), 1 epoch;"
    )
    assert describe_time(config, Position(step=640), 640, 160, 1.2, resumed=True) == ""


def test_a_run_says_how_long_it_takes_and_a_resumed_run_what_is_left(tmp_path, capsys):
    options = {"epochs": 3, "learning_rate": 0.01}
    toy.train(tmp_path, options, silent=False)
    assert "Time    21 steps in about" in capsys.readouterr().err
    toy.train(tmp_path, options | {"epochs": 6}, resume=True, silent=False)
    assert re.search(r"Time    the 1\d steps left in about", capsys.readouterr().err)
    toy.train(tmp_path / "mute", options)
    assert not capsys.readouterr().err


def test_without_a_terminal_lines_say_how_far_it_is(monkeypatch, capsys):
    clock = itertools.count(step=4.0)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    shown = progress.Progress(total_steps=100, max_seconds=0)
    for step in range(1, 101):
        shown.update(Position(step=step, tokens=80 * step, epoch=1, index=1), 4.0 * step, 1.5, 1e-3)
    shown.close()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "step 4 of 100 | epoch 2 | loss 1.500 | rate 0.001 | 20 tokens/s | 0:06:24 left"
    )
    assert len(lines) == 20  # one in each twentieth of the time


def test_timed_steps_change_nothing(tmp_path, monkeypatch):
    digests = []
    for count in (2, 10**9):
        monkeypatch.setattr(pace, "_STEPS", count)
        model, _ = toy.train(tmp_path / str(count), {"max_steps": 9, "learning_rate": 0.01})
        digests.append(toy.digest(model))
    assert digests[0] == digests[1]
