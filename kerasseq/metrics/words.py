"""The words of captions."""

import re

# COCO's list, the brackets that it names, and similar typographic and foreign marks.
_MARKS = r""".?!,:;'"`()\[\]{}\-‐‑–—…‘’‚“”„«»‹›¿¡。，、；：？！（）「」『』《》।؟،؛"""
_RUN = rf"[^\s{_MARKS}]+"
_ENDING = r"'(?:s|m|d|re|ve|ll)(?!\w)"
_ATTACHED = re.compile(rf"(?<=\S)(n't(?!\w)|{_ENDING})")
_WORD = re.compile(rf"{_ENDING}|{_RUN}(?:['-]{_RUN})*")


def caption_words(text: str) -> list[str]:
    """Returns the words of a caption in lower case, without punctuation.

    A word is a run of characters without white space and punctuation; a single hyphen or
    apostrophe may join two runs. As in the Penn Treebank, 's, 'm, 'd, 're, 've, 'll and n't are
    words.

    COCO's evaluation splits the text by the Stanford Penn Treebank tokenizer, and then removes
    punctuation. That tokenizer does not split abbreviations and numbers (u.s., 3.5), it splits
    "cannot", "$5" and "#2" in two, and it keeps its names of brackets (-lrb-) as words; this
    function removes brackets. The two differ in 26 of the 40,460 captions of Flickr8k.

    Example:

    >>> import kerasseq
    >>> kerasseq.metrics.caption_words("A dog's well-known trick: it doesn't bark!")
    ['a', 'dog', "'s", 'well-known', 'trick', 'it', 'does', "n't", 'bark']
    """
    text = text.lower().replace("’", "'")
    if "'" in text:
        text = _ATTACHED.sub(r" \1", text)
    return _WORD.findall(text)
