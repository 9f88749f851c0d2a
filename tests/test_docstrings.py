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


def public():
    """Each public class and function, once."""
    found = {}
    for package in sorted(name for name in kerasseq.__all__ if _is_package(name)):
        module = getattr(kerasseq, package)
        for name in sorted(module.__all__):
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                found[value] = f"{package}.{name}"
    return [pytest.param(value, id=name) for value, name in found.items()]


def _is_package(name):
    return inspect.ismodule(getattr(kerasseq, name))


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
