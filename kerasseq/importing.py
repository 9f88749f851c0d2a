"""Imports the rest of a package when somebody imports Keras."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

Execute = Callable[[], None]


def import_with_keras(
    package: str, load: Callable[[], None], around: Callable[[Execute], None]
) -> None:
    """Imports the rest of a package as soon as Keras is imported, whoever imports it.

    If a module of the package imports Keras, the rest follows when that module is complete.

    Args:
        package: the package's name.
        load: a function that imports the rest.
        around: a function that gets a function which imports Keras, and calls it.
    """
    if "keras" in sys.modules:
        load()
    else:
        sys.meta_path.insert(0, _Finder(package, load, around))


class _Finder:
    """Finds Keras and the package's modules by the other finders, and counts those in progress."""

    def __init__(self, package: str, load: Callable[[], None], around: Callable[[Execute], None]):
        self._prefix, self._load, self._around = f"{package}.", load, around
        self._in_progress = 0

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name != "keras" and not name.startswith(self._prefix):
            return None
        others = [finder for finder in sys.meta_path if finder is not self]
        specs = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self)
        return spec

    def execute(self, loader: Any, module: ModuleType) -> None:
        """Runs the code of a module; the last one in progress imports the rest."""
        self._in_progress += 1
        try:
            if module.__name__ == "keras":
                self._around(lambda: loader.exec_module(module))
            else:
                loader.exec_module(module)
        finally:
            self._in_progress -= 1
        if not self._in_progress and "keras" in sys.modules and self in sys.meta_path:
            sys.meta_path.remove(self)
            self._load()


class _Loader:
    """Loads as another loader does, but leaves the execution to the finder."""

    def __init__(self, loader: Any, finder: _Finder):
        self._loader, self._finder = loader, finder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = module.__spec__.loader = self._loader
        self._finder.execute(self._loader, module)
