"""Speed of speech recognition: front end, training step, transcription, transducer loss.

    python benchmarks/speech.py

Each contestant has its own process, and they run in turn (see race.py). The sound is noise: 16
recordings of 10 s at 16 kHz. The transducer's loss has N=8, T=200, U=40, V=500, D=320, and
includes the gradients; its peer keeps the whole lattice of logits. Memory is the increase of the
process's peak.
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
    parser.add_argument("--quick", action="store_true", help="only check that it works")
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
    print_table("front end", "frontend", [("librosa", "jax", "librosa"), *ours], arguments)
    for name in arguments.backends:
        kinds = [(kind, name, kind) for kind in KINDS]
        print_table(f"training step, {name}", "step", kinds, arguments, ROWS * SECONDS)
    for name in arguments.backends:
        kinds = [(kind, name, kind) for kind in KINDS]
        print_table(f"greedy transcription, {name}", "transcribe", kinds, arguments, ROWS * SECONDS)
    for name in arguments.backends:
        both = [("whole lattice", name, "whole"), ("kerasseq", name, "ours")]
        print_table(f"transducer loss and gradient, {name}", "loss", both, arguments)


def print_table(
    title: str,
    part: str,
    rows: list[tuple[str, str, str]],
    arguments: argparse.Namespace,
    seconds: float = 0.0,
) -> None:
    """Prints the times of a part; the ratio is to the first row, or to the seconds of sound."""
    contestants = {
        name: [__file__, "--contestant", part, backend, kind] for name, backend, kind in rows
    }
    times = race(contestants, arguments.rounds, arguments.threads)
    ratio = "real-time factor" if seconds else "ratio"
    print(f"\n{title}\n\n| | ms, median | ms, minimum | {ratio} | MiB |\n|---|---:|---:|---:|---:|")
    for name, time in times.items():
        base = seconds or times[rows[0][0]].median
        print(
            f"| {name} | {1e3 * time.median:.1f} | {1e3 * time.best:.1f} | "
            f"{time.median / base:.3f} | {time.facts['memory']:.0f} |",
            flush=True,
        )


def serve_with_memory(run: Callable) -> None:
    """Serves `run` and reports how much its first run adds to the process's peak memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    serve(run, {"memory": (after - before) / 1024})


def make_sound():
    import numpy as np

    return (3000 * np.random.default_rng(0).normal(size=(ROWS, SECONDS * RATE))).astype("int16")


def serve_frontend(kind: str) -> None:
    import numpy as np

    values = make_sound()
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

    serve_with_memory(run)


def build_model(kind: str):
    from kerasseq.applications.speech_recognition.config import configure
    from kerasseq.applications.speech_recognition.model import build
    from kerasseq.preprocessing import SpeechPreprocessor

    letters = ["the quick brown fox jumps over the lazy dog"] * 5
    end = kind in ("attention", "hybrid")
    preprocessor = SpeechPreprocessor.learn(letters, "char", 40, end=end)
    config = configure({}, None, "ctc", [f"model.kind={kind}"])
    return build(config.model, config.sound, preprocessor), letters[:1] * ROWS


def serve_step(kind: str) -> None:
    import keras

    from kerasseq.backend import make_stepper

    model, texts = build_model(kind)
    model.compile(keras.optimizers.Adam(1e-4), jit_compile="auto")
    train = make_stepper(model)
    tokens, labels, weights = model.preprocessor.targets(texts)
    batch = ({**model.preprocessor.features(make_sound()), "tokens": tokens}, labels, weights)
    serve_with_memory(lambda: float(train(batch)))


def serve_transcription(kind: str) -> None:
    from kerasseq import Greedy, Options

    model, _ = build_model(kind)
    recordings = list(make_sound())
    # People speak about 150 units in ten seconds; a model with random weights does not end a text.
    options = Options(Greedy(), max_length=150)
    serve_with_memory(lambda: model.generate(recordings, options))


def serve_loss(kind: str) -> None:
    import keras
    import numpy as np
    from keras import ops

    from kerasseq.backend import make_stepper
    from kerasseq.transduction.joiner import Joiner
    from kerasseq.transduction.transducer import transducer_lattice, transducer_loss

    n, frames, labels = LATTICE["n"], LATTICE["frames"], LATTICE["labels"]
    units, width = LATTICE["units"], LATTICE["width"]

    class Lattice(keras.Model):
        """Two arrays of weights instead of an encoder and a prediction network."""

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
    serve_with_memory(lambda: float(train(batch)))


PARTS = {
    "frontend": serve_frontend,
    "step": serve_step,
    "transcribe": serve_transcription,
    "loss": serve_loss,
}

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
