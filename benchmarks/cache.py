"""Compilations, memory and time of many calls with different options.

    python benchmarks/cache.py
    KERAS_BACKEND=jax python benchmarks/cache.py --calls 200

A small Transformer with random weights ends its texts early, as a trained model does. Each call
decodes the same text with another seed, maximum length, minimum length, length penalty,
temperature and probability mass, by beam search and by sampling in turn. The values are in random
order. The first 64 calls are the warm-up; the counts of compilations and memory start after it.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

from machine import describe


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=1000)
    calls = parser.parse_args().calls
    import keras
    import numpy as np

    from kerasseq import Beam, Options, Sample, TextPreprocessor, backend
    from kerasseq.applications.translation.model import build_layers
    from kerasseq.applications.translation.settings import Transformer
    from kerasseq.models import functions
    from kerasseq.special_ids import END

    keras.utils.set_random_seed(0)
    preprocessor = TextPreprocessor.learn([("abc de", "fgh ij")] * 20, "char", 40)
    size = preprocessor.target_vocabulary_size
    small = Transformer(width=32, units=64, encoder_layers=1, decoder_layers=1, tied=False)
    model = build_layers(small, size, size)
    model.preprocessor = preprocessor
    bias = model.decoder.output_projection.bias
    bias.assign(bias.numpy() + 3.0 * (np.arange(size) == END))
    compiled, count = backend.compile_function, [0]

    def count_compilation(*args):
        count[0] += 1
        return compiled(*args)

    functions.backend.compile_function = count_compilation

    order = np.random.default_rng(0).permutation(calls)

    def call(number: int) -> None:
        i = int(order[number])
        lengths = {"min_length": i % 4, "max_length": 5 + i}
        beam = Beam(5, length_penalty=2 * i / calls)
        sample = Sample(temperature=0.5 + i / calls, top_p=0.5 + 0.4 * i / calls, seed=i)
        model.generate(["abc de"], Options(sample if i % 2 else beam, **lengths), jit=False)

    def measure_memory() -> float:
        status = Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]
        return int(status) / 1024

    print(describe("keras", "tensorflow", "jax", "torch"), f"backend {backend.name()}")
    for i in range(64):
        call(i)
    warm, before, start = count[0], measure_memory(), time.perf_counter()
    for i in range(64, calls):
        call(i)
    took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"warm-up: {warm} compilations in 64 calls")
    print(f"{calls - 64} more calls: {count[0] - warm} compilations")
    print(f"memory {before:.0f} MB before, {measure_memory():.0f} MB after, {peak:.0f} MB peak")
    print(f"{1e3 * took / (calls - 64):.1f} ms per call")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
