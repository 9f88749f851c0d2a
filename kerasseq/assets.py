"""Layers with files in a model's archive, besides weights."""

from kerasseq.errors import UserError


class HasAssets:
    """A mixin for layers that read files of a model's archive.

    A subclass defines `read_assets(directory)`, which raises a `UserError` if a file is damaged,
    and `check()`, which raises a `UserError` if a file was missing.
    """

    _refused: UserError | None = None

    def read_assets(self, directory: str) -> None:
        """Reads the files that `save_assets` wrote."""
        raise NotImplementedError

    def check(self) -> None:
        """Checks that the layer has all its state."""
        raise NotImplementedError

    def load_assets(self, directory: str | None) -> None:
        """Reads the layer's files.

        Args:
            directory: the folder of the files, or None if the archive has none for this layer.

        Raises:
            UserError: a file is damaged, or is not the one that the configuration names.
        """
        if directory is None:
            # Keras tries every path to a layer; without this, the next path would hide the error.
            if self._refused is not None:
                raise self._refused
            return
        self._refused = None
        try:
            self.read_assets(directory)
        except UserError as error:
            self._refused = error
            raise
