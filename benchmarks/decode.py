"""Speed of beam search in comparison with CTranslate2 and Hugging Face, at batch sizes 1 and 32.

    python benchmarks/decode.py
    python benchmarks/decode.py --model multi30k-en-de --input test.en

A Transformer with 4 + 4 layers, width 128, 256 hidden units, a vocabulary of 10,000 and random
weights decodes exactly 32 tokens from 16 tokens, because its end symbol is never among the best.
With `--model`, that model translates the lines of `--input` to their ends. CTranslate2 has the
same weights; the last column counts the outputs that equal those of its float32 model. Hugging
Face's model has the same sizes and other weights, so it takes part only without `--model`.

The input and the output are token ids, with 5 beams and without length penalty. CTranslate2 uses
threads in two ways: all threads on one batch, or a part of the batch on each thread. The ratio is
the median of the fastest CTranslate2 contestant divided by the median of the row; a ratio above 1
is faster.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from machine import describe
from race import Times, race, serve

VOCABULARY, SOURCE, TARGET, BEAMS = 10_000, 16, 32, 5
END = 3
CONTESTANTS = {
    "jax": "kerasseq, JAX",
    "jax+bfloat16": "kerasseq, JAX, precision bfloat16",
    "tensorflow": "kerasseq, TensorFlow with XLA",
    "float32-threads": "CTranslate2 float32, threads on one batch",
    "float32-workers": "CTranslate2 float32, a part of the batch on each thread",
    "int8-threads": "CTranslate2 int8, threads on one batch",
    "int8-workers": "CTranslate2 int8, a part of the batch on each thread",
    "generate": "Hugging Face generate",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a Transformer, path or preset; by default random weights")
    parser.add_argument("--input", type=Path, help="sentences for the model, one per line")
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32])
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="only check that it works")
    parser.add_argument("--prepare", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--contestant", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if bool(arguments.model) != bool(arguments.input):
        parser.error("--model and --input belong together")
    if arguments.prepare:
        prepare(arguments.prepare, arguments.model, arguments.input)
    elif arguments.contestant:
        run_contestant(*arguments.contestant)
    else:
        compare(arguments)


def compare(arguments: argparse.Namespace) -> None:
    names = list(arguments.contestants)
    if arguments.model and "generate" in names:
        names.remove("generate")
    if arguments.quick:
        arguments.rounds, arguments.batches = 1, [1, 2]
    print(describe("keras", "tensorflow", "jax", "ctranslate2", "transformers", "torch"))
    model = arguments.model or f"random weights, {SOURCE} to {TARGET} tokens"
    print(f"{model}; {BEAMS} beams, {arguments.threads} threads")
    folder = Path(tempfile.mkdtemp())
    try:
        job = [__file__, "--prepare", str(folder)]
        if arguments.model:
            job += ["--model", arguments.model, "--input", str(arguments.input)]
        if not race({"prepare": job}, 1, arguments.threads):
            sys.exit("there is no model to compare")
        for batch in arguments.batches:
            rest = [str(batch), str(arguments.threads)]
            contestants = {
                name: [__file__, "--contestant", str(folder), name, *rest] for name in names
            }
            print_table(batch, race(contestants, arguments.rounds, arguments.threads))
    finally:
        shutil.rmtree(folder)


def print_table(batch: int, times: dict[str, Times]) -> None:
    peers = [time for name, time in times.items() if "-" in name]
    best = min((time.median for time in peers), default=float("nan"))
    truth = times["float32-threads"].facts["outputs"] if "float32-threads" in times else None
    print(
        f"\nbatch {batch}\n\n| | ms, median | ms, minimum | tokens/s | ratio | same output |\n"
        "|---|---:|---:|---:|---:|---:|"
    )
    for name, time in times.items():
        outputs = time.facts["outputs"]
        tokens = sum(map(len, outputs))
        same = "–"
        if truth and name != "generate":
            equal = sum(a == b for a, b in zip(outputs, truth, strict=True))
            same = f"{equal} of {len(outputs)}"
        print(
            f"| {CONTESTANTS[name]} | {1e3 * time.median:.1f} | {1e3 * time.best:.1f} | "
            f"{tokens / time.median:,.0f} | {best / time.median:.2f} | {same} |",
            flush=True,
        )


def prepare(folder: Path, model: str | None, lines: Path | None) -> None:
    """Writes the model or its weights, the converted model and the sources into `folder`."""
    os.environ["KERAS_BACKEND"] = "jax"
    from peers.ctranslate2_transformer import convert

    if model:
        import kerasseq

        network = kerasseq.load(model)
        texts = lines.read_text(encoding="utf-8").splitlines()
        features = network.preprocessor.features(texts)
        sources = [
            row[real].tolist()
            for row, real in zip(features["values"], features["mask"], strict=True)
        ]
    else:
        import keras
        import numpy as np

        keras.utils.set_random_seed(0)
        network = build_transformer()
        for variable in network.trainable_variables:
            # The initial weights repeat one token.
            variable.assign(variable + 0.05 * keras.random.normal(variable.shape))
        embeddings = np.array(network.frontend.embeddings)
        embeddings[END] = 0.0
        network.frontend.embeddings.assign(embeddings)
        network.save_weights(folder / "model.weights.h5")
        random = np.random.default_rng(0)
        sources = random.integers(4, VOCABULARY, (1024, SOURCE)).tolist()
    (folder / "sources.json").write_text(json.dumps({"model": model, "sources": sources}))
    convert(network, folder / "ctranslate2")
    serve(lambda: None, {}, minimum=0)


def build_transformer():
    from kerasseq.applications.translation.model import build_layers
    from kerasseq.applications.translation.settings import Transformer

    return build_layers(Transformer(), VOCABULARY, VOCABULARY)


def run_contestant(folder: str, name: str, batch: str, threads: str) -> None:
    folder, batch, threads = Path(folder), int(batch), int(threads)
    stored = json.loads((folder / "sources.json").read_text())
    # With real sentences, use several batches, because their lengths differ.
    count = batch if stored["model"] is None else max(16, 4 * batch)
    sources, forced = stored["sources"][:count], stored["model"] is None
    if name == "generate":
        run = load_hugging_face(sources)
    elif "-" in name:
        run = load_ctranslate2(folder / "ctranslate2", sources, batch, threads, name, forced)
    else:
        run = load_kerasseq(folder, stored["model"], sources, batch, name)
    serve(run, {"outputs": run()})


class Ids:
    """A preprocessor whose raw sources are ids, and whose texts are empty."""

    def features(self, sources):
        import numpy as np

        steps = self.padded_length(max(map(len, sources)))
        values = np.zeros((len(sources), steps), "int32")
        for row, ids in zip(values, sources, strict=True):
            row[: len(ids)] = ids
        return {"values": values, "mask": values > 0}

    def padded_length(self, steps):
        from kerasseq.preprocessing.padding import ladder_length

        return ladder_length(steps)

    def detokenize(self, ids):
        return [""] * len(ids)


def load_kerasseq(folder: Path, model: str | None, sources: list, batch: int, backend: str):
    backend, _, precision = backend.partition("+")
    os.environ["KERAS_BACKEND"] = backend
    from kerasseq.generation import Beam
    from kerasseq.models import Options

    strategy = Beam(BEAMS, length_penalty=0.0)
    if model:
        import kerasseq

        network, length = kerasseq.load(model), None
    else:
        network, length = build_transformer(), TARGET
        network.load_weights(folder / "model.weights.h5")
    options = Options(strategy, max_length=length, precision=precision or None)
    network.preprocessor = Ids()

    def run() -> list[list[int]]:
        # At batch size 1 decode one sentence after the other.
        parts = [sources] if batch > 1 else [[source] for source in sources]
        results = [
            hypotheses[0].tokens
            for part in parts
            for hypotheses in network.hypotheses(part, options, batch_size=batch, jit=True)
        ]
        return [[token for token in tokens if token != END] for tokens in results]

    return run


def load_ctranslate2(model: Path, sources: list, batch: int, threads: int, name: str, forced: bool):
    from ctranslate2 import Translator
    from peers.ctranslate2_transformer import name_tokens

    compute_type, _, threading = name.partition("-")
    split = threading == "workers"
    translator = Translator(
        str(model),
        compute_type=compute_type,
        inter_threads=threads if split else 1,
        intra_threads=1 if split else threads,
    )
    options = {"max_decoding_length": TARGET} if forced else {}
    rows = -(-batch // threads) if split else batch
    names = [name_tokens(source) for source in sources]

    def run() -> list[list[int]]:
        parts = [names] if batch > 1 else [[source] for source in names]
        results = [
            result
            for part in parts
            for result in translator.translate_batch(
                part,
                beam_size=BEAMS,
                length_penalty=0,
                max_batch_size=rows,
                disable_unk=True,
                suppress_sequences=[["<blank>"], ["<s>"]],
                **options,
            )
        ]
        return [[int(token) for token in result.hypotheses[0]] for result in results]

    return run


def load_hugging_face(sources: list):
    import torch
    from peers.hugging_face import build_marian, generate

    network, ids = build_marian(VOCABULARY, 128, 256, 4, 4), torch.tensor(sources)
    return lambda: generate(network, ids, BEAMS, TARGET)[:, 1:].tolist()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
