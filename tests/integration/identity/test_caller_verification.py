"""Verifying callers: identifiers judged as a whole, then a code to a number on file."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from careline.conversations.v1 import conversation_pb2
from careline.identity.v1 import caller_verification_service_pb2 as pb2
from careline.patient_context.events.v1 import events_pb2 as patients_pb2
from google.protobuf.message import Message
from integration.identity.neighbours import person
from integration.identity.rig import DEMO, OTHER, Client, Rig
from integration.refusals import refusal, request_id
from runtime.new_id import new_id
from runtime.tokens.caller_assertion import AssertionInvalid, CallerLevel

V = pb2.Verification


def conversation() -> str:
    return f"conversations/{new_id()}"


def record_number() -> str:
    return f"MRN{new_id().hex[-10:]}"


async def patient(rig: Rig, tenant: str = DEMO, **about: str) -> tuple[str, str]:
    """Register somebody with a record number of his own, known to identity; gives both."""
    number = record_number()
    name = await rig.patients.register(
        tenant, person("José", "Ordóñez", record_number=number, maiden="Wolff", **about)
    )
    await rig.known(name, tenant)
    return name, number


async def start(
    frontend: Client, where: str = "", channel: str = "SMS", request: str = ""
) -> pb2.Verification:
    answer = await frontend.callers.StartVerification(
        pb2.StartVerificationRequest(
            request_id=request or request_id(),
            conversation=where or conversation(),
            channel=channel,
        )
    )
    return answer.verification


def submitting(
    verification: str, number: str, *, request: str = "", **changes: str
) -> pb2.SubmitIdentifiersRequest:
    said = {
        "full_name": "jose ordonez",
        "birth_date": "1972-03-03",
        "medical_record_number": number,
    }
    return pb2.SubmitIdentifiersRequest(
        request_id=request or request_id(), verification=verification, **{**said, **changes}
    )


async def submit(frontend: Client, verification: str, number: str, **changes: str) -> V:
    answer = await frontend.callers.SubmitIdentifiers(submitting(verification, number, **changes))
    return answer.verification


async def send(frontend: Client, verification: str, request: str = "") -> pb2.SendCodeResponse:
    return await frontend.callers.SendCode(
        pb2.SendCodeRequest(request_id=request or request_id(), verification=verification)
    )


async def confirm(frontend: Client, verification: str, code: str, request: str = "") -> V:
    answer = await frontend.callers.ConfirmCode(
        pb2.ConfirmCodeRequest(
            request_id=request or request_id(), verification=verification, code=code
        )
    )
    return answer.verification


async def get(client: Client, verification: str) -> pb2.GetVerificationResponse:
    return await client.callers.GetVerification(
        pb2.GetVerificationRequest(verification=verification)
    )


async def matched(frontend: Client, number: str, channel: str = "SMS") -> V:
    begun = await start(frontend, channel=channel)
    verification = await submit(frontend, begun.name, number)
    assert verification.state == V.STATE_MATCHED
    return verification


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def counted(calls: Sequence[Awaitable[Any]]) -> list[Any]:
    return list(await asyncio.gather(*calls, return_exceptions=True))


async def test_a_caller_is_matched_by_what_he_knows_and_verified_by_a_code(rig: Rig) -> None:
    frontend = await rig.frontend()
    name, number = await patient(rig)
    begun = await start(frontend)
    found = await submit(frontend, begun.name, number)

    sent = await send(frontend, begun.name)
    code = rig.outbox.code_of(begun.conversation)
    verified = await confirm(frontend, begun.name, code)

    assert (begun.state, begun.remaining_tries) == (V.STATE_IDENTIFYING, 3)
    assert (found.state, found.level) == (V.STATE_MATCHED, pb2.CALLER_LEVEL_MATCHED)
    assert (sent.verification.state, sent.verification.remaining_tries) == (V.STATE_CODE_SENT, 3)
    assert (verified.state, verified.level) == (V.STATE_VERIFIED, pb2.CALLER_LEVEL_VERIFIED)
    assertion = await get(frontend, begun.name)
    held = await rig.serving.runtime.caller_assertions.verify(
        assertion.caller_assertion, tenant=DEMO, conversation=begun.conversation, patient=name
    )
    assert held.level is CallerLevel.VERIFIED
    assert held.purpose == "TREAT"
    assert await rig.types(begun.name) == [
        "VerificationStarted",
        "IdentifiersMatched",
        "CallerLevelReached",
        "VerificationCodeSent",
        "VerificationCodeConfirmed",
        "CallerLevelReached",
    ]


async def test_the_code_goes_to_the_outbox_alone_as_identity_itself(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig, phone="(617) 555-0144")
    begun = await matched(frontend, number)

    sent = await send(frontend, begun.name)

    (handed,) = rig.outbox.sent(begun.conversation)
    request = handed.request
    assert request.address == "+16175550144"
    assert request.channel == conversation_pb2.CHANNEL_SMS
    assert request.expire_time == sent.code_expire_time
    assert len(request.one_time_code) == 6
    token = str(handed.metadata["authorization"]).removeprefix("Bearer ")
    caller = await rig.serving.runtime.token_verifier.verify(token)
    assert caller.name == "services/identity"
    assert handed.metadata["careline-tenant"] == DEMO
    assert request.one_time_code not in str(sent)
    events = b"".join(event.data + event.metadata for event in await rig.events(begun.name))
    assert request.one_time_code.encode() not in events
    (row,) = await rig.rows(
        "select mac from identity.one_time_code where code = :code",
        code=next(
            message.code  # type: ignore[attr-defined]  # of this type
            for message in await rig.messages(begun.name)
            if message.DESCRIPTOR.name == "VerificationCodeSent"
        ),
    )
    assert len(row.mac) == 32


WRONG_SETS = {
    "name": {"full_name": "jose garcia"},
    "birth date": {"birth_date": "1972-03-04"},
    "third": {"medical_record_number": "MRN0000000"},
    "all": {"full_name": "eve", "birth_date": "1950-01-01", "medical_record_number": "MRN0000000"},
    "nothing": {"full_name": "", "birth_date": "", "medical_record_number": ""},
    "malformed": {"birth_date": "3rd of March", "medical_record_number": "'; drop table x; --"},
}


@pytest.mark.parametrize("wrong", WRONG_SETS.values(), ids=WRONG_SETS.keys())
async def test_a_set_that_does_not_fit_is_answered_alike_whatever_failed(
    rig: Rig, wrong: dict[str, str]
) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await start(frontend)

    answer = await submit(frontend, begun.name, number, **wrong)

    assert answer == V(
        name=begun.name,
        conversation=begun.conversation,
        state=V.STATE_IDENTIFYING,
        level=pb2.CALLER_LEVEL_ANONYMOUS,
        remaining_tries=2,
    )
    assert await rig.types(begun.name) == ["VerificationStarted", "IdentifiersNotMatched"]


async def test_a_deceased_patient_is_never_matched(rig: Rig) -> None:
    frontend = await rig.frontend()
    number = record_number()
    name = await rig.patients.register(
        DEMO, person("José", "Ordóñez", record_number=number), deceased=True
    )
    await rig.known(name)
    begun = await start(frontend)

    assert (await submit(frontend, begun.name, number)).state == V.STATE_IDENTIFYING


async def test_a_patient_who_died_since_is_asserted_no_more_and_gets_no_code(rig: Rig) -> None:
    frontend = await rig.frontend()
    name, number = await patient(rig)
    begun = await matched(frontend, number)
    assert (await get(frontend, begun.name)).caller_assertion
    await rig.patients.append(
        DEMO,
        name,
        patients_pb2.PatientDemographicsChanged(
            demographics=person("José", "Ordóñez", record_number=number), deceased=True
        ),
    )
    await rig.until("select deceased from identity.known_patient where patient = :p", True, p=name)

    answer = await get(frontend, begun.name)

    assert (answer.caller_assertion, answer.verification.level) == (
        "",
        pb2.CALLER_LEVEL_ANONYMOUS,
    )
    assert await refusal(send(frontend, begun.name)) == "CODE_UNDELIVERABLE"
    assert rig.outbox.sent(begun.conversation) == []


async def test_an_erased_patient_is_forgotten(rig: Rig) -> None:
    frontend = await rig.frontend()
    name, number = await patient(rig)
    begun = await matched(frontend, number)
    await rig.patients.append(DEMO, name, patients_pb2.PatientErased())
    await rig.known(name, at_all=False)

    assert (await get(frontend, begun.name)).caller_assertion == ""
    again = await start(frontend)
    assert (await submit(frontend, again.name, number)).state == V.STATE_IDENTIFYING
    keys = "select count(*) from identity.known_patient_key where patient = :p"
    assert (await rig.rows(keys, p=name))[0][0] == 0


async def test_changed_demographics_count_from_then_on(rig: Rig) -> None:
    frontend = await rig.frontend()
    name, number = await patient(rig)
    changed = record_number()
    await rig.patients.append(
        DEMO,
        name,
        patients_pb2.PatientDemographicsChanged(
            demographics=person("José", "Ordóñez", record_number=changed)
        ),
    )
    await rig.until("select revision from identity.known_patient where patient = :p", 1, p=name)

    old, new = await start(frontend), await start(frontend)

    assert (await submit(frontend, old.name, number)).state == V.STATE_IDENTIFYING
    assert (await submit(frontend, new.name, changed)).state == V.STATE_MATCHED


async def test_two_records_that_fit_are_nobody(rig: Rig) -> None:
    frontend = await rig.frontend()
    number = record_number()
    for _ in range(2):
        name = await rig.patients.register(DEMO, person("José", "Ordóñez", record_number=number))
        await rig.known(name)
    begun = await start(frontend)

    assert (await submit(frontend, begun.name, number)).state == V.STATE_IDENTIFYING


async def test_patients_of_another_tenant_are_nobody(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig, OTHER)
    begun = await start(frontend)

    assert (await submit(frontend, begun.name, number)).state == V.STATE_IDENTIFYING


async def test_the_third_failed_set_ends_it_for_the_conversation(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await start(frontend)
    left = [(await submit(frontend, begun.name, "MRN0000000")).remaining_tries for _ in range(3)]

    assert left == [2, 1, 0]
    assert (await get(frontend, begun.name)).verification.state == V.STATE_EXHAUSTED
    assert await refusal(submit(frontend, begun.name, number)) == "VERIFICATION_EXHAUSTED"
    assert await refusal(start(frontend, begun.conversation)) == "VERIFICATION_EXHAUSTED"


async def test_beginning_anew_does_not_give_new_tries(rig: Rig) -> None:
    frontend, other = await rig.frontend(), await rig.frontend()
    begun = await start(frontend)
    await submit(frontend, begun.name, "MRN0000000")

    again = await start(frontend, begun.conversation)
    elsewhere = await start(other, begun.conversation, "CHAT")

    assert again.name == elsewhere.name == begun.name
    assert elsewhere.remaining_tries == 2


async def test_a_hundred_sets_at_once_are_three_judged(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await start(frontend)

    await counted(
        [submit(frontend, begun.name, f"MRN{number:07d}") for number in range(99)]
        + [submit(frontend, begun.name, number)]
    )

    types = await rig.types(begun.name)
    assert types.count("IdentifiersNotMatched") + types.count("IdentifiersMatched") <= 3


async def test_five_failed_sets_lock_a_patient_for_a_day_in_all_conversations(rig: Rig) -> None:
    frontend = await rig.frontend()
    name, number = await patient(rig)
    wrong = {"birth_date": "1972-03-04"}
    for _ in range(5):
        begun = await start(frontend)
        await submit(frontend, begun.name, number, **wrong)

    locked = await start(frontend)
    answer = await submit(frontend, locked.name, number)
    assert (answer.state, answer.remaining_tries) == (V.STATE_IDENTIFYING, 2)
    counts = name.replace("patients/", "patientVerifications/")
    assert await rig.types(counts) == ["PatientVerificationFailed"] * 5
    rig.clock.advance(timedelta(hours=24))
    later = await start(frontend)
    assert (await submit(frontend, later.name, number)).state == V.STATE_MATCHED


async def test_guessing_in_forty_conversations_at_once_gains_nothing(rig: Rig) -> None:
    frontend = await rig.frontend()
    name, number = await patient(rig)
    begun = [await start(frontend) for _ in range(40)]

    answers = await counted(
        [
            submit(frontend, one.name, number, birth_date=f"1972-03-{day % 28 + 4:02d}")
            for day, one in enumerate(begun[:-1])
        ]
        + [submit(frontend, begun[-1].name, number)]
    )

    counts = await rig.types(name.replace("patients/", "patientVerifications/"))
    assert counts.count("PatientVerificationFailed") <= 5
    assert {answer.state for answer in answers} <= {V.STATE_IDENTIFYING, V.STATE_MATCHED}


async def test_a_set_that_is_about_nobody_counts_on_nobody(rig: Rig) -> None:
    frontend = await rig.frontend()
    name, number = await patient(rig)
    begun = await start(frontend)
    await submit(frontend, begun.name, number, full_name="eve", birth_date="1950-01-01")

    assert await rig.types(name.replace("patients/", "patientVerifications/")) == []


async def test_a_repeated_set_counts_once_and_is_answered_as_the_first_time(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await start(frontend)
    wrong = submitting(begun.name, "MRN0000000")
    right = submitting(begun.name, number)

    failed = [await frontend.callers.SubmitIdentifiers(wrong) for _ in range(3)]
    fitted = [await frontend.callers.SubmitIdentifiers(right) for _ in range(3)]
    late = await frontend.callers.SubmitIdentifiers(wrong)

    assert failed[0] == failed[1] == failed[2] == late
    assert fitted[0] == fitted[1] == fitted[2]
    wrong.full_name = "somebody else"
    assert await refusal(frontend.callers.SubmitIdentifiers(wrong)) == "REQUEST_ID_REUSED"


async def test_a_wrong_code_can_be_tried_three_times(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await matched(frontend, number)
    await send(frontend, begun.name)
    code = rig.outbox.code_of(begun.conversation)

    tried = [await confirm(frontend, begun.name, other_than(code)) for _ in range(3)]

    assert [one.remaining_tries for one in tried] == [2, 1, 0]
    assert {one.level for one in tried} == {pb2.CALLER_LEVEL_MATCHED}
    assert await refusal(confirm(frontend, begun.name, code)) == "VERIFICATION_STATE"
    await send(frontend, begun.name)
    fresh = rig.outbox.code_of(begun.conversation)
    assert (await confirm(frontend, begun.name, fresh)).state == V.STATE_VERIFIED


async def test_one_code_is_live(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await matched(frontend, number)
    await send(frontend, begun.name)
    old = rig.outbox.code_of(begun.conversation)
    await send(frontend, begun.name)
    new = rig.outbox.code_of(begun.conversation)

    if old != new:
        assert (await confirm(frontend, begun.name, old)).state == V.STATE_CODE_SENT
    assert (await confirm(frontend, begun.name, new)).state == V.STATE_VERIFIED


async def test_a_code_ends_after_five_minutes(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await matched(frontend, number)
    await send(frontend, begun.name)
    rig.clock.advance(timedelta(minutes=5))

    late = await confirm(frontend, begun.name, rig.outbox.code_of(begun.conversation))

    assert late.level == pb2.CALLER_LEVEL_MATCHED


async def test_a_thousand_guesses_at_once_are_three_evaluated(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await matched(frontend, number)
    await send(frontend, begun.name)
    code = rig.outbox.code_of(begun.conversation)
    guesses = [f"{guess:06d}" for guess in range(1000) if f"{guess:06d}" != code]

    await counted([confirm(frontend, begun.name, guess) for guess in guesses])

    assert (await rig.types(begun.name)).count("VerificationCodeRefused") == 3
    assert await refusal(confirm(frontend, begun.name, code)) == "VERIFICATION_STATE"


async def test_fifty_right_codes_at_once_succeed_once(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await matched(frontend, number)
    await send(frontend, begun.name)
    code = rig.outbox.code_of(begun.conversation)

    answers = await counted([confirm(frontend, begun.name, code) for _ in range(50)])

    assert sum(isinstance(answer, Message) for answer in answers) == 1
    assert (await rig.types(begun.name)).count("VerificationCodeConfirmed") == 1


async def test_a_code_is_bound_to_its_conversation_and_patient(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    here, there = [await matched(frontend, number) for _ in range(2)]
    await send(frontend, here.name)
    await send(frontend, there.name)
    code = rig.outbox.code_of(here.conversation)

    if code != rig.outbox.code_of(there.conversation):
        assert (await confirm(frontend, there.name, code)).state == V.STATE_CODE_SENT


async def test_three_codes_go_out_in_half_an_hour(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await matched(frontend, number)
    for _ in range(3):
        await send(frontend, begun.name)

    assert await refusal(send(frontend, begun.name)) == "VERIFICATION_EXHAUSTED"
    assert len(rig.outbox.sent(begun.conversation)) == 3
    rig.clock.advance(timedelta(minutes=30))
    assert (await send(frontend, begun.name)).verification.state == V.STATE_CODE_SENT


async def test_a_patient_gets_three_codes_in_half_an_hour_from_all_conversations(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = [await matched(frontend, number) for _ in range(4)]

    answers = await counted([send(frontend, one.name) for one in begun])

    sent = [handed for one in begun for handed in rig.outbox.sent(one.conversation)]
    assert len(sent) == 3
    assert sum(isinstance(answer, pb2.SendCodeResponse) for answer in answers) == 3


async def test_a_repeated_send_sends_once(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await matched(frontend, number)
    request = request_id()
    first = await send(frontend, begun.name, request)

    again = await send(frontend, begun.name, request)

    assert again == first
    assert len(rig.outbox.sent(begun.conversation)) == 1
    code = rig.outbox.code_of(begun.conversation)
    assert (await confirm(frontend, begun.name, code)).state == V.STATE_VERIFIED


async def test_of_ten_same_sends_at_once_one_sends(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await matched(frontend, number)
    request = request_id()

    await counted([send(frontend, begun.name, request) for _ in range(10)])

    assert len(rig.outbox.sent(begun.conversation)) == 1
    code = rig.outbox.code_of(begun.conversation)
    assert (await confirm(frontend, begun.name, code)).state == V.STATE_VERIFIED


async def test_while_the_outbox_is_away_nothing_is_sent_and_the_same_request_sends_later(
    rig: Rig,
) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await matched(frontend, number)
    request = request_id()
    rig.outbox.fails_with = grpc.StatusCode.UNAVAILABLE
    try:
        assert await refusal(send(frontend, begun.name, request)) == "DEPENDENCY_UNAVAILABLE"
    finally:
        rig.outbox.fails_with = None

    await send(frontend, begun.name, request)

    code = rig.outbox.code_of(begun.conversation)
    assert (await confirm(frontend, begun.name, code)).state == V.STATE_VERIFIED
    assert (await rig.types(begun.name)).count("VerificationCodeSent") == 1


async def test_a_voice_caller_without_a_text_channel_is_called_back(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    by_voice = await matched(frontend, number, "VOICE")
    by_chat = await matched(frontend, number, "CHAT")
    rig.outbox.serves = {conversation_pb2.CHANNEL_VOICE}
    try:
        await send(frontend, by_voice.name)
        assert await refusal(send(frontend, by_chat.name)) == "CODE_UNDELIVERABLE"
    finally:
        rig.outbox.serves = set()

    (handed,) = rig.outbox.sent(by_voice.conversation)
    assert handed.request.channel == conversation_pb2.CHANNEL_VOICE


@pytest.mark.parametrize(
    "about",
    [
        {"phone": ""},
        {"phone_use": "old"},
        {"phone": "5550101"},
        {"since": (datetime.now(UTC) - timedelta(days=3)).isoformat()},
    ],
)
async def test_without_an_old_enough_number_on_file_no_code_is_sent(
    rig: Rig, about: dict[str, str]
) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig, **about)
    begun = await matched(frontend, number)

    # The clock may be days ahead by other tests, but not a month.
    assert await refusal(send(frontend, begun.name)) == "CODE_UNDELIVERABLE"
    assert rig.outbox.sent(begun.conversation) == []


async def test_a_level_ends_after_an_hour(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await matched(frontend, number)
    rig.clock.advance(timedelta(minutes=59, seconds=30))
    nearly = await get(frontend, begun.name)
    rig.clock.advance(timedelta(minutes=1))

    over = await get(frontend, begun.name)

    assert nearly.caller_assertion
    assert nearly.assertion_expire_time.ToDatetime(UTC) - rig.clock() < timedelta(minutes=1)
    assert over.caller_assertion == ""
    assert over.verification.level == pb2.CALLER_LEVEL_ANONYMOUS


async def test_an_assertion_holds_for_its_conversation_and_patient_alone(rig: Rig) -> None:
    frontend = await rig.frontend()
    name, number = await patient(rig)
    begun = await matched(frontend, number)
    text = (await get(frontend, begun.name)).caller_assertion
    verifier = rig.serving.runtime.caller_assertions

    held = await verifier.verify(text, tenant=DEMO, conversation=begun.conversation, patient=name)
    assert held.level is CallerLevel.MATCHED
    for wrong in (
        {"tenant": OTHER},
        {"conversation": conversation()},
        {"patient": f"patients/{new_id()}"},
    ):
        bound = {"tenant": DEMO, "conversation": begun.conversation, "patient": name, **wrong}
        with pytest.raises(AssertionInvalid):
            await verifier.verify(text, **bound)


async def test_nobody_but_its_frontend_goes_on_with_a_verification(rig: Rig) -> None:
    frontend, other = await rig.frontend(), await rig.frontend()
    foreign = await rig.frontend(tenant=OTHER)
    _, number = await patient(rig)
    begun = await matched(frontend, number)
    agent, auditor = await rig.agent("agent"), await rig.agent("auditor")

    for client in (other, foreign):
        assert await refusal(submit(client, begun.name, number)) == "DENIED_OR_ABSENT"
        assert await refusal(send(client, begun.name)) == "DENIED_OR_ABSENT"
        assert await refusal(confirm(client, begun.name, "123456")) == "DENIED_OR_ABSENT"
        assert await refusal(get(client, begun.name)) == "DENIED_OR_ABSENT"
    for client in (agent, auditor, await rig.operator()):
        assert await refusal(start(client)) == "DENIED_OR_ABSENT"
        assert await refusal(send(client, begun.name)) == "DENIED_OR_ABSENT"
    assert (await get(agent, begun.name)).caller_assertion
    assert await refusal(get(auditor, begun.name)) == "DENIED_OR_ABSENT"
    absent = f"verifications/{new_id()}"
    assert await refusal(get(agent, absent)) == "DENIED_OR_ABSENT"
    assert await refusal(get(frontend, absent)) == "DENIED_OR_ABSENT"


async def test_a_frontend_verifies_on_its_own_channels(rig: Rig) -> None:
    frontend = await rig.frontend("CHAT")

    assert await refusal(start(frontend, channel="VOICE")) == "DENIED_OR_ABSENT"
    assert (await start(frontend, channel="CHAT")).name


async def test_the_latest_verification_of_a_conversation_can_be_asked_for(rig: Rig) -> None:
    frontend = await rig.frontend()
    begun = await start(frontend)
    request = pb2.GetVerificationRequest(conversation=begun.conversation)

    assert (await frontend.callers.GetVerification(request)).verification == begun


async def test_what_is_not_yet_possible_is_refused(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await start(frontend)

    assert await refusal(send(frontend, begun.name)) == "VERIFICATION_STATE"
    assert await refusal(confirm(frontend, begun.name, "123456")) == "VERIFICATION_STATE"
    await submit(frontend, begun.name, number)
    assert await refusal(submit(frontend, begun.name, number)) == "VERIFICATION_STATE"
    assert await refusal(confirm(frontend, begun.name, "123456")) == "VERIFICATION_STATE"


async def test_malformed_requests_are_refused(rig: Rig) -> None:
    frontend = await rig.frontend()
    begun = await start(frontend)
    calls = (
        start(frontend, "conversations/1"),
        start(frontend, "patients/x"),
        start(frontend, channel="FAX"),
        submit(frontend, "verifications/x", "1"),
        submit(frontend, begun.name, "1", full_name="x" * 201),
        confirm(frontend, begun.name, "12345"),
        confirm(frontend, begun.name, "12345a"),
        confirm(frontend, begun.name, "\uff11\uff12\uff13\uff14\uff15\uff16"),
        get(frontend, ""),
    )

    assert [await refusal(call) for call in calls] == ["FIELD_INVALID"] * len(calls)
    bare = pb2.SubmitIdentifiersRequest(verification=begun.name)
    assert await refusal(frontend.callers.SubmitIdentifiers(bare)) == "REQUEST_ID_REQUIRED"


async def test_neither_what_was_said_nor_what_failed_is_in_spans_or_logs(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig, phone="617-555-0177")
    begun = await start(frontend)
    await submit(frontend, begun.name, number, full_name="evelyn zabriskie")
    await submit(frontend, begun.name, number)
    await send(frontend, begun.name)
    code = rig.outbox.code_of(begun.conversation)
    await confirm(frontend, begun.name, code)

    written = "".join(span.to_json() for span in rig.spans.get_finished_spans())
    written += "".join(str(record.__dict__) for record in caplog.records)
    for secret in ("zabriskie", "ordonez", number, "1972-03-03", "5550177", "NO_RECORD"):
        assert secret not in written


async def test_rows_hold_nobody_in_clear(rig: Rig) -> None:
    name, number = await patient(rig, phone="617-555-0188")
    rows = await rig.rows("select data from identity.known_patient where patient = :p", p=name)
    keys = await rig.rows("select key from identity.known_patient_key where patient = :p", p=name)

    kept = b"".join(row[0] for row in (*rows, *keys))
    assert len(keys) >= 5
    for secret in ("Ord", "Wolff", "1972", "5550188", "555-0188", number, "Jacobs"):
        assert secret.encode() not in kept


async def test_the_right_one_is_found_among_a_household_and_its_whole_clinic(rig: Rig) -> None:
    frontend = await rig.frontend()
    phone = "617-555-0166"
    for number in range(60):
        await rig.patients.register(DEMO, person(f"Given{number}", "Household", phone=phone))
    name = await rig.patients.register(DEMO, person("Zoë", "Household", phone=phone))
    await rig.known(name)
    begun = await start(frontend)

    answer = await submit(frontend, begun.name, "", full_name="zoe household", phone=phone)

    assert answer.state == V.STATE_MATCHED
    (fitted, _) = (await rig.messages(begun.name))[1:]
    assert getattr(fitted, "patient", "") == name


async def test_two_processes_judge_no_more_than_one(rig: Rig) -> None:
    frontend = await rig.frontend()
    _, number = await patient(rig)
    begun = await matched(frontend, number)
    await send(frontend, begun.name)
    code = rig.outbox.code_of(begun.conversation)
    guesses = [f"{guess:06d}" for guess in range(200) if f"{guess:06d}" != code]
    async with rig.another_process() as other:
        there = await other.as_also(frontend)
        calls = [
            confirm((frontend, there)[place % 2], begun.name, guess)
            for place, guess in enumerate(guesses)
        ]
        await counted(calls)

        assert (await rig.types(begun.name)).count("VerificationCodeRefused") == 3
        assert await refusal(confirm(there, begun.name, code)) == "VERIFICATION_STATE"
