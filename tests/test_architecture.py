"""The rules of the tree: imports, backends, and the size of files."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A layer may import itself and earlier layers.
LAYERS = (
    {
        "archive",
        "assets",
        "checks",
        "errors",
        "importing",
        "lazy",
        "presets",
        "printable",
        "serialization",
        "special_ids",
        "toml_file",
    },
    {"config", "data", "default_backend", "drawing", "media", "metrics", "preprocessing"},
    {
        "acoustics",
        "backbones",
        "backend",
        "embedding",
        "initializers",
        "losses",
        "masking",
        "precision",
        "recurrent",
        "sampling",
        "streaming",
    },
    {"attention"},
    {"decoders", "encoders", "transformer"},
    {"generation", "language_model", "transduction"},
    {"models"},
    {"training"},
    {"applications"},
    {"cli", "__main__"},
)
# The same inside packages; the first layer also has all modules that are in no layer.
INSIDE = {
    "data": (set(), {"text", "sound", "pictures"}, {"facts", "inspection", "public"}),
    "applications": (
        {"common"},
        {"demos"},
        {"captioning", "speech_recognition", "translation"},
    ),
}

# Parts that use the library as its users do, and may import from `kerasseq` itself.
USERS = {"applications", "cli", "__main__"}

LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

BACKENDS = {"jax", "tensorflow", "tensorflow_text", "torch"}

# Parts that may import backends.
BACKEND_PARTS = {"backend", "default_backend"}

MOST_LINES = 350


def sources(folder):
    return sorted((ROOT / folder).rglob("*.py"))


FILES = sources("kerasseq") + sources("applications")


def module(path):
    """Returns the dotted name of a file after installation."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = ("kerasseq", *parts) if parts[0] == "applications" else parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports(path):
    """Yields each module that a file imports, anywhere in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            base = tuple(node.module.split("."))
            for alias in node.names:
                name = (*base, alias.name)
                yield name if is_module(name) else base


def texts(path):
    """Yields the part of the library that each text in a file may name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value.removeprefix("kerasseq.").partition(".")[0]


def depth(package, name):
    """Returns the layer of `INSIDE` that a module of a package belongs to."""
    lines = INSIDE[package]
    own = name[2] if len(name) > 2 else None
    return next((level for level, names in enumerate(lines) if own in names), 0)


def is_module(name):
    path = ROOT.joinpath(*(name[1:] if name[:2] == ("kerasseq", "applications") else name))
    return path.is_dir() or path.with_suffix(".py").exists()


def part(name):
    """Returns the part of the library that a module belongs to; None is `kerasseq` itself."""
    return name[1] if len(name) > 1 else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    name = module(path)
    if name == ("kerasseq",):  # it exports names of the parts, by imports and by texts
        offered = {part(other) for other in imports(path)} | set(texts(path))
        assert not offered & USERS
        return
    own = part(name)
    assert own in LEVEL, f"{own} is in no layer; give it one"
    for other in imports(path):
        if other[0] != "kerasseq":
            continue
        if part(other):
            assert LEVEL[part(other)] <= LEVEL[own], f"{own} must not import {part(other)}"
            if part(other) == own and own in INSIDE and len(other) > 2 and len(name) > 2:
                below = depth(own, other) <= depth(own, name)
                assert below, f"{'.'.join(name)} must not import {'.'.join(other)}"
        else:
            assert own in USERS, "import the module: the package is not ready yet"


def test_no_module_imports_itself_by_others():
    modules = {module(path): path for path in FILES}
    imported = {name: set(imports(path)) & set(modules) for name, path in modules.items()}
    while free := {name for name, others in imported.items() if not others & set(imported)}:
        imported = {name: imported[name] for name in imported if name not in free}
    assert not imported, f"a circle among {sorted(map('.'.join, imported))}"


@pytest.mark.parametrize("path", sources("applications"), ids=lambda p: str(p.relative_to(ROOT)))
def test_heads_are_composition(path):
    """A head imports no other head, and defines no class that a saved file needs."""
    heads, own = INSIDE["applications"][-1], module(path)[2:3]
    for other in imports(path):
        if other[:2] == ("kerasseq", "applications") and other[2:3] != own:
            assert not heads & set(other[2:3]), f"{'.'.join(own)} must not import {other[2]}"
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            bases = " ".join(ast.unparse(base) for base in node.bases)
            assert not any(word in bases for word in ("keras", "Layer", "Model", "Seq2Seq"))
            decorators = " ".join(ast.unparse(d) for d in node.decorator_list)
            assert "register" not in decorators


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_one_file_knows_the_backends(path):
    if part(module(path)) not in BACKEND_PARTS:
        assert not {name[0] for name in imports(path)} & BACKENDS


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_does_one_thing(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES
