"""What clean speech passes through before a microphone has it: rooms, noise, telephones."""

import numpy as np

from kerasseq.media.levels import to_int16


def add_surroundings(speech: np.ndarray, rate: int, seed: int) -> np.ndarray:
    """Returns clean speech as it is heard in a random room, with noise, through a microphone.

    Pauses of up to 0.4 s surround it. Nearly half of all rooms echo (an exponential decay of 60 dB
    in 0.1 to 0.5 s), the noise is 8 to 40 dB below the speech, and a quarter of the recordings have
    the band of a telephone (some 300 to 3,400 Hz).

    Args:
        speech: samples (n,) float32.
        rate: samples a second.
        seed: of all that is drawn.

    Returns:
        samples (n + pauses,) int16.
    """
    from scipy.signal import butter, fftconvolve, lfilter, sosfilt

    rng = np.random.default_rng(seed)
    pauses = [np.zeros(rng.integers(0, int(0.4 * rate)), np.float32) for _ in range(2)]
    heard = np.concatenate([pauses[0], speech, pauses[1]])
    if rng.random() < 0.45:
        heard = fftconvolve(heard, _draw_echo(rng, rate))[: len(heard)]
    heard = lfilter([1, rng.uniform(-0.5, 0.3)], [1.0], heard)  # a microphone favours high or low
    noise = lfilter([1.0], [1.0, -rng.uniform(0, 0.97)], rng.standard_normal(len(heard)))
    power = np.mean(heard**2) / np.mean(noise**2)
    heard = heard + noise * np.sqrt(power / 10 ** (rng.uniform(8, 40) / 10))
    if rng.random() < 0.25:
        band = [rng.uniform(150, 350), rng.uniform(3000, 3700)]
        heard = sosfilt(butter(4, band, "band", fs=rate, output="sos"), heard)
    level = 10 ** (-rng.uniform(1, 15) / 20)
    return to_int16(heard / max(np.abs(heard).max(), 1e-9) * level)


def _draw_echo(rng: np.random.Generator, rate: int) -> np.ndarray:
    """Draws the impulse response of a room: the sound itself, and a decaying noise after it."""
    count = int(rng.uniform(0.1, 0.5) * rate)
    echo = rng.standard_normal(count) * 10 ** (-3 * np.arange(count) / count)
    echo[: rate // 400] = 0
    echo *= 10 ** (-rng.uniform(3, 15) / 20) / np.sqrt(np.sum(echo**2))
    echo[0] = 1
    return echo
