"""Phrases that two locales word each in its own way."""

from importlib.util import find_spec

from kerasseq.errors import UserError

if find_spec("babel") is None:
    raise UserError("the embedded phrases need the package babel: pip install 'kerasseq[demo]'")
