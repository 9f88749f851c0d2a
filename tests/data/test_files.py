import os

import pytest

from kerasseq.applications.common.files import expand_folders
from kerasseq.errors import UserError
from kerasseq.media.endings import _PILLOW, _SNDFILE, PICTURES, SOUNDS, VIDEOS


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def names(found, folder):
    return [os.path.relpath(file, folder) for file in found.files]


def test_folders_are_walked_and_what_is_left_out_is_counted(tmp_path):
    kept = ["A.WAV", "b.opus", "c.aiff", "d/e.Flac", "d/f.m4a", "d/g.oga", "x.wav/h.mp3"]
    touch(tmp_path, *kept, "list.tsv", "d/notes.txt", "d/more.txt", "README", ".DS_Store")
    touch(tmp_path, ".git/i.wav", "d/._e.flac")
    found = expand_folders([str(tmp_path), "named.xyz"], SOUNDS, "sound file")
    assert names(found, tmp_path)[:-1] == kept and found.files[-1] == "named.xyz"
    assert found.left_out == {".tsv": 1, ".txt": 2, "no ending": 1} and found.hidden == 2
    note = found.describe_left_out("sound file")
    assert note.startswith("6 left out, whose names are not those of sound files: 2 × .txt")
    assert "2 × hidden" in note and str(tmp_path / "list.tsv") in note and note.endswith(", ...)")
    assert (
        expand_folders([str(tmp_path / "d/e.Flac")], SOUNDS, "sound file").describe_left_out(
            "sound file"
        )
        == ""
    )


def test_a_folder_with_nothing_to_read_is_refused_and_says_what_it_has(tmp_path):
    touch(tmp_path, "a.doc")
    with pytest.raises(UserError, match=r"no sound file \(.wav.*\) in it, but 1 left out.*a\.doc"):
        expand_folders([str(tmp_path)], SOUNDS, "sound file")


def test_links_are_followed_once_and_circles_end(tmp_path):
    touch(tmp_path, "top/a.png", "other/b.png")
    (tmp_path / "top/again").symlink_to(tmp_path / "top")
    (tmp_path / "top/other").symlink_to(tmp_path / "other")
    (tmp_path / "other/back").symlink_to(tmp_path / "top")
    (tmp_path / "top/itself.png").symlink_to(tmp_path / "top/itself.png")
    found = expand_folders([str(tmp_path / "top")], PICTURES, "picture")
    assert names(found, tmp_path / "top") == ["a.png", "itself.png", "other/b.png"]


def test_a_folder_that_cannot_be_opened_is_not_passed_over(tmp_path, monkeypatch):
    touch(tmp_path, "a.png", "shut/b.png")
    scan = os.scandir

    def scandir(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert names(expand_folders([str(tmp_path)], PICTURES, "picture"), tmp_path) == [
        "a.png",
        "shut",
    ]


def test_the_endings_are_those_of_what_the_readers_read():
    soundfile = pytest.importorskip("soundfile")
    image = pytest.importorskip("PIL.Image")
    assert {*_SNDFILE} == {*soundfile.available_formats()} - {"RAW", "SD2", "SDS"}
    image.init()
    known = {name for name, kind in image.registered_extensions().items() if kind in _PILLOW}
    assert known <= {*PICTURES} and {*_PILLOW} <= {*image.OPEN}
    for some in (SOUNDS, PICTURES, VIDEOS):
        assert len({*some}) == len(some) and all(name == name.lower() for name in some)
