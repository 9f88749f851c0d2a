"""How the names of files end that the readers read: the one list, by which folders are walked.

A file that is named itself is read whatever its name: the readers look at what is in it.
"""

# libsndfile's formats, as `soundfile.available_formats` calls them. RAW has no header, SD2
# keeps it in another file, and the decoder of SDS writes to standard output: they are not read.
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

# Tracks that PyAV reads, without pictures as a rule.
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
"""Pillow's formats that are read, and no other: these are rasters, and start no program."""

SOUNDS = tuple(" ".join([*_SNDFILE.values(), _TRACKS]).split())
"""What the names of sound files end with."""

PICTURES = tuple(" ".join(_PILLOW.values()).split())
"""What the names of picture files end with."""

VIDEOS = tuple(
    ".mp4 .m4v .mov .webm .mkv .avi .mpg .mpeg .ogv .wmv .asf .flv .3gp .3g2 .ts .mts .m2ts".split()
)
"""What the names of video files end with."""
