"""Model files as an enemy or a bad disk would write them, made of a good one."""

import io
import json
import os
import stat
import struct
import zipfile
from pathlib import Path

import h5py
import numpy as np

GOOD = Path(__file__).parent.parent / "golden" / "transformer.keras"
CONFIG, WEIGHTS = "config.json", "model.weights.h5"
VOCABULARY = "assets/layers/text_preprocessor/source.model"
HUGE = 10**9


def contents(path=GOOD):
    """What is in a zip, by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write(path, items, method=zipfile.ZIP_DEFLATED):
    """Write a zip of names and bytes, or pairs of these."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in items.items() if isinstance(items, dict) else items:
            archive.writestr(name, data)
    return path


# --- the archive -----------------------------------------------------------------------------


def with_member(path, name, data=b"x"):
    return write(path, {**contents(), name: data})


def without(path, name):
    return write(path, {key: data for key, data in contents().items() if key != name})


def with_link(path):
    info = zipfile.ZipInfo("assets/layers/source.model")
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return write(path, [*contents().items(), (info, b"/etc/passwd")])


def with_a_name_twice(path):
    other = CONFIG.replace("config", "c0nfig")
    data = write(path, [*contents().items(), (other, b"{}")]).read_bytes()
    return of_bytes(path, data.replace(other.encode(), CONFIG.encode()))


def with_flag(path, flag):
    """Set a flag of all members, as where they are encrypted."""
    data = bytearray(write(path, contents()).read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := data.find(mark, at + 1)) >= 0:
            data[at + place] |= flag
    return of_bytes(path, data)


def with_declared_size(path, size):
    """Let the directory announce another size of the configuration than it has."""
    data = bytearray(write(path, contents()).read_bytes())
    at = data.find(b"PK\x01\x02")
    while data[at + 46 : at + 46 + len(CONFIG)] != CONFIG.encode():
        at = data.find(b"PK\x01\x02", at + 1)
    data[at + 24 : at + 28] = struct.pack("<I", size)
    return of_bytes(path, data)


def of_bytes(path, data):
    path.write_bytes(data)
    return path


def cut(path, part):
    data = GOOD.read_bytes()
    return of_bytes(path, data[: int(len(data) * part)])


def a_pipe(path):
    os.mkfifo(path)
    return path


ARCHIVES = {
    "empty": lambda path: of_bytes(path, b""),
    "text": lambda path: of_bytes(path, b"no archive"),
    "an empty zip": lambda path: write(path, {}),
    "cut in half": lambda path: cut(path, 0.5),
    "cut at its end": lambda path: cut(path, 0.999),
    "a pipe": a_pipe,
    "no configuration": lambda path: without(path, CONFIG),
    "no weights": lambda path: without(path, WEIGHTS),
    "no vocabulary": lambda path: without(path, VOCABULARY),
    "a path upwards": lambda path: with_member(path, "assets/../../evil.model"),
    "an absolute path": lambda path: with_member(path, "/tmp/evil.model"),
    "a file of Windows": lambda path: with_member(path, "assets\\evil.model"),
    "a script": lambda path: with_member(path, "assets/run.py"),
    "a file that is a folder": lambda path: with_member(path, VOCABULARY + "/x.model"),
    "a long name": lambda path: with_member(path, "assets/" + "a" * 5000 + ".model"),
    "a name of two lines": lambda path: with_member(path, "a\nb.model"),
    "a link": with_link,
    "a name twice": with_a_name_twice,
    "encrypted": lambda path: with_flag(path, 1),
    "packed by bzip2": lambda path: write(path, contents(), zipfile.ZIP_BZIP2),
    "a size too large": lambda path: with_declared_size(path, 50_000),
    "a size too small": lambda path: with_declared_size(path, 500),
    "a configuration of 100 MB": lambda path: with_member(path, CONFIG, b" " * 100_000_000),
    "an asset of 200 MB": lambda path: with_member(path, "assets/a.model", bytes(200_000_000)),
}

# --- the configuration -----------------------------------------------------------------------


def parts(config):
    """Every object of a configuration that has a class."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        for value in config.values():
            yield from parts(value)
    elif isinstance(config, list):
        for value in config:
            yield from parts(value)


def part(config, name):
    """The settings of the first object of a class."""
    return next(one for one in parts(config) if one["class_name"] == name)["config"]


def setting(name, **values):
    """A change of the settings of all objects of a class."""

    def change(config):
        for one in parts(config):
            if one["class_name"] == name:
                one["config"].update(values)

    return change


def in_place_of(name, one):
    """A change of the class of an object."""

    def change(config):
        config["config"][name] = one

    return change


def keras_layer(name, module="keras.layers", **settings):
    return {"module": module, "class_name": name, "config": settings, "registered_name": None}


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


def configured(path, change):
    items = contents()
    config = json.loads(items[CONFIG])
    change(config)
    return write(path, {**items, CONFIG: json.dumps(config).encode()})


def as_text(path, text):
    return write(path, {**contents(), CONFIG: text})


CONFIGS = {
    "many words": setting("TokenEmbedding", vocabulary_size=HUGE),
    "more words": setting("TokenEmbedding", vocabulary_size=5_000_000),
    "wide": setting("TokenEmbedding", width=HUGE),
    "long": setting("TokenEmbedding", max_length=HUGE),
    "long and learned": setting("TokenEmbedding", max_length=9_000_000, positions="learned"),
    "many positions": setting("TokenEmbedding", max_length=9_999_999),
    "negative": setting("TokenEmbedding", vocabulary_size=-5),
    "no number": setting("TokenEmbedding", vocabulary_size="many"),
    "a fraction": setting("TokenEmbedding", width=8.5),
    "not a number": setting("TokenEmbedding", dropout=float("nan")),
    "infinite": setting("TokenEmbedding", dropout=float("inf")),
    "true for a number": setting("TransformerEncoder", layers=True),
    "a text for a truth": setting("TransformerDecoder", tied="yes"),
    "a number for a text": setting("TokenEmbedding", positions=5),
    "an empty positions": setting("TokenEmbedding", positions="random"),
    "longest that is no number": in_place_of("card", {"longest": "two"}),
    "longest that is nothing": in_place_of("card", {"longest": 0}),
    "longest that is not a number": in_place_of("card", {"longest": float("nan")}),
    "deep": setting("TransformerEncoder", layers=HUGE),
    "deeper than the file": setting("TransformerEncoder", layers=9_000_000),
    "one layer more": setting("TransformerEncoder", layers=3),
    "one layer less": setting("TransformerDecoder", layers=1),
    "many units": setting("TransformerDecoder", units=9_000_000),
    "many heads": setting("TransformerDecoder", heads=HUGE),
    "no heads": setting("TransformerDecoder", heads=0),
    "an unknown activation": setting("TransformerDecoder", activation="os.system"),
    "an unknown setting": setting("TransformerDecoder", command="id"),
    "an orthogonal start": setting(
        "TokenEmbedding", width=50_000, initializer=keras_layer("Orthogonal", "keras.initializers")
    ),
    "a start from code": setting(
        "TokenEmbedding", initializer=keras_layer("Lambda", function="exec")
    ),
    "another vocabulary size": lambda config: config["config"]["preprocessor"]["config"][
        "vocabularies"
    ]["target"].update(size=23),
    "no vocabularies": setting("TextPreprocessor", vocabularies=None),
    "vocabularies that are a list": setting("TextPreprocessor", vocabularies=["source"]),
    "limits that are texts": setting("TextPreprocessor", max_source_length="8"),
    "a limit of nothing": setting("TextPreprocessor", max_source_length=0),
    "no preprocessor": in_place_of("preprocessor", None),
    "a preprocessor that is none": in_place_of("preprocessor", keras_layer("Dense", units=3)),
    "a decoder that is none": in_place_of("decoder", keras_layer("Dense", units=8)),
    "an encoder that is a text": in_place_of("encoder", "keras.layers.Dense"),
    "an encoder that is a list": in_place_of("encoder", []),
    "a language model that is none": in_place_of("language_model", keras_layer("Dense", units=8)),
    "a language model of another size": in_place_of(
        "language_model",
        {
            "module": "kerasseq.language_model.ngram",
            "class_name": "NGram",
            "config": {"vocabulary_size": 9_000_000, "order": 9_000_000},
            "registered_name": "kerasseq>NGram",
        },
    ),
    "a lambda": in_place_of("encoder", keras_layer("Lambda", function="exec")),
    "a lambda of Keras": in_place_of(
        "encoder", {"class_name": "__lambda__", "config": {"value": "aaaa"}}
    ),
    "a SavedModel": in_place_of("encoder", keras_layer("TFSMLayer", filepath="/tmp/x")),
    "a PyTorch module": in_place_of("encoder", keras_layer("TorchModuleWrapper", module="x")),
    "a lookup that reads a file": in_place_of(
        "encoder", keras_layer("StringLookup", vocabulary="/etc/passwd")
    ),
    "a download": in_place_of("encoder", keras_layer("get_file", "keras.utils", origin="http://x")),
    "a module of Python": in_place_of("encoder", keras_layer("system", "os", command="id")),
    "a test of Keras": in_place_of(
        "encoder", keras_layer("SavingTest", "keras.src.saving.saving_lib_test")
    ),
    "an array of any type": in_place_of(
        "encoder", {"class_name": "__numpy__", "config": {"value": ["a"], "dtype": f"S{HUGE}"}}
    ),
    "a tensor": in_place_of(
        "encoder", {"class_name": "__tensor__", "config": {"value": [1], "dtype": "float32"}}
    ),
    "a class that is a list": in_place_of("encoder", {"class_name": ["Dense"], "config": {}}),
    "a wrong registered name": in_place_of(
        "encoder", {**keras_layer("Dense", units=3), "registered_name": "kerasseq>Nothing"}
    ),
    "a model of Keras": lambda config: config.update(
        class_name="Sequential", module="keras", registered_name=None, config={"layers": []}
    ),
    "a layer for a model": lambda config: config.update(
        **config["config"]["frontend"], compile_config=None
    ),
    "no settings": lambda config: config["config"].clear(),
    "a card that is a list": in_place_of("card", [1, 2]),
    "a card that is a text": in_place_of("card", "card"),
    "a deep card": in_place_of("card", {"a": nested(500)}),
    "decoding that is a list": in_place_of("card", {"decoding": [5]}),
    "decoding by many beams": in_place_of("card", {"decoding": {"beam": HUGE}}),
    "decoding by a text": in_place_of("card", {"decoding": {"beam": "five"}}),
    "decoding without end": in_place_of("card", {"decoding": {"beam": 1, "max_length": HUGE}}),
    "decoding by an unknown option": in_place_of("card", {"decoding": {"command": "id"}}),
    "decoding by no weight": in_place_of("card", {"decoding": {"lm_weight": "much"}}),
    "a wrong policy": lambda config: config["config"].update(dtype="float8192"),
    "a policy that is a list": lambda config: config["config"].update(dtype=[]),
    "one of a hundred thousand objects": lambda config: config["config"].update(
        more=[keras_layer("Add")] * 100_000
    ),
    "a key of two lines": lambda config: config["config"].update({"a\n\x1b[2Jb": 1e12}),
    "a class of two lines": in_place_of("encoder", keras_layer("a\nb")),
    "deeply nested": lambda config: config["config"].update(more=nested(500)),
}

TEXTS = {
    "no JSON": b"{",
    "not UTF-8": b'{"config": "\xff"}',
    "a list": b"[]",
    "a number": b"1",
    "deeper than Python counts": b"[" * 200_000 + b"]" * 200_000,
    "a number of 10,000 digits": b'{"config": {"x": ' + b"9" * 10_000 + b"}}",
    "an exponent": b'{"config": {"x": 1e999}, "registered_name": "kerasseq>Seq2Seq"}',
    "nothing": b"",
}

# --- the weights -----------------------------------------------------------------------------

ARRAY = "frontend/vars/0"


def with_weights(path, change):
    """Let `change(file)` write to the HDF5 file of a good model."""
    items = contents()
    data = io.BytesIO(items[WEIGHTS])
    with h5py.File(data, "r+") as file:
        change(file)
    return write(path, {**items, WEIGHTS: data.getvalue()})


def replaced(make):
    """A change of the first array; `make(group, name, shape)` makes another."""

    def change(file):
        shape = file[ARRAY].shape
        group, name = file[ARRAY].parent, ARRAY.rsplit("/", 1)[1]
        del group[name]
        make(group, name, shape)

    return change


def virtual(group, name, shape):
    layout = h5py.VirtualLayout(shape=shape, dtype="f4")
    layout[...] = h5py.VirtualSource("/etc/passwd", "x", shape=shape)
    group.create_virtual_dataset(name, layout)


def late(group, name, shape):
    """An array of a size that is announced and never written."""
    space = h5py.h5s.create_simple((1 << 32, 1 << 32))
    h5py.h5d.create(group.id, name.encode(), h5py.h5t.NATIVE_FLOAT, space)


def of_links(file):
    for index in range(3):
        file["frontend"][f"again_{index}"] = file["encoder"]


def deep_groups(file):
    group = file
    for _ in range(100):
        group = group.create_group("a")


def many_groups(file):
    """What a configuration of very many layers needs, packed to almost nothing."""
    for index in range(20_000):
        file.create_group(f"x{index}")
    file["x"] = np.zeros(2_000_000, "f4")


def network(*layers):
    """The configuration of a network; each layer is a name and the tensors that it is called with,
    which are names, calls and outputs."""
    made = [
        {
            **keras_layer("InputLayer" if not sources else "Add"),
            "name": name,
            "inbound_nodes": [
                {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": source}}]}
                for source in sources
            ],
        }
        for name, sources in layers
    ]
    return {"module": "keras", "class_name": "Functional", "config": {"layers": made}}


NETWORKS = {
    "a circle": network(("in", []), ("a", [["b", 0, 0]]), ("b", [["a", 0, 0]])),
    "a layer after itself": network(("in", []), ("a", [["a", 0, 0]])),
    "an output that is not there": network(("in", []), ("a", [["in", 0, 7]])),
    "a call that is not there": network(("in", []), ("a", [["in", 3, 0]])),
    "an order that takes long": network(("b", [["a", 0, 0]]), ("a", [["in", 0, 0]]), ("in", [])),
    "a source that is a text": network(("in", []), ("a", ["in"])),
    "a number for layers": {**network(), "config": {"layers": 3}},
    "no settings": {**network(), "config": None},
}

WEIGHT_FILES = {
    "stored in another file": replaced(
        lambda group, name, shape: group.create_dataset(
            name, shape, "f4", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)]
        )
    ),
    "stored in bytes of another file": replaced(
        lambda group, name, shape: group.create_dataset(
            name, (1000,), "u1", external=[("/etc/passwd", 0, 1000)]
        )
    ),
    "a virtual array": replaced(virtual),
    "a link to another file": replaced(
        lambda group, name, shape: group.__setitem__(name, h5py.ExternalLink("/tmp/x.h5", "/x"))
    ),
    "a name of two lines": lambda file: file.__setitem__("frontend/a\nb", h5py.SoftLink("/x")),
    "a soft link": replaced(
        lambda group, name, shape: group.__setitem__(name, h5py.SoftLink("/encoder"))
    ),
    "a broken link": replaced(
        lambda group, name, shape: group.__setitem__(name, h5py.SoftLink("/none"))
    ),
    "a circle": lambda file: file["frontend"].__setitem__("up", file["/"]),
    "two names of one group": of_links,
    "deep groups": deep_groups,
    "a size beyond 64 bits": replaced(late),
    "packed": replaced(
        lambda group, name, shape: group.create_dataset(name, (1 << 28,), "f4", compression="gzip")
    ),
    "in chunks": replaced(
        lambda group, name, shape: group.create_dataset(name, (1 << 30,), "f4", chunks=True)
    ),
    "texts": replaced(lambda group, name, shape: group.create_dataset(name, data=["a", "b"])),
    "records": replaced(
        lambda group, name, shape: group.create_dataset(
            name, data=np.zeros(3, [("a", "f4"), ("b", "i8")])
        )
    ),
    "lists": replaced(
        lambda group, name, shape: group.create_dataset(
            name, (3,), dtype=h5py.vlen_dtype(np.dtype("f4"))
        )
    ),
    "references": replaced(
        lambda group, name, shape: group.create_dataset(name, (3,), dtype=h5py.ref_dtype)
    ),
    "complex numbers": replaced(
        lambda group, name, shape: group.create_dataset(name, shape, "c16")
    ),
    "no numbers": replaced(
        lambda group, name, shape: group.create_dataset(name, data=h5py.Empty("f4"))
    ),
    "a type": lambda file: file.__setitem__("frontend/type", np.dtype("f4")),
    "another shape": replaced(
        lambda group, name, shape: group.create_dataset(name, data=np.zeros((3, 3), "f4"))
    ),
    "not there": replaced(lambda group, name, shape: None),
    "many attributes": lambda file: [
        file["frontend"].attrs.__setitem__(f"a{index}", 1) for index in range(100)
    ],
    "a large attribute": lambda file: [
        file["frontend"].attrs.__setitem__(f"a{index}", "a" * 10) for index in range(70)
    ],
    "an attribute that is a reference": lambda file: file.attrs.__setitem__(
        "a", file["frontend"].ref
    ),
}
