"""The exceptions that a user's mistake or file raises."""

import re
from collections.abc import Callable


class UserError(ValueError):
    """What was wrong, where, and what to do about it, in one sentence.

    The command line prints its text alone; in Python it is an ordinary `ValueError`.
    """

    # Without this mark Keras puts a page about the call before the sentence of a layer.
    _keras_call_info_injected = True


class FileError(UserError):
    """A file that cannot be used.

    Attributes:
        kind: what is wrong with it, without its name: what a list of problems counts.
    """

    def __init__(self, path: object, kind: str):
        super().__init__(f"{path}: {kind}.")
        self.kind = kind


class OptionError(UserError):
    """An option that is out of its range, or that has no effect here.

    Attributes:
        name: of the option.
        reason: what is wrong, to stand behind the name; other options' names are in braces.
    """

    def __init__(self, name: str, reason: str):
        self.name, self.reason = name, reason
        super().__init__(self.spelt(str))

    def spelt(self, spelling: Callable[[str], str]) -> str:
        """The sentence, with the names of options in another spelling."""
        reason = re.sub(r"\{(\w+)\}", lambda found: spelling(found[1]), self.reason)
        return f"{spelling(self.name)} {reason}."
