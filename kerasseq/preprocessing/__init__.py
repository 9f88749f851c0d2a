from kerasseq.preprocessing.text import TextPreprocessor
from kerasseq.preprocessing.tokenizer import Tokenizer

__all__ = ["TextPreprocessor", "Tokenizer"]
