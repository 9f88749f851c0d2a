"""Makers of lists and texts that are written to do harm; none is larger than 10 MB."""

import gzip
import os
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path

MOST = 10_000_000

Maker = Callable[[Path], None]


def _repeated(text: bytes, size: int = MOST) -> Maker:
    return lambda path: path.write_bytes(text * (size // len(text))) and None


def _packed(text: bytes, unpacked: int) -> Maker:
    """A gzip file of many members, each of which packs 1 MiB of a text."""
    block = text * ((1 << 20) // len(text))
    return lambda path: path.write_bytes(gzip.compress(block) * (unpacked >> 20)) and None


def _zipped(name: str, text: bytes, unpacked: int) -> Maker:
    def make(path: Path) -> None:
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open(name, "w") as file,
        ):
            for _ in range(unpacked >> 20):
                file.write(text * ((1 << 20) // len(text)))

    return make


def _filling(text: bytes, filler: int = 4) -> Maker:
    """A gzip file of 10 MB that is packed to a twentieth: as much as is still unpacked."""
    noise = os.urandom(1 << 20)
    block = gzip.compress(text * ((filler << 20) // len(text))) + gzip.compress(
        b"#" + noise[:200_000]
    )
    return lambda path: path.write_bytes(block * (MOST // len(block))) and None


BOMBS: dict[str, Maker] = {
    "long_line.tsv.gz": _packed(b"a", 600 << 20),
    "long_line.jsonl.gz": _packed(b"[", 600 << 20),
    "lines.tsv.gz": _packed(b"a\tb\n", 600 << 20),
    "po.po.gz": _packed(b'msgid "a"\nmsgstr "b"\n', 600 << 20),
    "member.zip": _zipped("a.tsv", b"a\tb\n", 300 << 20),
    "member_line.zip": _zipped("a.jsonl", b"{", 300 << 20),
    "filled.tsv.gz": _filling(b"a\tb\n"),
    "filled.json.gz": _filling(b"{},"),
    "long_line.tsv": _repeated(b"a"),
    "rows.tsv": _repeated(b"a\tb\n"),
    "rows.csv": _repeated(b"a.b,c\n"),
    "quotes.csv": _repeated(b'"'),
    "quoted_lines.csv": _repeated(b'"\n'),
    "open_quotes.csv": _repeated(b'a.b,"c\n' + b'x""y\n' * 48),
    "open_quotes.tsv": _repeated(b'a.b\t"c\n' + b'x""y\n' * 48),
    "pairs_of_quotes.csv": _repeated(b'a,"' + b'""' * 1000 + b"\n"),
    "columns.csv": _repeated(b","),
    "many_columns.tsv": _repeated(b"\t" * 1_000_000 + b"\n"),
    "returns.tsv": _repeated(b"\r"),
    "empty_lines.tsv": _repeated(b"\n"),
    "nul.tsv": _repeated(b"\0"),
    "wide.tsv": _repeated(b"\xff\xfe\x00\xd8"),
    "not_text.tsv": _repeated(b"\xff\n"),
    "nested.json": _repeated(b"["),
    "nested_objects.json": _repeated(b'{"a":'),
    "empty_objects.json": lambda path: (
        path.write_bytes(b"[" + b"{}," * 3_000_000 + b"{}]") and None
    ),
    "empty_lists.jsonl": _repeated(b"[]\n"),
    "objects.jsonl": _repeated(b"{}\n"),
    "digits.jsonl": lambda path: (
        path.write_bytes(b'{"offset": ' + b"9" * 9_000_000 + b"}") and None
    ),
    "coco.json": lambda path: (
        path.write_bytes(
            b'{"images": ['
            + b"{}," * 1_500_000
            + b'{}], "annotations": ['
            + b"{}," * 1_500_000
            + b"{}]}"
        )
        and None
    ),
    "entries.po": _repeated(b'msgid "a"\nmsgstr "b"\n\n'),
    "one_entry.po": lambda path: (
        path.write_bytes(b'msgid ""\n' + b'"a"\n' * 2_000_000 + b'msgstr "b"\n') and None
    ),
    "comments.po": _repeated(b"#~|\n"),
    "backslashes.po": lambda path: (
        path.write_bytes(b'msgid "' + b"\\" * 9_000_000 + b'"\n') and None
    ),
}
"""By the file's name, whose ending says how it is read."""


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as some:
        some.bind(str(path))


NO_FILES: dict[str, Maker] = {
    "fifo": _fifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "terminal": lambda path: path.symlink_to("/dev/tty"),
    "folder": lambda path: path.mkdir(),
    "loop": lambda path: path.symlink_to(path.name),
    "nowhere": lambda path: path.symlink_to("nothing"),
}
"""What has a name of a file and is none."""


def make_socket(path: Path) -> None:
    """A socket, whose path must be short."""
    _socket(path)
