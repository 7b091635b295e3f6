"""Purposes of use: why somebody looks at PHI."""

from enum import StrEnum


class PurposeOfUse(StrEnum):
    """The codes of HL7 v3 ActReason, value set PurposeOfUse, that a patient line has a use for."""

    TREAT = "TREAT"
    """Treatment."""
    CAREMGT = "CAREMGT"
    """Care management."""
    ETREAT = "ETREAT"
    """Emergency treatment."""
    BTG = "BTG"
    """Break the glass."""
    HPAYMT = "HPAYMT"
    """Payment."""
    HOPERAT = "HOPERAT"
    """Health care operations."""
    PATADMIN = "PATADMIN"
    """Patient administration."""
    HQUALIMP = "HQUALIMP"
    """Quality improvement."""
    HCOMPL = "HCOMPL"
    """Compliance: audit and review."""
    HSYSADMIN = "HSYSADMIN"
    """System administration."""
    PATRQT = "PATRQT"
    """At the patient's request."""
    FAMRQT = "FAMRQT"
    """At the request of the family."""
    PWATRNY = "PWATRNY"
    """At the request of one with power of attorney."""
