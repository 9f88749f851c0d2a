"""A process of its own that speaks: run by `demos.speech.synthesis`, never imported.

It reads a line of JSON, [text, voice, words a minute, pitch], for each utterance and writes the
number of samples (4 bytes, little-endian) and the samples (int16); before all of them, once, the
rate. The speech synthesiser keeps its state in global variables: it is not safe in threads, and
what it says depends, by a hair, on what it said before. So the same lines in a new process give
the same samples. Only the standard library is imported, which makes for a quick start.
"""

import ctypes
import json
import sys

SYNCHRONOUS, UTF8, RATE, PITCH = 2, 1, 1, 3  # names in espeak-ng's speak_lib.h
CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


def main(library: str, data: str) -> None:
    speaker = ctypes.CDLL(library)
    heard: list[bytes] = []

    def hear(samples, count, events) -> int:
        if samples and count > 0:
            heard.append(ctypes.string_at(samples, 2 * count))
        return 0

    callback = CALLBACK(hear)  # kept alive by its name
    rate = speaker.espeak_Initialize(SYNCHRONOUS, 0, data.encode(), 0)
    speaker.espeak_SetSynthCallback(callback)
    speaker.espeak_ng_SetRandSeed(ctypes.c_long(1))  # of the breath in some voices; else the clock
    output = sys.stdout.buffer
    output.write(rate.to_bytes(4, "little", signed=True))
    for line in sys.stdin.buffer:
        text, voice, speed, pitch = json.loads(line)
        heard.clear()
        if speaker.espeak_SetVoiceByName(voice.encode()):
            sys.exit(f"there is no voice {voice!r}")
        speaker.espeak_SetParameter(RATE, speed, 0)
        speaker.espeak_SetParameter(PITCH, pitch, 0)
        encoded = text.encode() + b"\0"
        speaker.espeak_Synth(encoded, len(encoded), 0, 1, 0, UTF8, None, None)
        samples = b"".join(heard)
        output.write((len(samples) // 2).to_bytes(4, "little") + samples)
    output.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
