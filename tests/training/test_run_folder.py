"""A run's folder: what fails leaves nothing behind, and what is replaced was a run."""

import os

import pytest

from kerasseq.errors import UserError
from kerasseq.training import Run, TrainingConfig
from kerasseq.training.folder import check_run_folder, find_foreign_file
from tests import toy

CONFIG = toy.Config(TrainingConfig())


def finished(folder):
    """A run that has made steps, with what a head leaves too."""
    with Run(folder, CONFIG) as run:
        run.note_step()
        run.append_to_log({"step": 1})
        (folder / "model.keras").write_text("old")
        (folder / "checkpoints" / "step-00000001.npz").touch()
        (folder / "data" / "train").mkdir(parents=True)
        (folder / "data" / "train" / "meta.json").touch()
        (folder / "data" / "target.model").touch()
    return folder


def names(folder):
    return sorted(path.name for path in folder.rglob("*"))


def test_a_run_that_makes_no_step_leaves_nothing(tmp_path):
    folder = tmp_path / "runs" / "one"
    with pytest.raises(ValueError, match="no data"), Run(folder, CONFIG) as run:
        (run.folder / "data" / "train").mkdir(parents=True)
        raise ValueError("no data")
    assert not list(tmp_path.iterdir())
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError), Run(tmp_path / "empty", CONFIG):
        raise ValueError
    assert not list((tmp_path / "empty").iterdir())


def test_what_was_interrupted_or_has_made_a_step_stays(tmp_path):
    with pytest.raises(KeyboardInterrupt), Run(tmp_path / "a", CONFIG):
        raise KeyboardInterrupt
    with pytest.raises(ValueError), Run(tmp_path / "b", CONFIG) as run:
        run.note_step()
        raise ValueError
    assert (tmp_path / "a" / "config.toml").exists() and (tmp_path / "b" / "config.toml").exists()
    with pytest.raises(ValueError), Run(tmp_path / "b", CONFIG, resume=True) as run:
        raise ValueError
    assert run.resumed and (tmp_path / "b" / "config.toml").exists()


def test_to_resume_where_there_is_no_run_begins_one(tmp_path):
    with Run(tmp_path / "r", CONFIG, resume=True) as run:
        assert not run.resumed
    with Run(tmp_path / "r", CONFIG, resume=True) as run:
        assert run.resumed


def test_an_old_run_goes_with_the_first_step_of_the_new_one(tmp_path):
    folder = finished(tmp_path / "r")
    before = names(folder)
    other = toy.Config(TrainingConfig(epochs=3))
    with pytest.raises(ValueError), Run(folder, other, overwrite=True) as run:
        assert not (folder / "model.keras").exists() and not run.read_log()
        raise ValueError
    assert names(folder) == before and (folder / "model.keras").read_text() == "old"
    assert check_run_folder(folder, CONFIG, resume=True)
    with Run(folder, other, overwrite=True) as run:
        run.note_step()
    assert names(folder) == [".lock", "checkpoints", "config.toml"]
    assert check_run_folder(folder, other, resume=True)


def test_an_old_run_waits_for_a_step_however_many_runs_are_to_replace_it(tmp_path):
    folder = finished(tmp_path / "r")
    before = names(folder)
    with pytest.raises(KeyboardInterrupt), Run(folder, CONFIG, overwrite=True):
        raise KeyboardInterrupt
    with pytest.raises(ValueError), Run(folder, CONFIG, overwrite=True):
        raise ValueError
    assert names(folder) == before and (folder / "model.keras").read_text() == "old"
    with pytest.raises(KeyboardInterrupt), Run(folder, CONFIG, overwrite=True):
        raise KeyboardInterrupt
    with pytest.raises(ValueError), Run(folder, CONFIG, resume=True):
        raise ValueError
    assert (folder / ".replaced" / "model.keras").exists()
    with Run(folder, CONFIG, resume=True) as run:
        run.note_step()
    assert names(folder) == [".lock", "checkpoints", "config.toml"]


@pytest.mark.parametrize(
    "name",
    ["thesis.tex", "checkpoints/notes.txt", "data/mine.tsv", "data/mine/a.wav", "src/main.py"],
)
def test_nothing_but_a_run_is_overwritten(tmp_path, name):
    folder = finished(tmp_path / "r")
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    before = names(folder)
    with pytest.raises(UserError, match=f"{name.split('/')[0]} is no part of one"):
        Run(folder, CONFIG, overwrite=True)
    assert names(folder) == before


def test_a_link_is_not_followed_when_a_run_is_overwritten(tmp_path):
    folder = finished(tmp_path / "r")
    elsewhere = finished(tmp_path / "elsewhere")
    os.symlink(elsewhere / "checkpoints", folder / "tensorboard")
    assert find_foreign_file(folder) == "tensorboard"
    with pytest.raises(UserError, match="tensorboard is no part"):
        Run(folder, CONFIG, overwrite=True)
    (tmp_path / "way").symlink_to(elsewhere)
    with Run(tmp_path / "way", CONFIG, overwrite=True) as run:
        run.note_step()
    assert names(elsewhere) == [".lock", "checkpoints", "config.toml"]


def test_a_configuration_of_ones_own_is_no_run(tmp_path):
    (tmp_path / "config.toml").write_text("[tool]\nx = 1\n")
    with pytest.raises(UserError, match="deletes runs alone"):
        Run(tmp_path, CONFIG, overwrite=True)
    assert names(tmp_path) == ["config.toml"]


def test_folders_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "astray").symlink_to(tmp_path / "nowhere")
    for name in ("file", "astray"):
        with pytest.raises(UserError, match="is not a folder"):
            Run(tmp_path / name, CONFIG, overwrite=True)
    with pytest.raises(UserError, match="choose one"):
        Run(tmp_path / "r", CONFIG, resume=True, overwrite=True)
    with pytest.raises(UserError, match="cannot be used"):
        Run("/proc/kerasseq/run", CONFIG)
    assert (tmp_path / "file").read_text() == "mine"
