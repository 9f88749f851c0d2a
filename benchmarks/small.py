"""Quality on small data: subsets of public sets, trained as a user's own files are.

    KERASSEQ_DATA=... python benchmarks/small.py TASK [--part dev|test] [--seeds 1 2 3] -- OPTIONS

A task draws a subset with each seed, writes it as the files that a user has, and calls
`kerasseq train HEAD --train FILES OPTIONS` with the seed and the task's minutes. The figure is of
`--part`: "dev" is cut from the set's own training or validation data, for choosing settings; "test"
is the official test part, for the final figure alone. Run it with `taskset -c 0` for one core.
"""

import argparse
import csv
import gzip
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import numpy as np
import soundfile
from machine import describe

from kerasseq.data.public.datasets import find_of_kind

Rows = list[tuple[str, str]]
PARTS = ("dev", "test")


class Subset(NamedTuple):
    """What to train on and to measure on.

    Attributes:
        train: arguments that name the training data.
        measured: the file that is measured.
        score: the name of the figure.
        start: a model that the training starts from, which is measured too.
    """

    train: list[str]
    measured: str
    score: str
    start: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--part", choices=PARTS, default="dev")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--minutes", type=float, help="default: the task's own")
    parser.add_argument("--data-dir", default=os.environ.get("KERASSEQ_DATA"))
    parser.add_argument("--work", default="runs/small", help="the folder of subsets and runs")
    words = [*sys.argv[1:], "--"]
    own, options = words[: words.index("--")], words[words.index("--") + 1 : -1]
    arguments = parser.parse_args(own, argparse.Namespace(options=options))
    if not arguments.data_dir:
        parser.error("say where the data sets are: --data-dir or KERASSEQ_DATA")
    head, make, minutes, details = TASKS[arguments.task]
    minutes = arguments.minutes or minutes
    figures = []
    print(describe("keras", "tensorflow"), flush=True)
    for seed in arguments.seeds:
        folder = Path(arguments.work).absolute() / f"{arguments.task}-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        rng = random.Random(f"{arguments.task} {seed}")
        subset = make(Path(arguments.data_dir), folder, arguments.part, rng, **details)
        run = folder / f"run-{os.getpid()}"
        command = ["train", head, *subset.train, "--output", str(run)]
        command += ["--set", f"training.start_from={subset.start}"] if subset.start else []
        command += ["--set", f"training.max_minutes={minutes:g}"]
        command += ["--set", f"training.seed={seed}", *arguments.options]
        started = time.monotonic()
        log = call(command)
        seconds = time.monotonic() - started
        figures.append(measure(str(run), subset, run))
        row = {"task": arguments.task, "seed": seed, "part": arguments.part}
        row |= {subset.score: round(figures[-1], 2), "seconds": round(seconds)}
        if subset.start:
            row["before"] = round(measure(subset.start, subset, run), 2)
        row |= {"options": " ".join(arguments.options), "run": str(run), "end": log[-1:]}
        print(json.dumps(row), flush=True)
    print(f"{arguments.task}: mean {mean(figures):.2f} of {[round(f, 2) for f in figures]}")


def call(arguments: Sequence[str]) -> list[str]:
    """Calls the command line; returns what it printed on standard error, or ends with it."""
    done = subprocess.run(
        [sys.executable, "-m", "kerasseq", *arguments], capture_output=True, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(arguments)}: {done.stderr[-3000:]}")
    return [line for line in done.stderr.splitlines() if line.startswith("Training is over")]


def measure(model: str, subset: Subset, folder: Path) -> float:
    """Returns the figure of a run or a preset, whose texts it writes in a folder."""
    texts = folder / "texts.txt"
    command = [sys.executable, "-m", "kerasseq", "evaluate", model, "--json"]
    command += ["--data", subset.measured, "--output", str(texts)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: {done.stderr[-3000:]}")
    if subset.score == "PER":
        from kerasseq.metrics import wer

        references = [json.loads(line)["target"] for line in open(subset.measured)]
        return wer(texts.read_text().splitlines(), references).value
    score = find_score(json.loads(done.stdout), subset.score)
    if score is None:
        sys.exit(f"{subset.score} is not in {done.stdout}")
    return score


def find_score(scores: object, name: str) -> float | None:
    """Returns the value of a score, wherever it stands in the JSON of `kerasseq evaluate`."""
    if isinstance(scores, dict):
        if scores.get("name") == name:
            return float(scores["value"])
        if isinstance(scores.get(name), int | float):
            return float(scores[name])
        scores = list(scores.values())
    if not isinstance(scores, list):
        return None
    values = (find_score(some, name) for some in scores)
    return next((value for value in values if value is not None), None)


def write_table(path: Path, rows: Iterable[Sequence[str]], head: Sequence[str]) -> str:
    with open(path, "w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened, delimiter="\t", quoting=csv.QUOTE_MINIMAL)
        writer.writerows([head, *rows])
    return str(path)


DIGITS = "zero one two three four five six seven eight nine".split()


def list_digits(data: Path, part: str) -> dict[tuple[str, str], list[Path]]:
    """Returns the recordings of each speaker and digit: of test 0 to 4, dev 40 to 49, else 5."""
    ranges = {"test": range(5), "dev": range(40, 50), "train": range(5, 40)}
    some: dict[tuple[str, str], list[Path]] = {}
    for file in sorted((data / "fsdd").rglob("*_*_*.wav")):
        digit, speaker, index = file.stem.split("_")
        if int(index) in ranges[part]:
            some.setdefault((speaker, DIGITS[int(digit)]), []).append(file)
    return some


def make_digits(data: Path, folder: Path, part: str, rng: random.Random) -> Subset:
    """Five recordings of each digit, each of another speaker."""
    files, rows = list_digits(data, "train"), []
    speakers = sorted({speaker for speaker, _ in files})
    for digit in DIGITS:
        rows += [
            (str(rng.choice(files[speaker, digit])), digit) for speaker in rng.sample(speakers, 5)
        ]
    measured = [
        (str(file), digit) for (_, digit), some in list_digits(data, part).items() for file in some
    ]
    head = ("path", "text")
    return Subset(
        ["--train", write_table(folder / "train.tsv", rows, head)],
        write_table(folder / f"{part}.tsv", measured, head),
        "WER",
    )


def make_sequences(data: Path, folder: Path, part: str, rng: random.Random) -> Subset:
    """Fifty sequences of four digits of one speaker each, joined with pauses."""
    train = join_digits(list_digits(data, "train"), folder / "train", 50, rng)
    measured = join_digits(list_digits(data, part), folder / part, 100, random.Random(part))
    return Subset(["--train", train], measured, "WER")


def join_digits(files: dict, folder: Path, count: int, rng: random.Random) -> str:
    folder.mkdir(exist_ok=True)
    rows = []
    speakers = sorted({speaker for speaker, _ in files})
    for number in range(count):
        speaker, pieces = speakers[number % len(speakers)], []
        digits = [rng.choice(DIGITS) for _ in range(4)]
        for digit in digits:
            samples, rate = soundfile.read(rng.choice(files[speaker, digit]), dtype="int16")
            pieces += [samples, np.zeros(int(rate * rng.uniform(0.05, 0.3)), "int16")]
        name = f"{number:03}.wav"
        soundfile.write(folder / name, np.concatenate(pieces), rate)
        rows.append((name, " ".join(digits)))
    return write_table(folder / "list.tsv", rows, ("path", "text"))


def list_an4(data: Path, part: str) -> dict[str, Rows]:
    """Returns the recordings and texts of each speaker of AN4."""
    texts = {}
    for line in open(data / f"an4/etc/an4_{part}.transcription"):
        text, _, name = line.strip().rpartition(" (")
        texts[name.rstrip(")")] = text.replace("<s>", "").replace("</s>", "").strip()
    speakers: dict[str, Rows] = {}
    for line in open(data / f"an4/etc/an4_{part}.fileids"):
        path = Path(line.strip())
        row = (str(data.absolute() / "an4/wav" / f"{path}.flac"), texts[path.name])
        speakers.setdefault(path.parent.name, []).append(row)
    return speakers


def make_an4(data: Path, folder: Path, part: str, rng: random.Random, count: int = 100) -> Subset:
    """Recordings of ten speakers of AN4, as many of each; dev is of ten others."""
    speakers = list_an4(data, "train")
    names = sorted(speakers)
    rng.shuffle(names)
    ten = [name for name in names if len(speakers[name]) >= 10][:10]
    rows = [row for name in ten for row in rng.sample(speakers[name], count // 10)]
    others = sorted(set(names) - set(ten))
    rng.shuffle(others)
    measured = list_an4(data, "test") if part == "test" else {n: speakers[n] for n in others[:10]}
    head = ("path", "text")
    return Subset(
        ["--train", write_table(folder / "train.tsv", rows, head)],
        write_table(folder / f"{part}.tsv", sum(measured.values(), []), head),
        "WER",
    )


def make_speaker(data: Path, folder: Path, part: str, rng: random.Random) -> Subset:
    """Nine recordings of a speaker of AN4 whom `an4-ctc` never heard; his others are measured."""
    speakers = list_an4(data, "test")
    if part != "test":  # speakers by whom the preset was chosen
        valid = {one.speaker for one in find_of_kind("an4", "sound").split(data)["valid"]}
        speakers = {n: rows for n, rows in list_an4(data, "train").items() if n in valid}
    rows = speakers[rng.choice(sorted(speakers))]
    rng.shuffle(rows)
    head = ("path", "text")
    return Subset(
        ["--train", write_table(folder / "train.tsv", rows[:9], head)],
        write_table(folder / f"{part}.tsv", rows[9:], head),
        "WER",
        "an4-ctc",
    )


def make_dataset(data: Path, folder: Path, part: str, rng: random.Random, name: str) -> Subset:
    """A whole public set with its official split; its validation part chooses the weights too."""
    chosen = find_of_kind(name, "sound").split(data)["test" if part == "test" else "valid"]
    rows = [(str(Path(recording.path).absolute()), recording.text) for recording in chosen]
    measured = write_table(folder / f"{part}.tsv", rows, ("path", "text"))
    return Subset(["--dataset", name, "--data-dir", str(data)], measured, "WER")


def make_pairs(data: Path, folder: Path, part: str, rng: random.Random, count: int) -> Subset:
    """Pairs of Multi30k, German to English."""

    def read(stem: str) -> Rows:
        sides = [
            gzip.open(data / f"multi30k/{stem}.{code}.gz", "rt", encoding="utf-8")
            .read()
            .splitlines()
            for code in ("de", "en")
        ]
        return list(zip(*sides, strict=True))

    train = rng.sample(read("train"), count)
    measured = read("test_2016_flickr" if part == "test" else "val")
    return Subset(
        ["--train", write_pairs(folder / "train.jsonl", train)],
        write_pairs(folder / f"{part}.jsonl", measured),
        "BLEU",
    )


def make_words(data: Path, folder: Path, part: str, rng: random.Random) -> Subset:
    """Two thousand words of CMUdict and their phonemes."""

    def read(name: str) -> Rows:
        with gzip.open(data / f"text/g2p_cmudict.{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = map(json.loads, lines)
            return [(row["source"], row["target"]) for row in rows]

    measured = read("test") if part == "test" else read("valid")[:1000]
    return Subset(
        ["--train", write_pairs(folder / "train.jsonl", rng.sample(read("train"), 2000))],
        write_pairs(folder / f"{part}.jsonl", measured),
        "PER",
    )


def write_pairs(path: Path, rows: Rows) -> str:
    lines = (json.dumps({"source": s, "target": t}, ensure_ascii=False) for s, t in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def make_pictures(data: Path, folder: Path, part: str, rng: random.Random) -> Subset:
    """Five hundred pictures of Flickr8k with their captions."""
    captions: dict[str, list[str]] = {}
    for line in next((data / "flickr8k").rglob("Flickr8k.token.txt")).open(encoding="utf-8"):
        name, _, text = line.strip().partition("\t")
        captions.setdefault(name.partition("#")[0], []).append(text)
    images = next((data / "flickr8k").rglob("*.jpg")).parent

    def read(name: str) -> list[str]:
        return next((data / "flickr8k").rglob(f"Flickr_8k.{name}Images.txt")).read_text().split()

    names = rng.sample(read("train"), 500)
    measured = read("test") if part == "test" else read("dev")[:300]
    files = [
        write_table(
            folder / f"{stem}.tsv",
            [(str(images / name), text) for name in some for text in captions[name]],
            ("path", "caption"),
        )
        for stem, some in (("train", names), (part, measured))
    ]
    return Subset(["--train", files[0]], files[1], "CIDEr-D")


# The head, what makes the subset, the minutes of training, and further arguments.
TASKS = {
    "fsdd-50": ("speech-recognition", make_digits, 3, {}),
    "fsdd-sequences": ("speech-recognition", make_sequences, 3, {}),
    "an4-20": ("speech-recognition", make_an4, 15, {"count": 20}),
    "an4-50": ("speech-recognition", make_an4, 15, {"count": 50}),
    "an4-100": ("speech-recognition", make_an4, 15, {"count": 100}),
    "an4-speaker": ("speech-recognition", make_speaker, 1, {}),
    "fsdd": ("speech-recognition", make_dataset, 30, {"name": "fsdd"}),
    "an4": ("speech-recognition", make_dataset, 30, {"name": "an4"}),
    "multi30k-500": ("translation", make_pairs, 10, {"count": 500}),
    "multi30k-2000": ("translation", make_pairs, 10, {"count": 2000}),
    "multi30k-10000": ("translation", make_pairs, 10, {"count": 10_000}),
    "cmudict-2000": ("translation", make_words, 5, {}),
    "flickr8k-500": ("captioning", make_pictures, 10, {}),
}


if __name__ == "__main__":
    main()
