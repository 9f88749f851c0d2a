"""Makers of small files of sound, pictures and clips that ask for much, or for other files."""

import io
import struct
import zlib


def chunk(name, body):
    return name + struct.pack("<I", len(body)) + body


def wave(samples, rate, channels=1, width=2, code=1):
    """A wav of these bytes, whatever its header says of them."""
    align = channels * width
    about = struct.pack(
        "<HHIIHH", code, channels, rate, rate * align & 0xFFFFFFFF, align & 0xFFFF, 8 * width
    )
    body = b"WAVE" + chunk(b"fmt ", about) + chunk(b"data", samples)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def flac_of_silence(hours, counted=True):
    """So many hours of silence at 8 kHz: a frame of 65,535 equal samples takes 15 bytes."""
    size, count = 65535, int(hours * 3600 * 8000) // 65535
    about = struct.pack(">HH", size, size) + bytes(6)
    about += (8000 << 44 | 0 << 41 | 15 << 36 | (size * count if counted else 0)).to_bytes(8, "big")
    frames = b"".join(_silent_frame(number, size) for number in range(count))
    return b"fLaC\x80\0\0\x22" + about + bytes(16) + frames


def _silent_frame(number, size):
    head = b"\xff\xf8\x74\x08" + _utf8(number) + struct.pack(">H", size - 1)
    frame = head + bytes([_crc(head, 8, 0x07)]) + b"\0\0\0"
    return frame + struct.pack(">H", _crc(frame, 16, 0x8005))


def _utf8(number):
    return chr(number).encode() if number < 0x80 else _long_utf8(number)


def _long_utf8(number):
    count = 2 if number < 0x800 else 3 if number < 0x10000 else 4
    first = (0xF00 >> count & 0xFF) | number >> 6 * (count - 1)
    return bytes([first] + [0x80 | number >> 6 * i & 63 for i in reversed(range(count - 1))])


def _crc(data, bits, polynomial):
    value, top, mask = 0, 1 << bits - 1, (1 << bits) - 1
    for byte in data:
        value ^= byte << bits - 8
        for _ in range(8):
            value = (value << 1 ^ (polynomial if value & top else 0)) & mask
    return value


def gif(width, height, frames, side=1):
    """A canvas on which every frame paints a few pixels."""
    screen = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    pixels = bytes.fromhex("0202440100")  # one pixel
    image = b"!\xf9\x04\x04\0\0\0\0" + b"," + struct.pack("<HHHHB", 0, 0, side, side, 0) + pixels
    return screen + image * frames + b";"


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth=8, colour=2, before=b"", animated=0):
    """A picture of zeros, or so many frames of one pixel on its canvas."""
    row = 1 + width * {0: 1, 2: 3, 6: 4}[colour] * depth // 8
    packer = zlib.compressobj(9)
    rows = max(1, (1 << 24) // row)
    packed = b"".join(
        packer.compress(bytes(row * min(rows, height - y))) for y in range(0, height, rows)
    )
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    if animated:
        before += png_chunk(b"acTL", struct.pack(">II", animated, 0))
    data = png_chunk(b"IDAT", packed + packer.flush())
    dot = zlib.compress(bytes(5))
    for place in range(animated):
        control = struct.pack(">IIIIIHHBB", 2 * place, 1, 1, 0, 0, 1, 10, 0, 0)
        data += png_chunk(b"fcTL", control) + png_chunk(
            b"fdAT", struct.pack(">I", 2 * place + 1) + dot
        )
    return b"\x89PNG\r\n\x1a\n" + head + before + data + png_chunk(b"IEND", b"")


def jpeg_of_many_scans(side, scans):
    """A progressive photo whose last scan comes again and again."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("L", (side, side), 100).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    first = data.rindex(b"\xff\xc4", 0, last)
    return data[:-2] + data[first:-2] * scans + b"\xff\xd9"


def webp_canvas(side, frames):
    """An animation of one-pixel frames on a canvas."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "WEBP", lossless=True)
    dot = file.getvalue()[12:]
    size = (side - 1).to_bytes(3, "little") * 2
    frame = chunk(b"ANMF", bytes(6) + bytes(6) + b"\x0a\0\0\0" + dot)
    body = b"WEBP" + chunk(b"VP8X", b"\x02\0\0\0" + size) + chunk(b"ANIM", bytes(6))
    body += frame * frames
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(entries, data=b""):
    """A TIFF of (tag, type, count, value), with data at byte 8 and the table behind."""
    data += b"\0" * (len(data) % 2)
    table = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries)
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + table + b"\0" * 4


def tiff_of_a_tile(side, tile, compression=8):
    """A small grey picture in one huge tile."""
    packed = zlib.compress(bytes(1 << 20))
    tags = [(256, 4, 1, side), (257, 4, 1, side), (258, 3, 1, 8), (259, 3, 1, compression)]
    tags += [(262, 3, 1, 1), (277, 3, 1, 1), (322, 4, 1, tile), (323, 4, 1, tile)]
    tags += [(324, 4, 1, 8), (325, 4, 1, len(packed))]
    return tiff(tags, packed)


def tiff_of_strips(count):
    """A picture of 16 columns whose rows are all the same bytes of the file."""
    tags = [(256, 4, 1, 16), (257, 4, 1, count), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    tags += [(273, 4, count, 24), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, count, 24 + 4 * count)]
    sizes = struct.pack("<I", 8) * count + struct.pack("<I", 16) * count
    return tiff(tags, bytes(16) + sizes)


def bmp_in_runs(width, height):
    """A grey picture of rows that are empty."""
    body = b"\1\5\0\0" * height
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(body), 0, 0, 256, 0)
    head += bytes(1024)
    return (
        b"BM" + struct.pack("<IHHI", 14 + len(head) + len(body), 0, 0, 14 + len(head)) + head + body
    )


def box(name, *parts):
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def mp4(stsz=None, edits=1, url=None, kind=b"vide", width=64, height=64):
    """A clip of which the tables say what they are told to."""
    handler = box(b"hdlr", bytes(8) + kind + bytes(13))
    sample = box(
        b"mp4v" if kind == b"vide" else b"twos",
        bytes(6) + b"\0\1" + bytes(16) + struct.pack(">HH", width, height) + bytes(50)
        if kind == b"vide"
        else bytes(6) + b"\0\1" + bytes(8) + struct.pack(">HHHHI", 1, 16, 0, 0, 16000 << 16),
    )
    count = stsz[1] if stsz else 1
    reference = box(b"url ", b"\0\0\0\1") if url is None else url
    data = box(b"dinf", box(b"dref", bytes(4) + b"\0\0\0\1" + reference))
    table = box(
        b"stbl",
        box(b"stsd", bytes(4) + b"\0\0\0\1" + sample),
        box(b"stts", bytes(4) + struct.pack(">III", 1, count, 1)),
        box(b"stsc", bytes(4) + struct.pack(">IIII", 1, 1, count, 1)),
        box(b"stsz", bytes(4) + struct.pack(">II", *(stsz or (16, 1)))),
        box(b"stco", bytes(4) + struct.pack(">II", 1, 32)),
    )
    head = box(b"mdhd", bytes(12) + struct.pack(">II", 25, count) + bytes(4))
    track = box(b"tkhd", bytes(3) + b"\7" + bytes(8) + struct.pack(">I", 1) + bytes(68))
    edit = struct.pack(">IIHH", count, 0, 1, 0)
    edit = box(b"edts", box(b"elst", bytes(4) + struct.pack(">I", edits) + edit * edits))
    media = box(b"mdia", head, handler, box(b"minf", data, table))
    movie = box(b"mvhd", bytes(12) + struct.pack(">II", 25, count) + bytes(80))
    begin = box(b"ftyp", b"qt  \0\0\0\0qt  ")
    return begin + box(b"mdat", bytes(64)) + box(b"moov", movie, box(b"trak", track, edit, media))


def mp4_of_fragments(samples, fragments):
    """A clip in fragments that announce samples of no bytes."""
    run = box(b"trun", bytes(4) + struct.pack(">I", samples))
    head = box(b"tfhd", bytes(4) + struct.pack(">I", 1))
    fragment = box(b"moof", box(b"mfhd", bytes(8)), box(b"traf", head, run))
    extends = box(b"mvex", box(b"trex", bytes(4) + struct.pack(">IIIII", 1, 1, 1, 0, 0)))
    start = mp4((0, 0))
    place = start.rindex(b"moov") - 4
    movie = box(b"moov", start[place + 8 :], extends)
    return start[:place] + movie + fragment * fragments


def postscript(command="(x) print"):
    return f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{command}\n".encode()
