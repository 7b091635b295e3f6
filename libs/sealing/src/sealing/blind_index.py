"""Keyed hashes of normalised values, by which rows are found whose values are sealed."""

import hmac
from dataclasses import dataclass

from sealing.framing import framed
from sealing.normalisation import (
    name_tokens,
    normal_birth_date,
    normal_email,
    normal_identifier,
    normal_phone,
    sounds,
)

TOKEN_BYTES = 16


@dataclass(frozen=True, slots=True)
class BirthDateTokens:
    """Tokens of a day of birth and of its parts; None where the date does not say them."""

    year: bytes
    month_day: bytes | None
    whole: bytes | None


class BlindIndex:
    """Tokens (16 bytes of HMAC-SHA256) under one key: Keyring.index_key(tenant, "blind-index").

    Equal tokens mean equal normal values of one kind; a token of one kind never equals one of
    another. Candidates found by tokens are compared after opening.
    """

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod="sha256")

    def phone(self, number: str, *, region: str = "US") -> bytes:
        """Raise InvalidPhone for what is none."""
        return self._token("phone", normal_phone(number, region=region))

    def email(self, address: str) -> bytes:
        """Raise InvalidEmail for what is none."""
        return self._token("email", normal_email(address))

    def identifier(self, system: str, value: str) -> bytes:
        """Index an MRN or another identifier of a system. Raise InvalidIdentifier for none."""
        return self._token("identifier", *normal_identifier(system, value))

    def birth_date(self, written: str) -> BirthDateTokens:
        """Index a FHIR date. Raise InvalidBirthDate for what is none."""
        known = normal_birth_date(written)
        return BirthDateTokens(
            self._token("birth_year", known.year),
            self._token("birth_month_day", known.month_day) if known.month_day else None,
            self._token("birth_date", known.whole) if known.whole else None,
        )

    def name(self, *names: str) -> frozenset[bytes]:
        """Index the parts of a person's names, whatever their order."""
        return frozenset(self._token("name", token) for token in name_tokens(*names))

    def name_sound(self, *names: str) -> frozenset[bytes]:
        """Index how the parts sound, so that "Smyth" finds "Smith"."""
        return frozenset(self._token("name_sound", code) for code in sounds(*names))

    def _token(self, field: str, *values: str) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(framed(field, *values))
        return keyed.digest()[:TOKEN_BYTES]
