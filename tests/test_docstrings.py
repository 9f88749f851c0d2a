"""Each public class and function has an example, and each example prints what it shows."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import kerasseq.applications
from tests.thorough import thorough

MODULES = sorted(
    module.name
    for package in (kerasseq, kerasseq.applications)
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    if not module.name.endswith(("__main__", "_worker"))
)
MODULES.insert(0, "kerasseq")

# Packages whose public names all have an example.
DONE: set[str] = {
    "acoustics",
    "attention",
    "backbones",
    "data",
    "decoders",
    "drawing",
    "encoders",
    "generation",
    "language_model",
    "media",
    "metrics",
    "models",
    "preprocessing",
    "training",
    "transduction",
}


def public():
    """Each public class and function of the finished packages, once."""
    found = {}
    for package in sorted(DONE):
        module = getattr(kerasseq, package)
        for name in sorted(module.__all__):
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                found[value] = f"{package}.{name}"
    return [pytest.param(value, id=name) for value, name in found.items()]


@pytest.mark.parametrize("value", public())
def test_what_is_public_has_an_example(value):
    assert ">>>" in inspect.getdoc(value), f"{value.__module__}.{value.__qualname__}"


@thorough
@pytest.mark.parametrize("name", MODULES)
def test_examples_do_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert not doctest.testmod(module, optionflags=flags).failed
