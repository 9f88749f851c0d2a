"""The acoustic front end: samples to log-mel features."""

from typing import Annotated, Any, Literal

import keras
import numpy as np
from keras import ops

from kerasseq import backend
from kerasseq.acoustics.mel import Scale, mel_filters
from kerasseq.checks import Amount, Bands, Count, Positive, Rate, Share, checked, number, whole
from kerasseq.errors import UserError
from kerasseq.masking import Memory, mask_to_lengths
from kerasseq.serialization import register
from kerasseq.streaming import Streaming

# Frames that a CPU works on at a time, as many as its cache holds. This is at least twice as fast
# as the whole batch at once.
FRAMES_AT_ONCE = 2048

FULL_SCALE = 32768.0

# The mean and variance from which the running normalisation starts: about those of AN4 and FSDD.
PRIOR_MEAN, PRIOR_VARIANCE = -10.5, 12.0

# The longest Fourier transform.
_MOST_BINS = 1 << 16


@register()
class LogMel(Streaming, keras.layers.Layer):
    """Converts sound to the logarithms of its power in mel bands.

        y = log(max(|FFT(w * x)|^2 M, floor)), x in [-1, 1)

    The frames have the length `window` and start every `hop`, the first one at the first sample,
    without padding. w is the periodic Hann window, padded with zeros to `n_fft`; M are the
    `mel_filters`. The result equals the logarithm of librosa's
    `feature.melspectrogram(center=False)`, except that frames of librosa are `n_fft` samples long,
    with the window in the middle.

    Args:
        rate: samples a second.
        mels: the number of bands.
        window, hop: the length of a frame and the distance between two, in seconds.
        n_fft: the length of the Fourier transform, in samples. Default: the smallest power of two
            that holds a window.
        low, high: the frequencies at which the bands start and end, in Hz. Default: 0 and half
            the rate.
        scale: the mel scale, "slaney" or "htk".
        pre_emphasis: c in x[t] - c x[t - 1]; 0 for none.
        dither: the standard deviation of the noise added in training, in steps of int16.
        floor: the least power.
        normalization: "utterance" normalises each band to mean 0 and variance 1 over the real
            frames of a row. "mean" normalises to mean 0 and divides by a fixed variance, so that
            quiet bands stay quiet. "running" uses the mean and variance of the frames so far, and
            of `prior` frames of a fixed mean and variance before them. "none" changes nothing.
        prior: the weight of the fixed mean and variance in "running", in frames.
        margin: the copies of the quietest frame at each end. A recogniser may hear the last sound
            of a word a little later than it ends. CTC writes at most one symbol at a step, and a
            blank between two equal ones: "three" in 0.23 s has no room in steps of 40 ms. So
            recordings that are cut to a word need a margin.

    Shapes: values (N, samples) int16, mask (N, samples) -> Memory with values (N, S, `mels`)
    float32, also in mixed precision. S = 1 + (samples - window) // hop, at least 1, and 2 `margin`
    more: a row shorter than a window is padded with zeros. Frames of padding are 0.

    The layer streams with "running" and "none", and without a margin. Its input steps are samples,
    and its latency is one sample less than a window.

    Raises:
        UserError: an argument is out of its range, a window or a hop is less than a sample, or a
            filter contains no frequency bin.

    Example:

    >>> import numpy as np
    >>> import kerasseq
    >>> second = (3000 * np.sin(np.arange(16000) * 0.1)).astype("int16")[None]
    >>> memory = kerasseq.acoustics.LogMel()(second, np.ones((1, 16000), bool))
    >>> tuple(memory.values.shape)
    (1, 98, 80)
    """

    @checked
    def __init__(
        self,
        rate: Rate = 16000,
        mels: Bands = 80,
        window: Annotated[float, number(0.0005, 1.0)] = 0.025,
        hop: Annotated[float, number(0.0005, 1.0)] = 0.010,
        n_fft: Annotated[int, whole(1, _MOST_BINS)] | None = None,
        low: Amount = 0.0,
        high: Positive | None = None,
        scale: Scale = "slaney",
        pre_emphasis: Share = 0.0,
        dither: Amount = 0.0,
        floor: Positive = 1e-7,
        normalization: Literal["utterance", "mean", "running", "none"] = "utterance",
        prior: Amount = 100.0,
        margin: Count = 0,
        **kwargs: Any,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.options = {
            "rate": rate,
            "mels": mels,
            "window": window,
            "hop": hop,
            "n_fft": n_fft,
            "low": low,
            "high": high,
            "scale": scale,
            "pre_emphasis": pre_emphasis,
            "dither": dither,
            "floor": floor,
            "normalization": normalization,
            "prior": prior,
            "margin": margin,
        }
        self.rate, self.width, self.floor = rate, mels, floor
        self.pre_emphasis, self.dither = pre_emphasis, dither
        self.normalization, self.prior = normalization, prior
        self.window, self.hop = round(rate * window), round(rate * hop)
        if min(self.window, self.hop) < 1:
            raise UserError(
                f"A window of {window:g} s and a hop of {hop:g} s must have a sample or more at "
                f"{rate} Hz."
            )
        self.n_fft = 1 << (self.window - 1).bit_length() if n_fft is None else n_fft
        self.pieces = -(-self.window // self.hop)
        if not self.window <= self.n_fft <= _MOST_BINS:
            raise UserError(f"n_fft must hold a window of {self.window} samples, not {self.n_fft}.")
        self.seed_generator = keras.random.SeedGenerator()
        self._filters = mel_filters(rate, self.n_fft, mels, low, high, scale)
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.window) / self.window)
        hann = np.pad(hann / FULL_SCALE, (0, self.n_fft - self.window))
        self._hann = hann.astype("float32")

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    def count_frames(self, samples: Any) -> Any:
        """Returns the number of frames for a number of samples, an int or a tensor of ints."""
        count = 1 + (samples - self.window) // self.hop
        return max(count, 1) if isinstance(samples, int) else ops.maximum(count, 1)

    def call(self, values: Any, mask: Any, training: bool = False) -> Memory:
        if training and self.dither:
            noise = keras.random.normal(ops.shape(values), seed=self.seed_generator)
            values = ops.cast(values, "float32") + self.dither * noise
        if self.pre_emphasis:
            values = self._emphasise(ops.pad(values, [[0, 0], [1, 0]]))
        # A row shorter than a window reads zeros in its padding.
        values = ops.where(mask, values, ops.zeros_like(values))
        values = self._log_mel(values, self.count_frames(ops.shape(values)[1]))
        mask = self._frame_mask(mask)
        if margin := self.options["margin"]:
            values, mask = _add_margin(values, mask, margin)
        real = mask[:, :, None]
        if self.normalization in ("utterance", "mean"):
            values = _normalise(values, real, self.normalization == "utterance")
        elif self.normalization == "running":
            values, _ = self._normalise_running(values, self._begin_running(values))
        return Memory(ops.where(real, values, 0.0), mask)

    def _frame_mask(self, mask: Any) -> Any:
        """Returns the mask of the frames: the first is real, and all whose last sample is real."""
        later = mask[:, self.window + self.hop - 1 :: self.hop]
        return ops.concatenate([ops.ones_like(mask[:, :1]), later], axis=1)

    def _emphasise(self, values: Any) -> Any:
        """Applies the pre-emphasis to all samples but the first."""
        values = ops.cast(values, "float32")
        return values[:, 1:] - self.pre_emphasis * values[:, :-1]

    def _log_mel(self, values: Any, count: Any) -> Any:
        """Computes `count` frames (N, count, mels) from samples (N, samples)."""
        # A frame consists of pieces that are one hop long and of a last one that may be shorter.
        # The rows are concatenated; frames that reach from one row into the next are dropped.
        n, hop, rest = ops.shape(values)[0], self.hop, self.pieces - 1
        row = count + rest
        values = ops.pad(values, [[0, 0], [0, self.pieces * hop]])[:, : row * hop]
        values = ops.reshape(values, (n * row, hop))
        known = isinstance(n, int) and isinstance(row, int)
        if backend.has_accelerator() or (known and n * row <= FRAMES_AT_ONCE):
            frames = self._spectra(ops.pad(values, [[0, rest], [0, 0]]))
        else:
            chunks = -(-(n * row) // FRAMES_AT_ONCE)
            values = ops.pad(values, [[0, chunks * FRAMES_AT_ONCE + rest - n * row], [0, 0]])

            def spectra(start: Any) -> Any:
                return self._spectra(ops.slice(values, (start, 0), (FRAMES_AT_ONCE + rest, hop)))

            frames = ops.map(spectra, ops.arange(chunks) * FRAMES_AT_ONCE)
            frames = ops.reshape(frames, (chunks * FRAMES_AT_ONCE, self.width))
        return ops.reshape(frames[: n * row], (n, row, self.width))[:, :count]

    def _spectra(self, blocks: Any) -> Any:
        """Computes frames (B - pieces + 1, mels) from consecutive pieces (B, hop)."""
        blocks = ops.cast(blocks, "float32")
        count = ops.shape(blocks)[0] - self.pieces + 1
        parts = [
            blocks[start : start + count, : self.window - start * self.hop]
            for start in range(self.pieces)
        ]
        # Zeros in the data: TensorFlow is four times as slow where its FFT pads.
        parts.append(ops.zeros((count, self.n_fft - self.window)))
        real, imaginary = ops.rfft(ops.concatenate(parts, axis=1) * self._hann)
        power = ops.matmul(ops.square(real) + ops.square(imaginary), self._filters)
        return ops.log(ops.maximum(power, self.floor))

    def _begin_running(self, like: Any) -> dict:
        zeros = ops.zeros((ops.shape(like)[0], 1, self.width))
        return {"count": zeros[:, :, :1], "sum": zeros, "squares": zeros}

    def _normalise_running(self, values: Any, state: dict) -> tuple[Any, dict]:
        centred = values - PRIOR_MEAN
        count = state["count"] + ops.arange(1, ops.shape(values)[1] + 1, dtype="float32")[:, None]
        total = state["sum"] + ops.cumsum(centred, axis=1)
        squares = state["squares"] + ops.cumsum(ops.square(centred), axis=1)
        mean = total / (count + self.prior)
        variance = (squares + self.prior * PRIOR_VARIANCE) / (count + self.prior)
        variance = ops.maximum(variance - ops.square(mean), 1e-3)
        last = {"count": count[:, -1:], "sum": total[:, -1:], "squares": squares[:, -1:]}
        return (centred - mean) * ops.rsqrt(variance), last

    @property
    def factor(self) -> int:
        return self.hop

    @property
    def margin(self) -> int:
        """The samples by which the first frame begins before the recording."""
        return self.options["margin"] * self.hop

    @property
    def lead(self) -> int:
        return self.window - self.hop

    @property
    def streams(self) -> bool:
        return self.normalization in ("running", "none") and not self.margin

    def begin_stream(self, n: int) -> dict:
        if not self.streams:
            raise UserError(
                f'A stream needs normalization="running" or "none", not "{self.normalization}", '
                f"and no margin, not {self.options['margin']}."
            )
        before = ops.zeros((n, 1 if self.pre_emphasis else 0), dtype="int16")
        return {"samples": before, "running": self._begin_running(before)}

    def stream(self, values: Any, state: dict) -> tuple[Any, dict]:
        samples = ops.concatenate([state["samples"], values], axis=1)
        values = self._emphasise(samples) if self.pre_emphasis else samples
        length = values.shape[1]
        count = self.count_frames(length) if length >= self.window else 0
        state = {**state, "samples": samples[:, count * self.hop :]}
        if not count:
            return ops.zeros((ops.shape(values)[0], 0, self.width)), state
        values = self._log_mel(values, count)
        if self.normalization == "running":
            values, state["running"] = self._normalise_running(values, state["running"])
        return values, state

    def get_config(self) -> dict:
        return {**super().get_config(), **self.options}


def _add_margin(values: Any, mask: Any, frames: int) -> tuple[Any, Any]:
    """Adds the quietest frame of each row before and after it, `frames` times."""
    level = ops.where(mask, ops.mean(values, axis=-1), float("inf"))
    quietest = ops.cast(ops.argmin(level, axis=1), "int32")[:, None]
    quiet = ops.matmul(ops.cast(_count_up(mask) == quietest, values.dtype)[:, None], values)
    ends = [[0, 0], [frames, frames]]
    heard = ops.pad(ops.cast(mask, "int32"), ends) > 0
    values = ops.where(heard[:, :, None], ops.pad(values, [*ends, [0, 0]]), quiet)
    return values, _count_up(heard) < mask_to_lengths(mask)[:, None] + 2 * frames


def _count_up(like: Any) -> Any:
    """Returns 0, 1, 2, ... in each row, (N, S)."""
    return ops.cumsum(ops.ones_like(like, dtype="int32"), axis=1) - 1


def _normalise(values: Any, real: Any, by_variance: bool) -> Any:
    real = ops.cast(real, "float32")
    count = ops.sum(real, axis=1, keepdims=True)
    mean = ops.sum(values * real, axis=1, keepdims=True) / count
    centred = (values - mean) * real
    if not by_variance:
        return centred / PRIOR_VARIANCE**0.5
    variance = ops.sum(ops.square(centred), axis=1, keepdims=True) / count
    return centred * ops.rsqrt(variance + 1e-5)
