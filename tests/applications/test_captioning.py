"""The captioning head on the command line: training, resuming, captions."""

import json
import zipfile

import numpy as np
import pytest
from PIL import Image

import kerasseq
from kerasseq.applications.captioning.config import configure
from kerasseq.applications.captioning.parts import read_parts
from kerasseq.applications.captioning.training import Captioning
from kerasseq.cli import main
from kerasseq.training.checkpoint import Checkpoints
from tests import squares
from tests.thorough import cases, thorough


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of squares, and a list of them in which some lines are bad."""
    folder = tmp_path_factory.mktemp("pictures")
    listed = squares.write(folder, 96)
    lines = listed.read_text().splitlines(keepends=True)
    (folder / "valid.tsv").write_text("".join(lines[:16]))
    (folder / "broken.png").write_bytes(b"\x89PNG not a picture at all")
    with open(listed, "a") as file:
        file.write("broken.png\ta red square on the left\nmissing.png\ta cat\n0.png\t \n")
    return folder


def command(folder, output, *more, model="show-attend-tell", **settings):
    steps = {"training__max_steps": 4, "training__validate_every": 2, **settings}
    files = ["--train", str(folder / "list.tsv"), "--output", str(output)]
    return ["train", "captioning", "--model", model, *files, *squares.settings(**steps), *more]


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    """A run that has learned the squares."""
    output = tmp_path_factory.mktemp("runs") / "run"
    steps = {"training__max_steps": 400, "training__epochs": 40, "training__validate_every": 100}
    known = ["--valid", str(folder / "valid.tsv")]  # a part that is cut off depends on the paths
    assert main(command(folder, output, *known, data__valid_size=None, **steps)) == 0
    return output


def test_it_learns_what_is_where(run):
    model = kerasseq.load(run)
    rng = np.random.default_rng(7)
    wanted = [(colour, place) for colour in squares.COLOURS for place in squares.PLACES]
    texts = model.generate([squares.picture(*some, rng) for some in wanted])
    for text, some in zip(texts, wanted, strict=True):
        assert sorted(text.split()) == sorted(f"a {some[0]} square on the {some[1]}".split())


@pytest.mark.parametrize(("kind", "lengths"), [("convolution", 2), ("vision-transformer", 1)])
def test_batch_norms_are_not_told_how_long_captions_are(folder, tmp_path, kind, lengths):
    """What is written of half the pictures is long. Batches of like captions would tell which."""
    texts = ["a b c d e f g h i j k l", "a b"] * 16
    lines = [f"{folder / f'{row}.png'}\t{text}\n" for row, text in enumerate(texts)]
    (tmp_path / "list.tsv").write_text("".join(lines))
    lists = {"train": [str(tmp_path / "list.tsv")], "valid": [str(folder / "valid.tsv")]}
    settings = ["pictures.size=32", "training.batch_pictures=16", f"model.encoder.kind={kind}"]
    config = configure(lists, "transformer", overrides=settings)
    head = Captioning(config, read_parts(config.data))
    data = head.prepare(head.build(head.learn_preprocessor()), tmp_path, resume=False)
    epoch = data.epochs.epoch(0)
    found = [{len(row[row > 0]) for row in labels} for _, labels, _ in epoch]
    assert [len(some) for some in found] == [lengths, lengths]


def test_training_leaves_a_run_and_names_what_it_leaves_out(folder, tmp_path, capsys):
    assert main(command(folder, tmp_path / "run")) == 0
    written = capsys.readouterr().out
    assert "broken.png" in written and "missing.png" in written
    assert "list.tsv:195" in written and "what is said of it" in written
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"model.keras", "curves.png", "pictures.png", "attention.png"} <= names


@pytest.mark.parametrize("model", cases(["show-and-tell", "transformer", "s2vt"]))
def test_every_kind_of_model_trains(folder, tmp_path, model):
    settings = dict(squares.SETTINGS)
    if model == "transformer":
        settings = {k: v for k, v in settings.items() if k != "model.embedding"}
    chosen = {"training.max_steps": 2, "training.validate_every": 2, **settings}
    words = [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]
    files = ["--train", str(folder / "list.tsv"), "--output", str(tmp_path / "run")]
    more = ["--set", "model.heads=2"] if model == "transformer" else []
    assert main(["train", "captioning", "--model", model, *files, *words, *more]) == 0
    assert len(kerasseq.load(tmp_path / "run").generate([folder / "0.png"])) == 1
    assert (tmp_path / "run" / "attention.png").is_file() == (model == "transformer")


@thorough
def test_an_interrupted_self_critical_run_ends_with_the_same_weights(
    folder, run, tmp_path, monkeypatch
):
    def dying(*arguments, calls=[], save=Checkpoints.save):  # noqa: B006
        calls.append(arguments)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return save(*arguments)

    more = ["--start-from", str(run), "--set", "training.self_critical=true"]

    def trained(output, *resume):
        # A model to start from brings its own kind.
        words = command(folder, output, *more, *resume)
        return main([word for word in words if word not in ("--model", "show-attend-tell")])

    assert trained(tmp_path / "whole") == 0
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", dying)
        assert trained(tmp_path / "run") == 130
    assert trained(tmp_path / "run", "--resume") == 0
    begun, *models = [kerasseq.load(name) for name in (run, tmp_path / "whole", tmp_path / "run")]
    first, *weights = [model.get_weights() for model in (begun, *models)]
    assert any((one != other).any() for one, other in zip(first, weights[0], strict=True))
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("before", [False, True])
def test_the_backbone_of_a_model_to_start_from_is_trained_if_it_is_asked_for(
    folder, tmp_path, before
):
    def head(trainable):
        lists = {"train": [str(folder / "list.tsv")], "valid": [str(folder / "valid.tsv")]}
        encoder = {"weights": "none", "trainable": str(trainable).lower()}
        settings = [f"model.encoder.{name}={value}" for name, value in encoder.items()]
        config = configure(lists, overrides=["pictures.size=32", *settings])
        return Captioning(config, read_parts(config.data))

    first = head(before)
    model = first.build(first.learn_preprocessor())
    head(not before).prepare(model, tmp_path, resume=False)
    trained = model.encoder.layers[0].backbone.trainable_variables
    assert bool(trained) == (not before)


def test_caption_takes_pictures_of_any_kind(run, folder, tmp_path, capsys):
    square = Image.open(folder / "0.png")
    square.convert("CMYK").resize((50, 60)).save(tmp_path / "a.jpg")
    square.convert("P").save(tmp_path / "b.png")
    square.save(tmp_path / "c.gif", save_all=True, append_images=[square])
    assert main(["caption", str(run), str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and len({tuple(sorted(line.split())) for line in lines}) == 1


def test_caption_goes_on_behind_what_it_cannot_read(run, folder, tmp_path, capsys):
    files = [folder / name for name in ("0.png", "broken.png", "nowhere.png", "1.png")]
    (tmp_path / "list").write_text("".join(f"{file}\n" for file in files))
    assert main(["caption", str(run), "--json", "--input", str(tmp_path / "list")]) == 1
    captured = capsys.readouterr()
    rows = [json.loads(line) for line in captured.out.splitlines()]
    assert [row["file"] for row in rows] == list(map(str, files))
    assert ["error" in row for row in rows] == [False, True, True, False]
    assert "broken.png" in captured.err and "nowhere.png" in captured.err


def test_attention_is_drawn_over_the_picture(run, folder, tmp_path, capsys):
    drawn = tmp_path / "map.png"
    assert main(["caption", str(run), str(folder / "0.png"), "--attention", str(drawn)]) == 0
    assert Image.open(drawn).size[0] > 300
    assert main(["caption", str(run), str(folder), "--attention", str(drawn)]) == 2
    assert "--attention is for one picture" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["caption", "RUN", "http://x.org/a.jpg"], "http://x.org/a.jpg"),
        (["caption", "RUN", "A", "--batch-size", "0"], "--batch-size must be at least 1"),
        (["caption", "RUN", "A", "--beam", "0"], "--beam must be a whole number from 1 to 1,000"),
        (["caption", "RUN"], "Give a file"),
        (["transcribe", "RUN", "A"], "reads picture"),
    ],
)
def test_refusals(run, folder, capsys, words, error):
    named = {"RUN": str(run), "A": str(folder / "0.png")}
    assert main([named.get(word, word) for word in words]) in (1, 2)
    assert error in capsys.readouterr().err


def test_evaluate_measures_captions(run, folder, tmp_path, capsys):
    written = tmp_path / "texts"
    command = ["evaluate", str(run), "--data", str(folder / "list.tsv"), "--json"]
    assert main([*command, "--output", str(written)]) == 1  # some are left out
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert "broken.png" in captured.err
    texts = written.read_text().splitlines()
    assert found["pictures"] == len(texts) > 20
    known = {line.split("\t")[1] for line in (folder / "list.tsv").read_text().splitlines()}
    exact = found["scores"]["exact match"]
    assert set(texts) <= known and exact > 50
    assert found["scores"]["CIDEr-D"] > 100 and found["scores"]["BLEU-4"] > 50
    assert main([*command, "--lm-weight", "1"]) == 2
    assert "--lm-weight needs a language model" in capsys.readouterr().err


def test_a_compact_model_is_half_as_large_and_writes_the_same(run, folder, tmp_path, capsys):
    small = tmp_path / "small.keras"
    assert main(["compact", str(run), str(small)]) == 0
    size = (run / "model.keras").stat().st_size
    assert small.stat().st_size < 0.6 * size
    assert f"{small.stat().st_size:,} bytes of {size:,}" in capsys.readouterr().out
    whole, halved = kerasseq.load(run), kerasseq.load(small)
    for one, other in zip(whole.get_weights(), halved.get_weights(), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=2**-11, atol=2**-24)
    pictures = [folder / f"{index}.png" for index in range(8)]
    assert whole.generate(pictures) == halved.generate(pictures)


def test_what_cannot_be_compact_is_left_alone(run, tmp_path, capsys):
    assert main(["compact", str(run), str(tmp_path / "model")]) == 2
    assert "must end in .keras" in capsys.readouterr().err
    odd = tmp_path / "odd.keras"
    odd.write_text("nothing")
    assert main(["compact", str(odd), str(tmp_path / "small.keras")]) == 2
    assert "not a .keras file" in capsys.readouterr().err
    with zipfile.ZipFile(odd, "w") as archive:
        archive.writestr("config.json", "{}")
    assert main(["compact", str(odd), str(tmp_path / "small.keras")]) == 2
    assert "no model.weights.h5 in it" in capsys.readouterr().err
    model = kerasseq.load(run)
    weights = model.get_weights()
    weights[0] = np.full_like(weights[0], 1e5)
    model.set_weights(weights)
    model.save(odd)
    assert main(["compact", str(odd), str(odd)]) == 2
    assert "too large for 16 bits" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["odd.keras"]
    kerasseq.load(odd)
