"""Reads from an assertion whom it names, and has it verified for exactly that."""

import base64
import binascii
import json
from typing import Final

from runtime.tokens.caller_assertion import AssertionInvalid, CallerAssertionVerifier

from conversations.application.linking import Asserted

_PARTS: Final = 3
_LONGEST: Final = 4096


class NamedPatients:
    """The linking's Assertions over runtime's verifier, which asks for the patient expected.

    Nobody is expected here: the assertion itself says who, and the verifier confirms that the
    signed text says the same.
    """

    def __init__(self, verifier: CallerAssertionVerifier) -> None:
        self._verifier = verifier

    async def asserted(self, text: str, *, tenant: str, conversation: str) -> Asserted:
        """Raise AssertionInvalid for anything but a valid one of this conversation."""
        assertion = await self._verifier.verify(
            text, tenant=tenant, conversation=conversation, patient=_patient_in(text)
        )
        return Asserted(assertion.patient, assertion.level.name)


def _patient_in(text: str) -> str:
    """Read the claim without believing it."""
    parts = text.split(".")
    if len(parts) != _PARTS or len(text) > _LONGEST:
        raise AssertionInvalid("no assertion; verify the caller again")
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        patient = claims["patient"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise AssertionInvalid("no assertion; verify the caller again") from None
    if not isinstance(patient, str):
        raise AssertionInvalid("no assertion; verify the caller again")
    return patient
