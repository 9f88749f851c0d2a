"""The exceptions that a user's mistake or file raises."""

import re
from collections.abc import Callable


class UserError(ValueError):
    """A mistake of the user: one sentence that says what is wrong, where, and what to do.

    The command line prints its text alone. In Python it is an ordinary `ValueError`.

    Example:

    >>> import kerasseq
    >>> try:
    ...     kerasseq.Beam(0)
    ... except kerasseq.UserError as error:
    ...     print(error)
    width must be a whole number from 1 to 1,000, not 0.
    """

    # Without this mark Keras puts a page about the call before the sentence of a layer.
    _keras_call_info_injected = True


class FileError(UserError):
    """A file that cannot be used.

    Attributes:
        kind: the problem without the name of the file, by which a list of problems counts.
    """

    def __init__(self, path: object, kind: str):
        super().__init__(f"{path}: {kind}.")
        self.kind = kind


class OptionError(UserError):
    """An option that is out of its range, or that has no effect here.

    Attributes:
        name: the name of the option.
        reason: the rest of the sentence after the name; other options' names are in braces.
    """

    def __init__(self, name: str, reason: str):
        self.name, self.reason = name, reason
        super().__init__(self.spell(str))

    def spell(self, spelling: Callable[[str], str]) -> str:
        """Returns the sentence with the names of options in another spelling."""
        reason = re.sub(r"\{(\w+)\}", lambda found: spelling(found[1]), self.reason)
        return f"{spelling(self.name)} {reason}."
