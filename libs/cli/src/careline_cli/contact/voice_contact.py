"""A caller who fails verification and is told nothing."""

from dataclasses import replace

from careline.conversations.v1.conversation_pb2 import (
    AUTHOR_KIND_BOT,
    AUTHOR_KIND_PATIENT,
    CHANNEL_VOICE,
)
from careline.identity.v1.caller_verification_service_pb2 import (
    CALLER_LEVEL_ANONYMOUS,
    Verification,
)

from careline_cli.contact.frontend import Frontend
from careline_cli.contact.persona import Persona
from careline_cli.contact.sms_contact import ContactFailed

# Of the range that is set aside for fiction (555-0100 to 555-0199).
CALLING_NUMBER = "+16175550199"
WRONG_BIRTH_DATES = ("1901-01-01", "1901-01-02", "1901-01-03")
NO_NUMBER = "none-of-ours"
CALL_BACK = "I could not confirm that. We will call the number that we have on file."


async def play_voice_contact(frontend: Frontend, persona: Persona) -> str:
    """Play it; gives the conversation."""
    name = await frontend.start(CHANNEL_VOICE, CALLING_NUMBER)
    leg = await frontend.call_leg(name, CALLING_NUMBER)
    await frontend.spoken(name, leg, AUTHOR_KIND_BOT, "Patient line, how can we help?", 0)
    await frontend.spoken(name, leg, AUTHOR_KIND_PATIENT, "What did my doctor prescribe?", 3)
    await frontend.keys(name, leg, "2")
    verification = await frontend.verification(name, "VOICE")
    for second, birth_date in enumerate(WRONG_BIRTH_DATES, start=6):
        told = replace(
            persona, birth_date=birth_date, phone=CALLING_NUMBER, medical_record_number=NO_NUMBER
        )
        await frontend.spoken(name, leg, AUTHOR_KIND_PATIENT, told.full_name, second)
        verification = await frontend.identify(verification.name, told)
    if (verification.level, verification.state) != (
        CALLER_LEVEL_ANONYMOUS,
        Verification.STATE_EXHAUSTED,
    ):
        raise ContactFailed("a caller with a wrong birth date got further than anybody may")
    await frontend.spoken(name, leg, AUTHOR_KIND_BOT, CALL_BACK, 12)
    await frontend.hang_up(name, leg)
    await frontend.close(name, "REFUSED")
    return name
