"""The ids of a vocabulary that stand for no text."""

PAD, UNKNOWN, BEGIN, END = range(4)

BLANK = PAD
"""The blank of CTC and of transducers."""

SPECIAL_IDS = 4
"""How many there are. The ids of a vocabulary's pieces follow them."""
