"""What a model is to those who ask it for texts: options that hold, and hypotheses."""

from collections.abc import Sequence
from typing import Any

from kerasseq.errors import OptionError, UserError
from kerasseq.models.hypothesis import Hypothesis
from kerasseq.models.options import OF_CARDS, Options, named


class Writes:
    """A model's part in decoding: it has a `card` and a `language_model`."""

    card: dict
    language_model: Any

    def hypotheses(self, sources: Sequence[Any], options: Any = None, **more: Any) -> list:
        """The hypotheses of each raw source, best first."""
        raise NotImplementedError

    def generate(self, sources: Sequence[Any], options: Any = None, **more: Any) -> list[str]:
        """The best text for each raw source; arguments as for `hypotheses`."""
        found: list[list[Hypothesis]] = self.hypotheses(sources, options, **more)
        return [hypotheses[0].text if hypotheses else "" for hypotheses in found]

    def options(self, **given: Any) -> Options:
        """How the model decodes with single options in place of those of its card.

        Args:
            given: "beam", a width, of which 1 is greedy search; "sample", whether to draw; and
                the fields of `Options`, `Beam` and `Sample` by their names. What the card says
                and has no place beside these falls away.

        Raises:
            UserError: an option is out of its range or would have no effect, or the card's are no
                options.
        """
        found = named(given, self._measured())
        vain = self.vain(found)
        for name in given:
            if name in vain:
                raise OptionError(name, vain[name])
        return found.without(vain)

    def _measured(self) -> dict:
        """What the card says under "decoding"."""
        decoding = self.card.get("decoding", {})
        if not isinstance(decoding, dict):
            raise UserError(
                'This model\'s card is wrong: under "decoding" stand no options, but '
                f"{decoding!r:.40}."
            )
        unknown = [name for name in decoding if name not in OF_CARDS]
        if unknown:
            raise UserError(
                f'This model\'s card is wrong under "decoding": {unknown[0]!r} is no option; there '
                f"are {', '.join(OF_CARDS)}."
            )
        try:
            named({}, decoding)
        except OptionError as error:
            raise UserError(f'This model\'s card is wrong under "decoding": {error}') from None
        return decoding

    def vain(self, options: Options) -> dict[str, str]:
        """The options that would change nothing of what this model writes with `options`.

        Returns:
            By the name of each why, to stand behind the name.
        """
        reasons = {}
        if self.language_model is None:
            reasons["lm_weight"] = (
                "needs a language model, and this model was saved without a language model"
            )
        return reasons

    def usable(self, options: Options | None) -> Options:
        """The options, or by default the model's own, if each has an effect.

        Raises:
            UserError: one has none.
        """
        if options is None:
            return self.options()
        if not isinstance(options, Options):
            raise UserError(f"How to generate is told by Options(), not by {options!r:.60}.")
        vain = self.vain(options)
        for name in sorted(options.changed()):
            if name in vain:
                raise OptionError(name, vain[name])
        return options
