"""Ctrl-C and SIGTERM, put off to the end of a step."""

import signal
import threading


class Interrupted(KeyboardInterrupt):
    """Training was interrupted and saved; the text says how to go on.

    Attributes:
        code: the exit code that the shell expects: 130 after Ctrl-C, 143 after SIGTERM.
    """

    def __init__(self, message: str, code: int):
        super().__init__(message)
        self.code = code


class Signals:
    """While it is entered, a first Ctrl-C or SIGTERM is only noted; a second one acts at once.

    Attributes:
        received: the signal's number, or 0.
    """

    def __init__(self):
        self.received = 0
        self._before = {}

    def __enter__(self) -> "Signals":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_) -> None:
        self._restore()

    def _note(self, number, _frame):
        self.received = number
        self._restore()

    def _restore(self):
        while self._before:
            signal.signal(*self._before.popitem())
