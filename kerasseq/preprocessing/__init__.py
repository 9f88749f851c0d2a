from kerasseq.preprocessing.captioning import CaptionPreprocessor
from kerasseq.preprocessing.speech import SpeechPreprocessor
from kerasseq.preprocessing.text import TextPreprocessor
from kerasseq.preprocessing.tokenizer import Tokenizer

__all__ = ["CaptionPreprocessor", "SpeechPreprocessor", "TextPreprocessor", "Tokenizer"]
