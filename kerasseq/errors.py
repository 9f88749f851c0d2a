"""The one exception that a user's mistake raises."""


class UserError(ValueError):
    """What was wrong, where, and what to do about it, in one sentence.

    The command line prints its text alone; in Python it is an ordinary `ValueError`.
    """
