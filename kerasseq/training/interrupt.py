"""Handling of Ctrl-C and SIGTERM at the end of a step."""

import signal
import threading


class Interrupted(KeyboardInterrupt):
    """A signal interrupted the training, and a checkpoint is saved; the text says how to resume.

    Attributes:
        code: the exit code that the shell expects: 130 after Ctrl-C, 143 after SIGTERM.

    Example:

    >>> import kerasseq
    >>> try:  # here a call of kerasseq.training.fit that the user stops by Ctrl-C
    ...     raise kerasseq.training.Interrupted("Interrupted at step 7; go on by --resume.", 130)
    ... except kerasseq.training.Interrupted as interruption:
    ...     print(interruption, interruption.code)
    Interrupted at step 7; go on by --resume. 130
    """

    def __init__(self, message: str, code: int):
        super().__init__(message)
        self.code = code


class Signals:
    """A context in which the first Ctrl-C or SIGTERM only sets `received`.

    A second signal acts at once.

    Attributes:
        received: the signal's number, or 0.
    """

    def __init__(self):
        self.received = 0
        self._handlers = {}

    def __enter__(self) -> "Signals":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_) -> None:
        self._restore()

    def _note(self, number, _frame):
        self.received = number
        self._restore()

    def _restore(self):
        while self._handlers:
            signal.signal(*self._handlers.popitem())
