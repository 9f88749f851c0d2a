"""Features of all pictures of a folder by EfficientNet-Lite0 in ONNX Runtime.

    python benchmarks/peers/onnx_lite0.py NETWORK.onnx FOLDER THREADS

`export` writes the network of a kerasseq model.
"""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

TOGETHER = 32


def export(network: Any, path: Path) -> None:
    """Writes the Keras model of `efficientnet_lite0`, which has convolutions and sums, as ONNX."""
    from onnx import TensorProto, helper, numpy_helper, save

    nodes, constants = [], []

    def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(name: str, array: np.ndarray) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array, "float32"), name))
        return name

    outputs: dict[str, str] = {}
    for layer in network.layers:
        name, tensors = layer.name, layer.input
        tensors = tensors if isinstance(tensors, list) else [tensors]
        inputs = [outputs.get(tensor._keras_history.operation.name, "") for tensor in tensors]
        if not any(inputs):
            outputs[name] = add("Transpose", ["picture"], "planes", perm=[0, 3, 1, 2])
        elif hasattr(layer, "scale"):
            factor = constant(f"{name}_factor", np.array(layer.scale))
            summand = constant(f"{name}_summand", np.array(layer.offset))
            scaled = add("Mul", [inputs[0], factor], f"{name}_scaled")
            outputs[name] = add("Add", [scaled, summand], name)
        elif layer.weights:
            kernel, bias = layer.get_weights()
            depthwise = kernel.shape[-1] == 1
            weight = constant(
                f"{name}_kernel", kernel.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))
            )
            groups = kernel.shape[2] if depthwise else 1
            result = add(
                "Conv",
                [inputs[0], weight, constant(f"{name}_bias", bias)],
                f"{name}_conv",
                strides=list(layer.strides),
                auto_pad="SAME_UPPER",
                group=groups,
            )
            if layer.activation.__name__ == "relu6":
                bounds = [
                    constant(f"{name}_low", np.array(0)),
                    constant(f"{name}_high", np.array(6)),
                ]
                result = add("Clip", [result, *bounds], f"{name}_clip")
            outputs[name] = result
        else:
            outputs[name] = add("Add", inputs, name)
    shape = ["n", *network.input_shape[1:]]
    graph = helper.make_graph(
        nodes,
        "lite0",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(outputs[network.layers[-1].name], TensorProto.FLOAT, None)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    save(model, path)


def read_pictures(folder: str, size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Yields batches (N, H, W, 3); threads read the files while the network runs."""
    from PIL import Image

    def read(path: Path) -> np.ndarray:
        with Image.open(path) as picture:
            picture.draft("RGB", (2 * size[1], 2 * size[0]))
            return np.asarray(picture.convert("RGB").resize(size[::-1], Image.Resampling.BILINEAR))

    paths = sorted(Path(folder).iterdir())
    with ThreadPoolExecutor(2) as pool:
        read_all = pool.map(read, paths)
        for start in range(0, len(paths), TOGETHER):
            yield np.stack([next(read_all) for _ in paths[start : start + TOGETHER]])


def main() -> None:
    import onnxruntime

    path, folder, threads = sys.argv[1:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    size, seconds = tuple(session.get_inputs()[0].shape[1:3]), 0.0
    for batch in read_pictures(folder, size):
        start = time.perf_counter()
        session.run(None, {"picture": batch.astype("float32")})
        seconds += time.perf_counter() - start
    print(f"{seconds:.3f}")


if __name__ == "__main__":
    main()
