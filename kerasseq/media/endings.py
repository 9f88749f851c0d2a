"""The endings of the names of sound, picture and video files: the one list of them.

The endings select the files of a folder. A file that a user names is read whatever its ending,
because the readers detect its kind by its contents.
"""

# libsndfile's formats, with the names of `soundfile.available_formats`. Three are not read: RAW has
# no header, SD2 has it in another file, and the decoder of SDS writes to standard output.
_SNDFILE = {
    "WAV": ".wav .wave",
    "WAVEX": "",
    "RF64": ".rf64 .bw64",
    "FLAC": ".flac .fla",
    "OGG": ".ogg .oga .opus",
    "MP3": ".mp3 .mp2 .mpga",
    "NIST": ".sph .nist",
    "AIFF": ".aiff .aif .aifc",
    "AU": ".au .snd",
    "CAF": ".caf",
    "W64": ".w64",
    "VOC": ".voc",
    "AVR": ".avr",
    "HTK": ".htk",
    "IRCAM": ".sf .ircam",
    "MAT4": "",  # .mat: hardly ever sound
    "MAT5": "",
    "MPC2K": "",  # .snd
    "PAF": ".paf",
    "PVF": ".pvf",
    "SVX": ".8svx .16sv .svx",
    "WVE": ".wve",
    "XI": ".xi",
}

# Tracks of sound that PyAV reads.
_TRACKS = ".m4a .m4b .aac .amr .awb .wma .mka .weba .webm .3ga"

_PILLOW = {
    "JPEG": ".jpg .jpeg .jpe .jfif .mpo",
    "PNG": ".png .apng",
    "GIF": ".gif",
    "WEBP": ".webp",
    "AVIF": ".avif .avifs",
    "BMP": ".bmp",
    "DIB": ".dib",
    "TIFF": ".tif .tiff",
    "JPEG2000": ".jp2 .j2k .jpc .jpf .jpx .j2c",
    "PPM": ".ppm .pgm .pbm .pnm .pfm",
}

FORMATS = tuple(_PILLOW)
"""Pillow's formats that are read: rasters, whose decoders start no program."""

SOUNDS = tuple(" ".join([*_SNDFILE.values(), _TRACKS]).split())
"""The endings of sound files."""

PICTURES = tuple(" ".join(_PILLOW.values()).split())
"""The endings of picture files."""

VIDEOS = tuple(
    ".mp4 .m4v .mov .webm .mkv .avi .mpg .mpeg .ogv .wmv .asf .flv .3gp .3g2 .ts .mts .m2ts".split()
)
"""The endings of video files."""
