"""Which cases of a test run with `pytest -m thorough` alone, since they take long."""

import pytest

thorough = pytest.mark.thorough


def cases(every, *quick):
    """The cases of a test, of which those in `quick` always run."""
    return [pytest.param(one, marks=[] if one in quick else thorough, id=str(one)) for one in every]
