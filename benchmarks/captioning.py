"""Captioning a folder of photos, the whole command, beside its backbone under ONNX Runtime.

    python benchmarks/captioning.py [--model flickr8k] [--pictures FOLDER]

Whole commands in turn, from the start of the process to its end. The peer only reads the same files
and computes the features of EfficientNet-Lite0: it writes nothing. It needs the packages onnx and
onnxruntime. Without a folder the pictures are 1,000 of noise, as large as those of Flickr8k.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from machine import describe

PEER = Path(__file__).parent / "peers" / "onnx_lite0.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="flickr8k", help="a captioner on EfficientNet-Lite0")
    parser.add_argument("--pictures", help="a folder of pictures and nothing else")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="see that it works")
    arguments = parser.parse_args()
    rounds, count = (1, 8) if arguments.quick else (arguments.rounds, 1000)
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.pictures or noise(Path(made) / "pictures", count)
        network = Path(made) / "network.onnx"
        write_network(arguments.model, network)
        ours = [sys.executable, "-m", "kerasseq", "caption", arguments.model, str(folder)]
        contestants = {
            "ONNX Runtime, backbone alone": [sys.executable, str(PEER), str(network), str(folder)]
            + [str(arguments.threads)],
            "kerasseq caption": ours,
            "kerasseq caption --beam 1": [*ours, "--beam", "1"],
        }
        times = {name: [] for name in contestants}
        for _ in range(rounds):
            for name, command in contestants.items():
                times[name].append(seconds(command, arguments.threads))
    print(describe("keras", "tensorflow", "onnxruntime"))
    print(f"\n{len(os.listdir(folder)) if arguments.pictures else count:,} pictures\n")
    print("| | s, median | s, least | ratio |\n|---|---:|---:|---:|")
    base = statistics.median(next(iter(times.values())))
    for name, each in times.items():
        median = statistics.median(each)
        print(f"| {name} | {median:.1f} | {min(each):.1f} | {median / base:.2f} |")


def noise(folder: Path, count: int) -> Path:
    """Photos of 500 x 375 pixels, coarse noise, as JPEG."""
    from PIL import Image

    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(count):
        pixels = rng.integers(0, 256, (24, 32, 3), dtype="uint8")
        picture = Image.fromarray(pixels).resize((500, 375), Image.Resampling.BICUBIC)
        picture.save(folder / f"{index:04}.jpg", quality=85)
    return folder


def write_network(model: str, path: Path) -> None:
    """The backbone of a model as ONNX."""
    import kerasseq

    sys.path.insert(0, str(PEER.parent))
    from onnx_lite0 import export

    export(kerasseq.load(model).encoder.layers[0].backbone, path)


def seconds(command: list[str], threads: int) -> float:
    """How long a command takes on the first so many cores."""
    start = time.perf_counter()
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, set(range(threads))),
    )
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
