"""Time of a training step: kerasseq on each backend, and the same architecture in plain PyTorch.

    python benchmarks/train_step.py

A step is the forward pass, the loss with label smoothing, the backward pass and Adam, in float32,
on full batches of random tokens. Each contestant has its own process, and they run in turn (see
race.py). A ratio is that of the median to the median of PyTorch without `torch.compile`.
"""

import argparse
import os
import sys
from pathlib import Path

from machine import describe
from race import race, serve

VOCABULARY, DROPOUT, SMOOTHING, RATE = 10_000, 0.3, 0.1, 1e-4
MODELS = {
    "transformer": "Transformer, 4 + 4 layers, 128 wide, 256 in between, 4 heads, tied embeddings",
    "luong": "LSTM, 2 + 2 layers, 256 wide, bidirectional encoder, attention after the cell",
    "bahdanau": "LSTM, 2 + 2 layers, 256 wide, bidirectional encoder, attention before the cell",
}
CONTESTANTS = ("pytorch", "pytorch-compiled", "tensorflow", "tensorflow-xla", "jax", "torch")
NAMES = {
    "pytorch": "plain PyTorch",
    "pytorch-compiled": "plain PyTorch, torch.compile",
    "tensorflow": "kerasseq, TensorFlow",
    "tensorflow-xla": "kerasseq, TensorFlow with XLA",
    "jax": "kerasseq, JAX",
    "torch": "kerasseq, PyTorch",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=CONTESTANTS)
    parser.add_argument("--shapes", nargs="+", default=["128x16", "64x32"], help="rows x tokens")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="only check that it works")
    parser.add_argument("--contestant", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contestant:
        run_contestant(*arguments.contestant)
        return
    if arguments.quick:
        arguments.shapes, arguments.rounds = ["4x8"], 1
    print(describe("keras", "tensorflow", "jax", "torch"))
    print(f"float32, {arguments.threads} threads, vocabulary {VOCABULARY:,}, dropout {DROPOUT}")
    for model in arguments.models:
        for shape in arguments.shapes:
            print_table(model, shape, arguments)


def print_table(model: str, shape: str, arguments: argparse.Namespace) -> None:
    contestants = {
        name: [__file__, "--contestant", model, shape, name] for name in arguments.contestants
    }
    times = race(contestants, arguments.rounds, arguments.threads)
    print(f"\n{MODELS[model]}; {shape} tokens on each side\n")
    print("| | parameters | ms, median | ms, minimum | ratio |\n|---|---:|---:|---:|---:|")
    base = times["pytorch"].median if "pytorch" in times else float("nan")
    for name, time in times.items():
        print(
            f"| {NAMES[name]} | {time.facts['parameters']:,} | {1e3 * time.median:.1f} | "
            f"{1e3 * time.best:.1f} | {time.median / base:.2f} |",
            flush=True,
        )


def run_contestant(model: str, shape: str, name: str) -> None:
    rows, steps = map(int, shape.split("x"))
    build = build_pytorch if name.startswith("pytorch") else build_kerasseq
    run, parameters = build(model, rows, steps, name)
    serve(run, {"parameters": parameters})


def make_batch(rows: int, steps: int):
    """Returns source, target and labels (rows, steps) without padding."""
    import numpy as np

    random = np.random.default_rng(0)
    return [random.integers(4, VOCABULARY, (rows, steps), dtype="int32") for _ in range(3)]


def build_kerasseq(model: str, rows: int, steps: int, name: str):
    backend, _, xla = name.partition("-")
    os.environ["KERAS_BACKEND"] = backend
    import keras
    import numpy as np

    from kerasseq.applications.translation import settings as zoo
    from kerasseq.applications.translation.model import build_layers
    from kerasseq.backend import make_stepper

    options = {"cell": "lstm", "embedding": 256, "units": 256, "layers": 2, "dropout": DROPOUT}
    configuration = {
        "transformer": zoo.Transformer(dropout=DROPOUT),
        "luong": zoo.RNNAttention(query="after", attention=zoo.Attention("bilinear"), **options),
        "bahdanau": zoo.RNNAttention(
            query="before", attention=zoo.Attention("additive"), **options
        ),
    }[model]
    network = build_layers(configuration, VOCABULARY, VOCABULARY)
    network.compile(
        keras.optimizers.Adam(RATE), label_smoothing=SMOOTHING, jit_compile=bool(xla) or "auto"
    )
    network.optimizer.build(network.trainable_variables)
    source, target, labels = make_batch(rows, steps)
    inputs = {"values": source, "mask": np.ones_like(source, bool), "tokens": target}
    train, data = make_stepper(network), (inputs, labels, np.ones_like(labels, "float32"))
    return lambda: float(train(data)), network.count_params()


def build_pytorch(model: str, rows: int, steps: int, name: str):
    import torch
    import torch.nn.functional as F
    from peers.rnn_torch import Bahdanau, Luong
    from peers.transformer_torch import Transformer

    network = {
        "transformer": lambda: Transformer(VOCABULARY, 128, 256, 4, 4, DROPOUT),
        "luong": lambda: Luong(VOCABULARY, 256, 2, DROPOUT),
        "bahdanau": lambda: Bahdanau(VOCABULARY, 256, 2, DROPOUT),
    }[model]()
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, fused=True)
    forward = torch.compile(network) if name == "pytorch-compiled" else network
    source, target, labels = (torch.from_numpy(ids).long() for ids in make_batch(rows, steps))
    mask = torch.ones_like(source, dtype=torch.bool)

    def run() -> float:
        optimizer.zero_grad(set_to_none=True)
        logits = forward(source, mask, target)
        loss = F.cross_entropy(
            logits.flatten(0, 1), labels.flatten(), ignore_index=0, label_smoothing=SMOOTHING
        )
        loss.backward()
        optimizer.step()
        return loss.item()

    return run, sum(parameter.numel() for parameter in network.parameters())


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
