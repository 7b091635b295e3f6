"""By which keys records are found that a set of identifiers may mean.

Two of the three parts of the rule lead to a record: name word and birth date together, or whatever
the third part names. What is found is judged by `matching`.
"""

from datetime import date
from typing import Final, TypeAlias

from identity.domain.identifiers import (
    name_words,
    phone_number,
    record_number,
    street,
    whole_date,
    zip_code,
)
from identity.domain.matching import Candidate, Identifiers, MatchPolicy

Key: TypeAlias = tuple[str, ...]
"""A kind and its values. Kept as keyed hashes alone."""

_MOST_WORDS: Final = 16


def keys_of_record(record: Candidate) -> frozenset[Key]:
    """Give the keys under which a record is kept."""
    words = {
        word
        for name in record.names
        for part in (name.family, *name.given)
        for word in name_words(part)
    }
    born = whole_date(record.birth_date)
    keys = {_born(born, word) for word in words if born is not None}
    keys |= {("phone", number) for each in record.phones if (number := phone_number(each))}
    keys |= {
        ("number", number) for each in record.record_numbers if (number := record_number(each))
    }
    for address in record.addresses:
        keys |= {
            ("address", code, line)
            for each in (*address.lines, " ".join(address.lines))
            if (line := street(each)) and (code := zip_code(address.postal_code))
        }
    return frozenset(keys)


def keys_of_identifiers(identifiers: Identifiers, policy: MatchPolicy) -> frozenset[Key]:
    """Give the keys under which the records are looked for."""
    words = name_words(identifiers.full_name)[:_MOST_WORDS]
    born = whole_date(identifiers.birth_date)
    keys = {
        _born(day, word)
        for word in words
        for day in ([] if born is None else _days(born, policy.birth_year_tolerance))
    }
    if phone := phone_number(identifiers.phone):
        keys.add(("phone", phone))
    if number := record_number(identifiers.medical_record_number):
        keys.add(("number", number))
    line, code = street(identifiers.street_line), zip_code(identifiers.postal_code)
    if line and code:
        keys.add(("address", code, line))
    return frozenset(keys)


def _born(day: date, word: str) -> Key:
    return ("born", day.isoformat(), word)


def _days(born: date, tolerance: int) -> list[date]:
    """Give the day in every year that the tolerance takes; 29 February is not there in all."""
    days = []
    for year in range(max(born.year - tolerance, date.min.year), born.year + tolerance + 1):
        try:
            days.append(born.replace(year=year))
        except ValueError:
            continue
    return days
