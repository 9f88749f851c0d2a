"""The saving of figures."""

from pathlib import Path

from matplotlib.figure import Figure

from kerasseq.errors import UserError


def check_path(path: str | Path) -> None:
    """Checks that a figure can be written to a path.

    Raises:
        UserError: the ending names no format, or there is no such folder.
    """
    endings = Figure().canvas.get_supported_filetypes()
    if Path(path).suffix.lower().removeprefix(".") not in endings:
        names = ", ".join(f".{ending}" for ending in sorted(endings))
        raise UserError(f"{path}: a picture has one of the endings {names}.")
    if not Path(path).absolute().parent.is_dir():
        raise UserError(f"{path}: there is no folder {Path(path).parent}.")


def save_figure(figure: Figure, path: str | Path, dpi: float, **options: str) -> None:
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
