"""Layers whose state is more than weights: files that a model's archive holds."""

from kerasseq.errors import UserError


class HasAssets:
    """A layer that reads files of a model's archive.

    A subclass has `read_assets(directory)`, which raises a `UserError` where a file is damaged, and
    `check()`, which raises one where a file was never there.
    """

    _refused: UserError | None = None

    def read_assets(self, directory: str) -> None:
        """Read what `save_assets` wrote."""
        raise NotImplementedError

    def check(self) -> None:
        """Check that the layer has all its state."""
        raise NotImplementedError

    def load_assets(self, directory: str | None) -> None:
        """Read the layer's files; None is an archive that has nothing of this layer.

        Raises:
            UserError: a file is damaged, or is not the one that the configuration names.
        """
        if directory is None:
            # Keras tries every path that leads to a layer, and would take this one for success.
            if self._refused is not None:
                raise self._refused
            return
        self._refused = None
        try:
            self.read_assets(directory)
        except UserError as error:
            self._refused = error
            raise
