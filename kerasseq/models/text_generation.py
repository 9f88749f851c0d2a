"""Texts of raw sources, by options that hold."""

from collections.abc import Sequence
from typing import Any

from kerasseq.errors import OptionError, UserError
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.models.inputs import as_list, is_single
from kerasseq.models.options import CARD_NAMES, NAMES, Options, parse_options


class TextGeneration:
    """A model's part in decoding. The model has a `card`, a `preprocessor` and a `language_model`.

    A subclass decodes a list of sources in `_decode`, whose keyword arguments are those of
    `hypotheses` that are no options of decoding.
    """

    card: dict
    preprocessor: Any
    language_model: Any

    def hypotheses(
        self, sources: Any, options: Options | None = None, **keywords: Any
    ) -> list[list[Hypothesis]] | list[Hypothesis]:
        """Returns the hypotheses of each raw source, best first.

        Args:
            sources: a list of texts, paths of files, or arrays, as the preprocessor reads them. One
                source alone gives one list of hypotheses.
            options: how to decode. The default is the model's own way, see `Options`.
            keywords: single options of decoding in place of `options`, as `options()` takes them,
                such as `beam=4`. These go beside both:
                `batch_size`, the sources that are decoded together, which changes no result;
                `jit`, whether TensorFlow compiles by XLA (JAX always does, PyTorch never).
                A model with a decoder also takes
                `prefixes`, the beginning of each text, as far as it is prescribed;
                `with_models`, further models of an ensemble, whose probabilities are averaged;
                `first_row`, the index of the first source where texts are sampled in several
                calls.

        Raises:
            UserError: the model has no preprocessor or vocabulary, an option is unknown, out of
                its range or has no effect, or the models of an ensemble have different target
                vocabularies or are one model.
        """
        one = is_single(self.preprocessor, sources)
        decoding, call = self._split_keywords(keywords)
        if decoding and options is not None:
            raise UserError(
                f"Give either options or {next(iter(decoding))}=..., not both: "
                "model.options(...) makes options of single ones."
            )
        if one and isinstance(call.get("prefixes"), str):
            call["prefixes"] = [call["prefixes"]]
        sources = [sources] if one else as_list(sources)
        resolved = self.options(**decoding) if decoding else self.resolve_options(options)
        results = self._decode(sources, resolved, **call)
        return results[0] if one else results

    def generate(
        self, sources: Any, options: Options | None = None, **keywords: Any
    ) -> list[str] | str:
        """Returns the best text for each raw source, or one text for one source.

        The arguments are those of `hypotheses`.
        """
        results = self.hypotheses(sources, options, **keywords)
        one = is_single(self.preprocessor, sources)
        texts = [row[0].text if row else "" for row in ([results] if one else results)]
        return texts[0] if one else texts

    def _decode(self, sources: Sequence[Any], options: Options, **call: Any) -> list:
        """Returns the hypotheses of each source of a list."""
        raise NotImplementedError

    def _split_keywords(self, keywords: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the options of decoding and the other arguments of `_decode`.

        Raises:
            OptionError: a name is neither.
        """
        others = tuple(type(self)._decode.__kwdefaults__)
        for name in keywords:
            if name not in NAMES and name not in others:
                names = ", ".join((*NAMES, *others))
                raise OptionError(name, f"is no option of decoding; there are {names}")
        decoding = {name: value for name, value in keywords.items() if name in NAMES}
        return decoding, {name: keywords[name] for name in keywords if name in others}

    def options(self, **given: Any) -> Options:
        """Returns the options of the model's card with single ones replaced.

        Args:
            given: "beam", a width, of which 1 is greedy search; "sample", whether to draw; and
                the fields of `Options`, `Beam` and `Sample` by their names. An option of the card
                that has no effect beside these falls away.

        Raises:
            UserError: an option is out of its range or would have no effect, or the card's are no
                options.
        """
        options = parse_options(given, self._read_card())
        idle = self.find_idle_options(options)
        for name in given:
            if name in idle:
                raise OptionError(name, idle[name])
        return options.without(idle)

    def _read_card(self) -> dict:
        """Returns the options of the card under "decoding"."""
        decoding = self.card.get("decoding", {})
        if not isinstance(decoding, dict):
            raise UserError(
                'This model\'s card is wrong: under "decoding" stand no options, but '
                f"{decoding!r:.40}."
            )
        unknown = [name for name in decoding if name not in CARD_NAMES]
        if unknown:
            raise UserError(
                f'This model\'s card is wrong under "decoding": {unknown[0]!r} is no option; there '
                f"are {', '.join(CARD_NAMES)}."
            )
        try:
            parse_options({}, decoding)
        except OptionError as error:
            raise UserError(f'This model\'s card is wrong under "decoding": {error}') from None
        return decoding

    def find_idle_options(self, options: Options) -> dict[str, str]:
        """Finds the options that change nothing in this model's texts beside `options`.

        Returns:
            The reason for each name, which stands behind the name in an error.
        """
        reasons = {}
        if self.language_model is None:
            reasons["lm_weight"] = (
                "needs a language model, and this model was saved without a language model"
            )
        return reasons

    def resolve_options(self, options: Options | None) -> Options:
        """Returns the options, by default the model's own, if each has an effect.

        Raises:
            UserError: an option has no effect.
        """
        if options is None:
            return self.options()
        if not isinstance(options, Options):
            raise UserError(f"How to generate is told by Options(), not by {options!r:.60}.")
        idle = self.find_idle_options(options)
        for name in sorted(options.changed_names()):
            if name in idle:
                raise OptionError(name, idle[name])
        return options
