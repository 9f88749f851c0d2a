"""Speed and memory from raw text to batches, in comparison with SentencePiece alone.

    python benchmarks/pipeline.py --data-dir DATA --pairs 1000000 10000000

The pairs are the English and German pairs of Multi30k, repeated; without the data they are
sentences of random words. The pipeline reads, checks, encodes and writes the lines. SentencePiece
alone encodes the same lines from memory, with the same number of threads, before and after each
measurement. Each stage runs in its own process; the peak of its resident memory includes all
imports.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from machine import describe

CHUNK = 1 << 16
ALONE = 500_000  # the pairs of each measurement of SentencePiece alone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--data-dir", help="the folder of Multi30k, or its parent folder")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--kind", default="unigram", choices=["unigram", "bpe"])
    parser.add_argument("--stage", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.stage:
        stage = {"build": build, "read": read}[arguments.stage]
        print(json.dumps(stage(Path(arguments.folder), arguments)))
        return
    print(describe("sentencepiece", "numpy", "keras"))
    print(f"vocabulary: {arguments.kind}, 8,000 pieces, shared; {arguments.threads} threads\n")
    print(
        "| pairs | text to store, pairs/s | SentencePiece alone, pairs/s | ratio | "
        "store to batches, pairs/s | plan, s | peak MiB building | peak MiB in an epoch | "
        "of which imports |\n|" + "---:|" * 9
    )
    for pairs in arguments.pairs:
        with tempfile.TemporaryDirectory() as folder:
            write_text(Path(folder), pairs, arguments.data_dir)
            built, batched = (run_stage(stage, folder, arguments) for stage in ("build", "read"))
        print(
            f"| {pairs:,} | {built['rate']:,.0f} | {built['alone']:,.0f} | "
            f"{built['rate'] / built['alone']:.2f} | {batched['rate']:,.0f} | "
            f"{batched['plan']:.1f} | {built['peak']:.0f} | {batched['peak']:.0f} | "
            f"{batched['imports']:.0f} |",
            flush=True,
        )


def run_stage(stage: str, folder: str, arguments: argparse.Namespace) -> dict:
    """Runs a stage in its own process, and returns its results."""
    command = [sys.executable, __file__, "--stage", stage, "--folder", folder]
    command += ["--threads", str(arguments.threads), "--kind", arguments.kind]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(ran.stdout.splitlines()[-1])


def write_text(folder: Path, pairs: int, data_dir: str | None) -> None:
    """Writes `pairs` lines to each of train.en and train.de."""
    texts = read_multi30k(data_dir) if data_dir else make_sentences()
    for name, lines in zip(("train.en", "train.de"), texts, strict=True):
        times, rest = divmod(pairs, len(lines))
        with open(folder / name, "w", encoding="utf-8") as file:
            whole = "".join(lines)
            for _ in range(times):
                file.write(whole)
            file.writelines(lines[:rest])


def read_multi30k(data_dir: str) -> list[list[str]]:
    """Returns the English and the German training lines of Multi30k."""
    from kerasseq.data.public import datasets

    pairs = list(datasets.pairs("multi30k", "en", "de", data_dir)["train"])
    return [[f"{text}\n" for text in side] for side in zip(*pairs, strict=True)]


def make_sentences() -> list[list[str]]:
    """Returns two lists of 29,000 lines that are as long as Multi30k's."""
    rng = random.Random(0)
    words = ["".join(rng.choices("etaoinshrdlu", k=rng.randint(1, 9))) for _ in range(8000)]
    return [
        [" ".join(rng.choices(words, k=rng.randint(5, 20))) + ".\n" for _ in range(29_000)]
        for _ in range(2)
    ]


def build(folder: Path, arguments: argparse.Namespace) -> dict:
    """Measures the way from texts to a store."""
    from kerasseq.data import FileCorpus, TokenStore
    from kerasseq.preprocessing import TextPreprocessor

    corpus = FileCorpus([folder / "train.en", folder / "train.de"])
    some = list(islice(corpus, 29_000))
    preprocessor = TextPreprocessor.learn(some, arguments.kind, 8000)
    preprocessor.save_assets(str(folder))
    (folder / "config.json").write_text(json.dumps(preprocessor.get_config()))
    times = [measure_sentencepiece(folder, arguments.threads)]
    start = time.perf_counter()
    store = TokenStore.build(folder / "store", corpus, preprocessor, threads=arguments.threads)
    rate = len(store) / (time.perf_counter() - start)
    peak = measure_peak_memory()
    times.append(measure_sentencepiece(folder, arguments.threads))
    return {"rate": rate, "alone": sum(times) / 2, "peak": peak}


def measure_sentencepiece(folder: Path, threads: int) -> float:
    """Returns the pairs per second that SentencePiece encodes, without reading."""
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "source.model"))
    lines, seconds = 0, 0.0
    for name in ("train.en", "train.de"):
        with open(folder / name, encoding="utf-8") as file:
            rows = islice(file, ALONE)
            while texts := [line[:-1] for line in islice(rows, CHUNK)]:
                start = time.perf_counter()
                processor.encode(texts, num_threads=threads)
                seconds += time.perf_counter() - start
                lines += len(texts)
    return lines / 2 / seconds


def read(folder: Path, arguments: argparse.Namespace) -> dict:
    """Measures an epoch of batches from the store."""
    from kerasseq.data import BatchPlan, TokenBatches, TokenStore
    from kerasseq.preprocessing import TextPreprocessor

    preprocessor = TextPreprocessor.from_config(json.loads((folder / "config.json").read_text()))
    preprocessor.load_assets(str(folder))
    imports = measure_peak_memory()
    start = time.perf_counter()
    store = TokenStore(folder / "store", preprocessor)
    plan = BatchPlan(store.lengths("source"), store.lengths("target"), tokens=4096)
    batches = TokenBatches(store, plan)
    planned = time.perf_counter()
    examples = sum(int((batches[index][2].sum(axis=1) > 0).sum()) for index in range(len(batches)))
    assert examples == len(store)
    rate = examples / (time.perf_counter() - planned)
    return {
        "rate": rate,
        "plan": planned - start,
        "peak": measure_peak_memory(),
        "imports": imports,
    }


def measure_peak_memory() -> float:
    """Returns the peak of this process's resident memory in MiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    main()
