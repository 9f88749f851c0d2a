"""TensorBoard events of log rows, on every backend."""

import time
from collections.abc import Mapping
from pathlib import Path

from kerasseq.errors import UserError


class TensorBoard:
    """Writes the numbers of log rows into `folder`, for `tensorboard --logdir`.

    Args:
        folder: the folder of the event files.
        step: the current step of the training; TensorBoard discards the events of later steps.

    Raises:
        UserError: the package tensorboard is not installed.
    """

    def __init__(self, folder: Path, step: int):
        try:
            from tensorboard.compat.proto.event_pb2 import Event, SessionLog
            from tensorboard.compat.proto.summary_pb2 import Summary
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError:
            raise UserError(
                "training.tensorboard needs its package: python -m pip install tensorboard"
            ) from None
        self._event, self._summary = Event, Summary
        self._writer = EventFileWriter(str(folder))
        start = SessionLog(status=SessionLog.START)
        self._writer.add_event(Event(wall_time=time.time(), step=step + 1, session_log=start))

    def add(self, row: Mapping) -> None:
        """Writes each number of a row as `kind/name`."""
        values = [
            self._summary.Value(tag=f"{row['kind']}/{name}", simple_value=value)
            for name, value in row.items()
            if name not in ("kind", "step") and type(value) in (int, float)
        ]
        event = self._event(
            wall_time=time.time(), step=row["step"], summary=self._summary(value=values)
        )
        self._writer.add_event(event)

    def close(self) -> None:
        self._writer.close()
