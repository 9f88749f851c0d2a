"""Time of `kerasseq caption` for a folder of photos, and of its backbone in ONNX Runtime.

    python benchmarks/captioning.py [--model flickr8k] [--pictures FOLDER]

Each time is that of a whole process, and the processes run in turn. The peer only reads the same
files and computes the features of EfficientNet-Lite0; it makes no captions. It needs the packages
onnx and onnxruntime. Without a folder, the pictures are 1,000 pictures of noise in the size of
Flickr8k's.
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
    parser.add_argument("--pictures", help="a folder with pictures only")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="only check that it works")
    arguments = parser.parse_args()
    rounds, count = (1, 8) if arguments.quick else (arguments.rounds, 1000)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.pictures or make_noise(Path(temporary) / "pictures", count)
        network = Path(temporary) / "network.onnx"
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
                times[name].append(measure(command, arguments.threads))
    print(describe("keras", "tensorflow", "onnxruntime"))
    print(f"\n{len(os.listdir(folder)) if arguments.pictures else count:,} pictures\n")
    print("| | s, median | s, minimum | ratio |\n|---|---:|---:|---:|")
    base = statistics.median(next(iter(times.values())))
    for name, each in times.items():
        median = statistics.median(each)
        print(f"| {name} | {median:.1f} | {min(each):.1f} | {median / base:.2f} |")


def make_noise(folder: Path, count: int) -> Path:
    """Writes JPEG pictures of coarse noise with 500 x 375 pixels."""
    from PIL import Image

    folder.mkdir()
    rng = np.random.default_rng(0)
    for index in range(count):
        pixels = rng.integers(0, 256, (24, 32, 3), dtype="uint8")
        picture = Image.fromarray(pixels).resize((500, 375), Image.Resampling.BICUBIC)
        picture.save(folder / f"{index:04}.jpg", quality=85)
    return folder


def write_network(model: str, path: Path) -> None:
    """Writes the backbone of a model as an ONNX file."""
    import kerasseq

    sys.path.insert(0, str(PEER.parent))
    from onnx_lite0 import export

    export(kerasseq.load(model).encoder.layers[0].backbone, path)


def measure(command: list[str], threads: int) -> float:
    """Returns the seconds that a command takes on the first `threads` cores."""
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
