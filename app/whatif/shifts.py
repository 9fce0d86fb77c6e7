"""A currency that gains or loses: every known exchange rate of a pair, changed by a percentage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from ...agents.rules.money import divide
from ...codecs.decimals import FX_PLACES, PERCENT_DIGITS_MAX, PERCENT_PLACES, WHOLE, format_plain, parse_scaled
from ...codecs.errors import UndecodableError
from ...codecs.fx_rate import FxRate
from ..refusal import RefusedError

if TYPE_CHECKING:
    from ...tables.reference import Reference

_FORM: Final = re.compile(r"([A-Z]{3})/([A-Z]{3})=([+-]?)(.+)")


class Shift(NamedTuple):
    """Each rate of base in quote times 1 + percent / 100. percent: 10^-4 of a percent."""

    base: str
    quote: str
    percent: int

    def apply(self, known: Reference) -> set[str]:
        """Change the known rates, rounded half up to 10^-10; returns the words of what that concerns.

        Raises RefusedError when no rate of the pair is known, or one would leave what a rate may be.
        """
        ranges = known.fx_ranges(self.base, self.quote)
        if not ranges:
            message = (
                f"no exchange rate from {self.base} to {self.quote} is known; name a pair that is, or give --fx FILE"
            )
            raise RefusedError(message)
        words: set[str] = set()
        for start, end, rate, revision, rate_type in ranges:
            shifted = divide(rate * (WHOLE + self.percent), WHOLE, "half_up")
            text = format_plain(shifted, FX_PLACES)
            try:
                word = known.put_fx_rate(
                    FxRate(
                        base=self.base,
                        quote=self.quote,
                        valid_from=start,
                        valid_to=end,
                        rate=text,
                        revision=revision + 1,
                        rate_type=rate_type,
                    )
                )
            except UndecodableError as error:
                raise RefusedError(f"{self.base}/{self.quote} from {start}: {error.problem}; {error.fix}") from error
            if word is not None:
                words.add(word)
        return words


def shift_of(text: str) -> Shift:
    """Read `USD/EUR=-5` or `USD/EUR=+2.5`; raises RefusedError."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise RefusedError(f"{text!r} is no shift; write base, quote and percent, such as USD/EUR=-5")
    base, quote, sign, percent = found.groups()
    try:
        parsed = parse_scaled(percent, PERCENT_PLACES, text, PERCENT_DIGITS_MAX)
    except UndecodableError as error:
        raise RefusedError(str(error)) from error
    return Shift(base, quote, -parsed if sign == "-" else parsed)
