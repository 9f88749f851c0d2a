"""The speed of speech recognition: front end, training step, transcribing, transducer loss.

    python benchmarks/speech.py

Each contestant runs in a process of its own, in turn (see race.py). Sound is noise, 16 recordings
of 10 s at 16 kHz. The transducer's loss has N=8, T=200, U=40, V=500, D=320, gradients included; its
peer is a lattice of logits held whole. Memory is what the process's peak grew by.
"""

import argparse
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

from machine import describe
from race import race, serve

ROWS, SECONDS, RATE = 16, 10, 16000
LATTICE = {"n": 8, "frames": 200, "labels": 40, "units": 500, "width": 320}
KINDS = ("ctc", "transducer", "attention", "transducer-attention", "hybrid")
BACKENDS = ("tensorflow", "jax", "torch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=BACKENDS)
    parser.add_argument("--quick", action="store_true", help="see that it works")
    parser.add_argument("--contestant", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contestant:
        part, backend, kind = arguments.contestant
        os.environ["KERAS_BACKEND"] = backend
        PARTS[part](kind)
        return
    if arguments.quick:
        arguments.rounds, arguments.backends = 1, ["jax"]
    print(describe("keras", "librosa", "tensorflow", "jax", "torch"))
    ours = [(f"kerasseq, {name}", name, "ours") for name in arguments.backends]
    table("front end", "frontend", [("librosa", "jax", "librosa"), *ours], arguments)
    for name in arguments.backends:
        kinds = [(kind, name, kind) for kind in KINDS]
        table(f"training step, {name}", "step", kinds, arguments, ROWS * SECONDS)
    for name in arguments.backends:
        kinds = [(kind, name, kind) for kind in KINDS]
        table(f"transcribing, greedy, {name}", "transcribe", kinds, arguments, ROWS * SECONDS)
    for name in arguments.backends:
        both = [("whole lattice", name, "whole"), ("kerasseq", name, "ours")]
        table(f"transducer loss and gradient, {name}", "loss", both, arguments)


def table(
    title: str,
    part: str,
    rows: list[tuple[str, str, str]],
    arguments: argparse.Namespace,
    seconds: float = 0.0,
) -> None:
    """Print the times of a part; the ratio is to the first row, or to the seconds of sound."""
    contestants = {
        name: [__file__, "--contestant", part, backend, kind] for name, backend, kind in rows
    }
    times = race(contestants, arguments.rounds, arguments.threads)
    what = "real-time factor" if seconds else "ratio"
    print(f"\n{title}\n\n| | ms, median | ms, least | {what} | MiB |\n|---|---:|---:|---:|---:|")
    for name, time in times.items():
        base = seconds or times[rows[0][0]].median
        print(
            f"| {name} | {1e3 * time.median:.1f} | {1e3 * time.best:.1f} | "
            f"{time.median / base:.3f} | {time.facts['memory']:.0f} |",
            flush=True,
        )


def served(run: Callable) -> None:
    """Serve with what the first runs add to the process's peak memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    serve(run, {"memory": (after - before) / 1024})


def sound():
    import numpy as np

    return (3000 * np.random.default_rng(0).normal(size=(ROWS, SECONDS * RATE))).astype("int16")


def frontend(kind: str) -> None:
    import numpy as np

    values = sound()
    if kind == "librosa":
        import librosa

        def run():
            mel = librosa.feature.melspectrogram(
                y=values / np.float32(32768),
                sr=RATE,
                n_fft=512,
                win_length=400,
                hop_length=160,
                n_mels=80,
                center=False,
            )
            logs = np.log(np.maximum(mel, 1e-7))
            spread = logs.std(axis=-1, keepdims=True)
            return (logs - logs.mean(axis=-1, keepdims=True)) / (spread + 1e-5)

    else:
        from keras import ops

        from kerasseq.acoustics import LogMel
        from kerasseq.backend import compile_function

        layer, mask = LogMel(), np.ones(values.shape, bool)
        function = compile_function([], lambda v, m: layer(v, m), jit=False)
        inputs = ops.convert_to_tensor(values), ops.convert_to_tensor(mask)

        def run():
            return ops.convert_to_numpy(function(*inputs).values)

    served(run)


def recogniser(kind: str):
    from kerasseq.applications.speech_recognition.config import configure
    from kerasseq.applications.speech_recognition.model import build
    from kerasseq.preprocessing import SpeechPreprocessor

    letters = ["the quick brown fox jumps over the lazy dog"] * 5
    end = kind in ("attention", "hybrid")
    preprocessor = SpeechPreprocessor.learn(letters, "char", 40, end=end)
    config = configure({}, None, "ctc", [f"model.kind={kind}"])
    return build(config.model, config.sound, preprocessor), letters[:1] * ROWS


def step(kind: str) -> None:
    import keras

    from kerasseq.backend import make_stepper

    model, texts = recogniser(kind)
    model.compile(keras.optimizers.Adam(1e-4), jit_compile="auto")
    train = make_stepper(model)
    tokens, labels, weights = model.preprocessor.targets(texts)
    batch = ({**model.preprocessor.features(sound()), "tokens": tokens}, labels, weights)
    served(lambda: float(train(batch)))


def transcribe(kind: str) -> None:
    from kerasseq import Greedy, Options

    model, _ = recogniser(kind)
    recordings = list(sound())
    # As many units as people speak in ten seconds; the weights, which are random, know no end.
    options = Options(Greedy(), max_length=150)
    served(lambda: model.generate(recordings, options))


def loss(kind: str) -> None:
    import keras
    import numpy as np
    from keras import ops

    from kerasseq.backend import make_stepper
    from kerasseq.transduction.joiner import Joiner
    from kerasseq.transduction.transducer import transducer_lattice, transducer_loss

    n, frames, labels = LATTICE["n"], LATTICE["frames"], LATTICE["labels"]
    units, width = LATTICE["units"], LATTICE["width"]

    class Lattice(keras.Model):
        """Two arrays of weights in the place of encoder and prediction network."""

        def __init__(self):
            super().__init__()
            self.joiner = Joiner(units, width)
            self.joiner.build((None, None, width), (None, None, width))
            shapes = (n, frames, width), (n, labels + 1, width)
            self.arrays = [self.add_weight(shape=shape) for shape in shapes]
            self.built = True

        def call(self, targets, training=False):
            encoded, predicted = (ops.convert_to_tensor(array) for array in self.arrays)
            if kind == "ours":
                return transducer_lattice(self.joiner, encoded, predicted, targets)
            encoded = self.joiner.project_encoded(encoded)[:, :, None]
            logs = ops.log_softmax(
                self.joiner(encoded, self.joiner.project_predicted(predicted)[:, None])
            )
            index = ops.broadcast_to(targets[:, None, :, None], (n, frames, labels, 1))
            return logs[..., 0], ops.take_along_axis(logs[:, :, :-1], index, axis=-1)[..., 0]

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            counts = [np.full(n, count, "int32") for count in (frames, labels)]
            return ops.mean(transducer_loss(*y_pred, *counts))

    model = Lattice()
    model.compile(keras.optimizers.SGD(1e-4), jit_compile="auto")
    train = make_stepper(model)
    targets = np.random.default_rng(0).integers(1, units, (n, labels)).astype("int32")
    batch = (targets, targets, np.ones((n, labels), "float32"))
    served(lambda: float(train(batch)))


PARTS = {"frontend": frontend, "step": step, "transcribe": transcribe, "loss": loss}

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
