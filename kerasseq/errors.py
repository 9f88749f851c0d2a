"""The exceptions that a user's mistake or file raises."""


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
