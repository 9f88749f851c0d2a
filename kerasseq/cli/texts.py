"""Texts and paths that a command is given, one a line."""

import contextlib
import sys
from collections.abc import Iterator

from kerasseq.data.corpus import Problems
from kerasseq.data.files import check_file, opened
from kerasseq.data.lines import BadLine, lines_as_they_come

# A pipe that the shell has opened already, as in `--input <(command)`.
_OPEN = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")


class TextLines:
    """The lines of a file, which may be gzipped, or of standard input for "-".

    A line that is no text is empty, so that all others keep their places.

    Args:
        name: the file's. It is opened at once.
        stack: closes it.

    Attributes:
        problems: the lines so far that are no texts.

    Raises:
        UserError: the file cannot be read.
    """

    def __init__(self, name: str, stack: contextlib.ExitStack):
        self.problems = Problems()
        self._name = name
        if name == "-":
            self._file = sys.stdin.buffer
            return
        if not name.startswith(_OPEN):
            check_file(name)
        self._file = stack.enter_context(opened(name))

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(lines_as_they_come(self._file), 1):
            if isinstance(line, BadLine):
                self.problems.add(self._name, number, line.kind)
                line = ""
            yield line

    def tell(self) -> int:
        """Name what was left out on standard error; the exit status."""
        if not self.problems:
            return 0
        print(self.problems, file=sys.stderr)
        return 1
