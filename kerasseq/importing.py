"""What happens around the import of a module, whoever imports it."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

Execute = Callable[[], None]


class ImportHook:
    """A finder in `sys.meta_path` that runs the code of some modules in a function of ours.

    Args:
        concerns: tells by its name whether a module is one of them.
        run: gets the module's name and a function that runs its code.
    """

    def __init__(self, concerns: Callable[[str], bool], run: Callable[[str, Execute], None]):
        self._concerns, self._run = concerns, run

    def install(self) -> None:
        """Begin to find modules."""
        sys.meta_path.insert(0, self)

    def remove(self) -> None:
        """Stop it."""
        sys.meta_path.remove(self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if not self._concerns(name):
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._run)
        return spec


class _Loader:
    """Loads as another loader does, in a function."""

    def __init__(self, loader: Any, run: Callable[[str, Execute], None]):
        self._loader, self._run = loader, run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = module.__spec__.loader = self._loader
        self._run(module.__name__, lambda: self._loader.exec_module(module))


def import_quietly(name: str) -> None:
    """Keep the import of a module from writing to the terminal."""
    if name in sys.modules:
        return

    def run(_: str, execute: Execute) -> None:
        hook.remove()
        with _quiet():
            execute()

    hook = ImportHook(lambda module: module == name, run)
    hook.install()


def import_with_keras(
    package: str, load: Callable[[], None], around: Callable[[Execute], None]
) -> None:
    """Load the rest of a package as soon as Keras is imported.

    Where a module of the package imports Keras, the rest is loaded when that module is complete.

    Args:
        package: its name.
        load: imports the rest.
        around: runs the import of Keras.
    """
    if "keras" in sys.modules:
        load()
        return
    depth = 0

    def run(name: str, execute: Execute) -> None:
        nonlocal depth
        depth += 1
        try:
            around(execute) if name == "keras" else execute()
        finally:
            depth -= 1
        if not depth and "keras" in sys.modules and hook in sys.meta_path:
            hook.remove()
            load()

    hook = ImportHook(lambda name: name == "keras" or name.startswith(f"{package}."), run)
    hook.install()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep notes, also those from C++, off the terminal, unless the block fails."""
    try:
        terminal = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):  # standard error is no file, as in a notebook
        yield
        return
    sys.stderr.flush()
    kept = os.dup(terminal)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), terminal)
        try:
            yield
        except BaseException:
            notes.seek(0)
            os.write(kept, notes.read())
            raise
        finally:
            os.dup2(kept, terminal)
            os.close(kept)
