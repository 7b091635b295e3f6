"""A patient texts in, is verified, is answered by an agent, and goes on in web chat."""

import secrets

from careline.conversations.v1.conversation_pb2 import CHANNEL_CHAT, CHANNEL_SMS
from careline.identity.v1.caller_verification_service_pb2 import CALLER_LEVEL_VERIFIED
from careline.patient_context.v1.patient_service_pb2 import GetPatientContextResponse

from careline_cli.command_error import CommandError
from careline_cli.contact.agent import Agent
from careline_cli.contact.frontend import Frontend
from careline_cli.contact.persona import Persona

GREETING = "Hello, this is the patient line's automated help. What can we do for you?"
WHO = "Please tell me your full name, your date of birth and your medical record number."
CODE_SENT = "Thank you. I have sent a code to the number we have on file; please send it back."
VERIFIED = "Thank you, you are verified. Someone will be with you in a moment."


class ContactFailed(CommandError):
    """The contact did not go as it should; the text says where."""


async def play_sms_contact(
    frontend: Frontend, agent: Agent, persona: Persona, queue: str
) -> str | None:
    """Play it; gives the conversation, None when no more codes may be sent to the patient now."""
    name = await frontend.start(CHANNEL_SMS, persona.phone)
    await frontend.patient_says(name, CHANNEL_SMS, "Hi, when is my next appointment?")
    await frontend.bot_says(name, CHANNEL_SMS, GREETING)
    if not await _verify(frontend, persona, name):
        await frontend.close(name, "REFUSED")
        return None
    await frontend.patient_says(name, CHANNEL_SMS, "I would like to know what to bring, too.")
    contact = await frontend.hand_over(name, queue)
    await agent.accept(contact)
    await agent.gets_control(name)
    seen = await agent.screen_pop(name, persona.patient)
    answer = _answer(seen)
    await agent.says(name, answer)
    await frontend.delivered(answer)
    await _go_on_in_chat(frontend, agent, name)
    await agent.wrap_up(name, contact, "APPOINTMENT_ANSWERED", "Told when and what to bring.")
    return name


async def _verify(frontend: Frontend, persona: Persona, name: str) -> bool:
    await frontend.bot_says(name, CHANNEL_SMS, WHO)
    told = f"{persona.full_name}, {persona.birth_date}, {persona.medical_record_number}"
    await frontend.patient_says(name, CHANNEL_SMS, told)
    verification = await frontend.verification(name, "SMS")
    await frontend.identify(verification.name, persona)
    if not await frontend.send_code(verification.name):
        return False
    await frontend.bot_says(name, CHANNEL_SMS, CODE_SENT)
    verified = await frontend.confirm_code(verification.name)
    if verified.level != CALLER_LEVEL_VERIFIED:
        raise ContactFailed("the caller was not verified by the code that was delivered")
    linked = await frontend.link(name, verification.name)
    if linked != persona.patient:
        raise ContactFailed("the conversation was linked to another patient than the caller")
    await frontend.bot_says(name, CHANNEL_SMS, VERIFIED)
    return True


def _answer(seen: GetPatientContextResponse) -> str:
    context = seen.patient_context
    following = context.next_encounter
    if not following.start:
        return f"Good day, {context.display_name}. You have no appointment booked at the moment."
    return f"Good day, {context.display_name}. Your next appointment: {following.start}."


async def _go_on_in_chat(frontend: Frontend, agent: Agent, name: str) -> None:
    await frontend.join(name, CHANNEL_CHAT, f"chat-{secrets.token_hex(8)}")
    await frontend.patient_says(name, CHANNEL_CHAT, "I am in the web chat now. What do I bring?")
    answer = "Please bring your insurance card and a list of what you take."
    await agent.says(name, answer)
    delivery = await frontend.delivered(answer)
    if delivery.channel != CHANNEL_CHAT:
        raise ContactFailed("the answer went out by another channel than the person last used")
