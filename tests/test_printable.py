"""What a stranger's text may do to a terminal: nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasseq.printable import dump_json, escape, escape_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "\\u001b[31mred"),
        ("one\ntwo\r\tthree", "one\\u000atwo\\u000d\\u0009three"),
        ("abc\u202etxt.exe", "abc\\u202etxt.exe"),
        ("\u2066a\u2069\u2028", "\\u2066a\\u2069\\u2028"),
        ("a\x9b1m\x7f", "a\\u009b1m\\u007f"),
        (b"b\xff.wav".decode(errors="surrogateescape"), "b\\udcff.wav"),
        ("می\u200cخواهم שלום\u200f ü 😀", "می\u200cخواهم שלום\u200f ü 😀"),
    ],
)
def test_characters_that_control_a_terminal_are_written_out(text, shown):
    assert escape(text) == shown


def test_lines_stay_lines():
    assert escape_lines("one\x1b\ntwo") == "one\\u001b\ntwo"


@given(st.text(st.characters(), max_size=20))
def test_what_is_printed_can_be_printed_and_read_back(text):
    shown = dump_json({"text": text}, indent=2)
    assert shown.encode() and json.loads(shown) == {"text": text}
    assert "\x1b" not in shown and "\u202e" not in shown


def test_json_has_no_word_for_nan():
    assert json.loads(dump_json({"a": [float("nan"), 1.5], "b": float("inf")})) == {
        "a": [None, 1.5],
        "b": None,
    }
