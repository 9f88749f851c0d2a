"""Files of sound, pictures and clips as arrays."""

from kerasseq.lazy import define_lazy_names

_MODULES = {
    "change_speed": "kerasseq.media.sound",
    "read_picture": "kerasseq.media.picture",
    "read_sound": "kerasseq.media.sound",
    "resize_clip": "kerasseq.media.picture",
    "split_at_silences": "kerasseq.media.silence",
}

__all__ = [*_MODULES]

__getattr__, __dir__ = define_lazy_names(__name__, _MODULES)
