"""One-time codes: drawn, handed over for delivery to a number on file, given back."""

import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Rejected
from eventstore.execute import Executor, Request
from eventstore.joint import Joint, JointExecutor, Part
from runtime.request_context import current_request

from identity.application.code_delivery import (
    CodeDelivery,
    CodeMacs,
    CodeToDeliver,
    CodeUndeliverable,
)
from identity.application.known_patients import KnownPatients
from identity.application.names import stream_of
from identity.application.verifications import Reached, Verifications
from identity.domain import patient_verification as patients
from identity.domain import verification as domain
from identity.domain import verifying
from identity.domain.moment import moment
from identity.domain.number_on_file import NumberPolicy, number_for_code
from identity.domain.patient_verification import PatientPolicy, PatientVerification
from identity.domain.verification import Verification, VerificationPolicy

DIGITS: Final = 6
_CLAIM: Final = timedelta(seconds=15)
"""For so long a code that was drawn and not handed over is left to whoever drew it."""


@dataclass(frozen=True, slots=True)
class CodeRules:
    """By which numbers and which clock codes are sent and judged."""

    verification: VerificationPolicy
    patient: PatientPolicy
    number: NumberPolicy
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Sent:
    """The verification with its code, and when the code ends."""

    reached: Reached
    expires: datetime


class Codes:
    """Sends and judges codes for the frontend that began the verification."""

    def __init__(
        self,
        executor: Executor,
        joint: JointExecutor,
        verifications: Verifications,
        known: KnownPatients,
        macs: CodeMacs,
        delivery: CodeDelivery,
        rules: CodeRules,
    ) -> None:
        self._executor = executor
        self._joint = joint
        self._verifications = verifications
        self._known = known
        self._macs = macs
        self._delivery = delivery
        self._rules = rules

    async def send(self, name: str, request: Request) -> Sent:
        """Count a code as sent, then draw it and hand it over.

        In this order nobody can have more codes sent than are counted. A request that was cut off
        in between draws anew when it is repeated. Raises Rejected: DENIED_OR_ABSENT,
        VERIFICATION_STATE, VERIFICATION_EXHAUSTED, CODE_UNDELIVERABLE, CONFLICT.
        """
        own = await self._verifications.own(name)
        patient, address = own.state.patient, await self._number_of(own.state)
        counts = [Part(stream_of(patients.name_of(patient)), patients.DECIDER)] if patient else []
        done = await self._joint.execute(
            request,
            Part(stream_of(name), domain.DECIDER),
            counts,
            lambda state, found: self._decide(
                name, state, found, code=f"codes/{request.ids(0)}", address=address
            ),
        )
        (sent,) = (each for each in done.events if isinstance(each, events.VerificationCodeSent))
        expires = moment(sent.expire_time)
        await self._hand_over(done.state, sent.code, address, expires)
        return Sent(Reached(name, done.state, done.position), expires)

    async def confirm(self, name: str, given: str, request: Request) -> Reached:
        """Record what a code was. Raises Rejected: DENIED_OR_ABSENT, VERIFICATION_STATE,
        VERIFICATION_EXHAUSTED, CONFLICT (another code was sent meanwhile).
        """
        own = await self._verifications.own(name)
        tenant, code, now = current_request().tenant, own.state.code.name, self._rules.now()
        expected = await self._macs.read(tenant, code)
        mac = await self._mac(own.state, code, given)
        right = expected is not None and hmac.compare_digest(mac, expected)

        def confirm(state: Verification) -> list[domain.Event]:
            if state.code.name != code:
                raise Rejected("CONFLICT")
            return verifying.confirm_code(
                state, right=right, at=now, policy=self._rules.verification
            )

        done = await self._executor.execute(
            stream_of(name), domain.DECIDER, confirm, subject=name, request=request
        )
        if done.state.status is domain.Status.VERIFIED:
            await self._macs.forget(tenant, code)
        return Reached(name, done.state, done.position)

    async def _number_of(self, state: Verification) -> str | None:
        """Give the number on file, read anew for each code."""
        known = await self._known.read(current_request().tenant, state.patient)
        if known is None or known.deceased:
            return None
        return number_for_code(known.numbers, at=self._rules.now(), policy=self._rules.number)

    def _decide(
        self,
        name: str,
        state: Verification,
        counts: Sequence[PatientVerification],
        *,
        code: str,
        address: str | None,
    ) -> Joint[domain.Event, patients.Event]:
        now, rules = self._rules.now(), self._rules
        decided = verifying.send_code(state, code=code, at=now, policy=rules.verification)
        if not all(count.may_send(now, rules.patient) for count in counts):
            raise Rejected("VERIFICATION_EXHAUSTED")
        if address is None:
            raise Rejected("CODE_UNDELIVERABLE")
        return Joint(decided, [patients.code_sent(name, now) for _ in counts])

    async def _hand_over(
        self, state: Verification, code: str, address: str | None, expires: datetime
    ) -> None:
        """Draw the code and have it delivered once, also when two ask at the same time."""
        tenant, now = current_request().tenant, self._rules.now()
        digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        mac = await self._mac(state, code, digits)
        if not await self._macs.claim(
            tenant, code, mac, expires=expires, now=now, stale=now - _CLAIM
        ):
            if await self._macs.is_handed_over(tenant, code):
                return
            raise Rejected("CONFLICT")
        try:
            await self._deliver(state, address, digits, expires)
        except BaseException:
            await self._macs.release(tenant, code, mac)
            raise
        await self._macs.handed_over(tenant, code, mac)

    async def _deliver(
        self, state: Verification, address: str | None, digits: str, expires: datetime
    ) -> None:
        """Send a text; read it out by a call back when a voice conversation has no text channel."""
        if address is None:
            raise Rejected("CODE_UNDELIVERABLE")
        channels: Sequence[str] = ("SMS", "VOICE") if state.channel == "VOICE" else ("SMS",)
        for channel in channels:
            try:
                return await self._delivery.enqueue(
                    CodeToDeliver(state.conversation, channel, address, digits, expires)
                )
            except CodeUndeliverable:
                continue
        raise Rejected("CODE_UNDELIVERABLE")

    async def _mac(self, state: Verification, code: str, digits: str) -> bytes:
        bound_to = (state.conversation, state.patient, state.purpose, code, digits)
        return await self._macs.mac(current_request().tenant, *bound_to)
