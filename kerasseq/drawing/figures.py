"""The saving of figures."""

from pathlib import Path

from matplotlib.figure import Figure

from kerasseq.errors import UserError


def save_figure(figure: Figure, path: str | Path, dpi: int, **options: str) -> None:
    """Writes a figure to a file.

    Args:
        figure: the figure.
        path: the file; its ending names the format.
        dpi: the number of pixels per inch.
        options: further arguments of `Figure.savefig`.

    Raises:
        UserError: the ending names no format.
    """
    try:
        figure.savefig(path, dpi=dpi, **options)
    except ValueError as error:  # its text lists the supported endings
        raise UserError(f"{path}: {error}.") from None
