"""The speech recognition head on the command line: training, resuming, transcribing."""

import json
import sys

import numpy as np
import pytest
import soundfile

import kerasseq
from kerasseq.applications.speech_recognition.use import transcribe
from kerasseq.cli import main
from kerasseq.media.silence import split_at_silences
from kerasseq.metrics import cer, wer
from kerasseq.training.checkpoint import Checkpoints
from tests import tones
from tests.thorough import thorough

pytestmark = pytest.mark.backends


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Recordings of tones, and a list of them in which some lines are bad."""
    folder = tmp_path_factory.mktemp("recordings")
    lines = []
    for index, (sound, text) in enumerate(zip(*tones.recordings(40, 1), strict=True)):
        soundfile.write(folder / f"{index}.wav", sound, tones.RATE)
        lines.append(f"{index}.wav\t{text}\n")
    (folder / "broken.wav").write_bytes(b"RIFF not a sound at all")
    lines += ["broken.wav\tlo\n", "missing.wav\thi\n", "0.wav\t \n"]
    (folder / "list.tsv").write_text("".join(lines))
    return folder


def command(folder, output, *more):
    settings = ["training.max_steps=4", "training.batch_seconds=8", "training.validate_every=2"]
    every = [*tones.SETTINGS, *settings]
    chosen = [word for setting in every for word in ("--set", setting)]
    files = ["--train", str(folder / "list.tsv"), "--output", str(output)]
    return ["train", "speech-recognition", "--model", "ctc", *files, *chosen, *more]


@pytest.fixture(scope="module")
def run(folder, tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "run"
    assert main(command(folder, output)) == 0
    return output


def test_training_leaves_a_run_and_names_what_it_leaves_out(folder, tmp_path, capsys):
    assert main(command(folder, tmp_path / "run")) == 0
    written = capsys.readouterr().out
    assert "broken.wav" in written and "missing.wav" in written
    assert "the transcript is empty" in written
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"model.keras", "curves.png", "config.toml", "log.jsonl"} <= names


def test_an_interrupted_run_ends_with_the_same_weights(folder, run, tmp_path, monkeypatch):
    def dying(*arguments, calls=[], save=Checkpoints.save):  # noqa: B006
        calls.append(arguments)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return save(*arguments)

    output = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "save", dying)
        assert main(command(folder, output)) == 130
    assert main(command(folder, output, "--resume")) == 0
    models = [kerasseq.load(place) for place in (run, output)]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_array_equal(one, other)


@thorough
def test_a_transducer_begins_with_the_encoder_of_a_ctc_model(folder, run, tmp_path, capsys):
    still = ["--set", "training.learning_rate=1e-12", "--set", f"training.encoder_from={run}"]
    begun = [word if word != "ctc" else "transducer" for word in command(folder, tmp_path / "run")]
    assert main([*begun, *still]) == 0
    one, other = (kerasseq.load(path).encoder.get_weights() for path in (run, tmp_path / "run"))
    for weights, others in zip(one, other, strict=True):
        np.testing.assert_allclose(weights, others, rtol=1e-6, atol=1e-9)  # averages round
    for other in ("model.encoder.units=9", "sound.scale=htk"):
        assert main(command(folder, tmp_path / other, *still, "--set", other)) == 2
        assert "training.encoder_from copies the encoder of" in capsys.readouterr().err


def test_transcribe_takes_files_of_any_rate_and_kind(run, tmp_path, capsys):
    rng = np.random.default_rng(2)
    sound = tones.spoken("lo hi", rng)
    stereo = np.repeat(np.repeat(sound, 2)[:, None], 2, axis=1)  # at twice the rate
    names = ["a.wav", "b.flac", "c.ogg", "d.mp3"]
    for name in names[:3]:
        soundfile.write(tmp_path / name, stereo, 2 * tones.RATE)
    soundfile.write(tmp_path / "d.mp3", stereo, 8000, format="MP3")
    files = [str(tmp_path / name) for name in names]
    assert main(["transcribe", str(run), "--json", *files]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["file"] for row in rows] == files
    assert all(abs(row["seconds"] - len(sound) / tones.RATE) < 0.1 for row in rows)
    assert main(["transcribe", str(run), str(tmp_path)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_transcribe_goes_on_behind_what_it_cannot_read(run, folder, tmp_path, capsys):
    files = [folder / name for name in ("0.wav", "broken.wav", "nowhere.wav", "1.wav")]
    (tmp_path / "list").write_text("".join(f"{file}\n" for file in files))
    assert main(["transcribe", str(run), "--json", "--input", str(tmp_path / "list")]) == 1
    captured = capsys.readouterr()
    rows = [json.loads(line) for line in captured.out.splitlines()]
    assert [row["file"] for row in rows] == list(map(str, files))
    assert ["error" in row for row in rows] == [False, True, True, False]
    assert "broken.wav" in captured.err and "nowhere.wav" in captured.err


def test_the_shortest_recording_is_no_error(run, tmp_path, capsys):
    soundfile.write(tmp_path / "short.wav", np.zeros(50, np.int16), tones.RATE)
    assert main(["transcribe", str(run), str(tmp_path / "short.wav")]) == 0
    (tmp_path / "list.tsv").write_text("short.wav\tlo\n")
    assert main(["evaluate", str(run), "--data", str(tmp_path / "list.tsv")]) == 0
    assert "1 recordings" in capsys.readouterr().out


def test_evaluate_measures_what_transcribe_writes(run, folder, tmp_path, capsys):
    output, data = tmp_path / "texts", str(folder / "list.tsv")
    arguments = ["evaluate", str(run), "--data", data, "--output", str(output)]
    assert main([*arguments, "--json"]) == 1  # three recordings are left out
    captured = capsys.readouterr()
    row = json.loads(captured.out)
    assert row["recordings"] == 40 and "broken.wav" in captured.err
    assert main(["transcribe", str(run), *(str(folder / f"{i}.wav") for i in range(40))]) == 0
    texts = capsys.readouterr().out.splitlines()
    assert output.read_text().splitlines() == texts
    lines = (folder / "list.tsv").read_text().splitlines()[:40]
    said = [line.split("\t")[1] for line in lines]
    rates = {rate["name"]: rate for rate in row["rates"]}
    assert rates["WER"]["value"] == pytest.approx(wer(texts, said).value)
    assert rates["CER"]["value"] == pytest.approx(cer(texts, said).value)
    assert rates["WER"]["low"] <= rates["WER"]["value"] <= rates["WER"]["high"]
    assert sum(rate["units"] for rate in row["by_length"]) == sum(len(t.split()) for t in said)
    assert main(["evaluate", str(run), "--data", data, "--beam", "2"]) == 1
    assert "real-time factor" in capsys.readouterr().out


def test_silence_and_noise_are_no_error(run, tmp_path, capsys):
    rng = np.random.default_rng(0)
    soundfile.write(tmp_path / "silence.wav", np.zeros(2 * tones.RATE, np.int16), tones.RATE)
    noise = (3000 * rng.normal(size=2 * tones.RATE)).astype(np.int16)
    soundfile.write(tmp_path / "noise.wav", noise, tones.RATE)
    files = [str(tmp_path / name) for name in ("silence.wav", "noise.wav")]
    assert main(["transcribe", str(run), *files]) == 0
    silence, _ = capsys.readouterr().out.splitlines()
    assert silence == ""


def test_recordings_are_cut_to_what_the_model_was_trained_on(run, folder, tmp_path, monkeypatch):
    model = kerasseq.load(run)
    sizes = [soundfile.info(folder / f"{index}.wav").duration for index in range(40)]
    assert model.card["longest"] == pytest.approx(max(sizes), abs=0.3)
    rng = np.random.default_rng(3)
    sound = np.concatenate([tones.spoken("lo hi mid", rng) for _ in range(8)])
    soundfile.write(tmp_path / "long.wav", sound, tones.RATE)
    heard = []

    def spy(parts, *arguments, whole=model.hypotheses, **more):
        heard.extend(len(part) for part in parts)
        return whole(parts, *arguments, **more)

    monkeypatch.setattr(model, "hypotheses", spy)
    (one,) = transcribe(model, [str(tmp_path / "long.wav")])
    assert sum(heard) == len(sound) and one.seconds == pytest.approx(
        len(sound) / tones.RATE, abs=1e-3
    )
    assert len(heard) > 1 and max(heard) <= 1.5 * model.card["longest"] * tones.RATE


def test_subtitles(run, tmp_path, capsys):
    sound = tones.spoken("lo hi mid", np.random.default_rng(4))
    soundfile.write(tmp_path / "a.wav", sound, tones.RATE)
    assert main(["transcribe", str(run), "--srt", str(tmp_path / "a.wav")]) == 0
    written = capsys.readouterr().out.strip()
    assert not written or written.startswith("1\n00:00:0")
    assert main(["transcribe", str(run), "--srt", "--json", str(tmp_path / "a.wav")]) == 2


def test_long_recordings_are_cut_where_it_is_quiet():
    rng = np.random.default_rng(1)
    loud = (5000 * rng.normal(size=7 * 1000)).astype(np.int16)
    sound = np.concatenate([loud, np.zeros(1000, np.int16)] * 6)
    spans = split_at_silences(sound, 1000, max_seconds=20, min_seconds=5)
    assert spans[0][0] == 0 and spans[-1][1] == len(sound)
    for (start, end), (following, _) in zip(spans, spans[1:], strict=False):
        assert end == following and end - start <= 20_000
        assert not sound[end - 100 : end + 100].any()
    assert split_at_silences(loud, 1000) == [(0, len(loud))]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["transcribe", "RUN"], "Give a file"),
        (
            ["transcribe", "RUN", "--beam", "0", "WAV"],
            "--beam must be a whole number from 1 to 1,000",
        ),
        (["transcribe", "multi30k-en-de", "WAV"], "reads text, not sound"),
        (["transcribe", "RUN", "-"], "Only a transducer"),
        (["transcribe", "RUN", "--beam", "3", "--lm-weight", "1", "WAV"], "language model"),
        (["transcribe", "RUN", "--length-bonus", "1", "WAV"], "set --beam to 2 or more"),
        (["transcribe", "RUN", "--ctc-weight", "1", "WAV"], "is not for a CTC"),
        (["evaluate", "RUN"], "--data FILE or --dataset"),
        (["evaluate", "RUN", "--data", "LIST", "--dataset", "an4"], "not both"),
        (
            ["evaluate", "RUN", "--data", "LIST", "--data-dir", "x"],
            "--data-dir goes with --dataset",
        ),
        (["evaluate", "RUN", "--data", "LIST", "--prefix", "lo"], "models that read text"),
        (["evaluate", "RUN", "--data", "LIST", "--output", "LIST"], "is read too"),
        (["evaluate", "multi30k-en-de", "--dataset", "an4"], "an4 is sound"),
        (["generate", "RUN", "text"], "reads sound, not text"),
        (["train", "speech-recognition", "--valid", "x.tsv"], "name the training data too"),
    ],
)
def test_mistakes_end_in_one_sentence(arguments, words, run, folder, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    places = {"RUN": str(run), "WAV": str(folder / "0.wav"), "LIST": str(folder / "list.tsv")}
    assert main([places.get(word, word) for word in arguments]) == 2
    assert words in capsys.readouterr().err


def test_speech_that_a_model_does_not_know_is_named(run, folder, tmp_path, capsys):
    model, file = kerasseq.load(run), str(tmp_path / "model.keras")
    model.card = {**model.card, "calibration": {"least": 1.0, "offset": -3.0}}
    model.save(file)
    assert main(["transcribe", file, str(folder / "0.wav"), "--json"]) == 0
    written = capsys.readouterr()
    row = json.loads(written.out)
    assert row["known"] is False and 0 < row["confidence"] < 1
    assert all(word["confidence"] < row["confidence"] for word in row["words"])
    assert written.err.count("does not know such speech") == 1 and "0.wav" in written.err
    model.card = {k: v for k, v in model.card.items() if k != "calibration"}  # as of before
    plain = next(transcribe(model, [str(folder / "0.wav")]))
    assert plain.confidence == row["confidence"] and plain.known is None


def test_info_tells_what_a_recogniser_is_made_of(run, capsys):
    assert main(["info", str(run)]) == 0
    written = capsys.readouterr().out
    assert "LogMel > FrequencyWarp > SpecAugment" in written and "CTC" in written
