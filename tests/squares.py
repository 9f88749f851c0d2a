"""Pictures of coloured squares and what is said of them: a task for tests of captioning."""

import numpy as np
from PIL import Image

SIZE = 24
COLOURS = {"red": (220, 30, 30), "green": (30, 180, 40), "blue": (30, 60, 220)}
PLACES = {"left": 1, "right": 12}

SETTINGS = {
    "pictures.size": SIZE,
    "model.encoder.kind": "convolution",
    "model.encoder.filters": "[16, 32]",
    "model.encoder.strides": "[2, 2]",
    "model.encoder.width": 32,
    "model.embedding": 16,
    "model.units": 32,
    "model.dropout": 0.0,
    "training.batch_pictures": 8,
    "training.learning_rate": 0.005,
    "training.warm_up": 5,
    "training.label_smoothing": 0.0,
    "training.schedule": "constant",
    "training.best_by": "loss",
    "data.valid_size": 8,
}


def settings(**more):
    """Options of the command line, for settings with "__" for the dot; None leaves one out."""
    chosen = {**SETTINGS, **{name.replace("__", "."): value for name, value in more.items()}}
    return [
        word
        for name, value in chosen.items()
        if value is not None
        for word in ("--set", f"{name}={value}")
    ]


def picture(colour, place, rng):
    """(H, W, 3) uint8: a square on grey, not always in quite the same place."""
    pixels = np.full((SIZE, SIZE, 3), 128) + rng.integers(-20, 20, (SIZE, SIZE, 1))
    down, right = rng.integers(2, 11), PLACES[place] + rng.integers(-1, 2)
    pixels[down : down + 11, right : right + 11] = COLOURS[colour]
    return pixels.clip(0, 255).astype(np.uint8)


def write(folder, count, seed=1):
    """Pictures in a folder and a list of them, two captions each; the list."""
    rng = np.random.default_rng(seed)
    lines = []
    for index in range(count):
        colour, place = rng.choice(list(COLOURS)), rng.choice(list(PLACES))
        Image.fromarray(picture(colour, place, rng)).save(folder / f"{index}.png")
        lines.append(f"{index}.png\ta {colour} square on the {place}\n")
        lines.append(f"{index}.png\ton the {place} a {colour} square\n")
    (folder / "list.tsv").write_text("".join(lines))
    return folder / "list.tsv"
