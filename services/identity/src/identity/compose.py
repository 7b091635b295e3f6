"""What identity is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files

from careline.identity.events.v1 import events_pb2
from careline.identity.v1.agent_service_pb2_grpc import add_AgentServiceServicer_to_server
from careline.identity.v1.caller_verification_service_pb2_grpc import (
    add_CallerVerificationServiceServicer_to_server,
)
from careline.identity.v1.token_service_pb2_grpc import add_TokenServiceServicer_to_server
from messaging.dead_letters import DeadLetters
from runtime.service import Service
from runtime.service_runtime import ServiceRuntime
from sealing.value_sealer import ValueSealer

from identity.adapters.agent_credentials import StoredCredentials
from identity.adapters.agent_list import AgentList, AgentListProjection
from identity.adapters.code_delivery import GrpcCodeDelivery
from identity.adapters.grpc_agents import GrpcAgents
from identity.adapters.grpc_caller_verification import GrpcCallerVerification
from identity.adapters.grpc_tokens import GrpcTokens
from identity.adapters.keyed_hashes import KeyedHashes
from identity.adapters.known_patients import StoredPatients
from identity.adapters.one_time_codes import StoredCodes
from identity.adapters.password_hashing import PasswordHashing, parameters_of
from identity.adapters.restored_patients import RestoredPatients
from identity.adapters.service_account_secrets import StoredSecrets
from identity.adapters.session_keys import StoredSessionKeys
from identity.adapters.signed_tokens import SignedTokens
from identity.adapters.signing_keys import SigningKeys
from identity.application.agents import Agents
from identity.application.codes import CodeRules, Codes
from identity.application.even_time import EvenTime
from identity.application.first_factor import FirstFactor, SignInRules
from identity.application.identifying import Identifying, IdentifyingRules
from identity.application.second_factor import SecondFactor
from identity.application.service_accounts import AccountRules, ServiceAccounts
from identity.application.sessions import Sessions, TokensOfSessions
from identity.application.verifications import Verifications
from identity.settings import PATIENTS, IdentitySettings

Runtime = ServiceRuntime[IdentitySettings]
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Shared:
    """What more than one of the three services is built on."""

    hashes: KeyedHashes
    tokens: SignedTokens
    even_time: EvenTime
    now: Clock


async def compose(runtime: Runtime, *, now: Clock = lambda: datetime.now(UTC)) -> None:
    """Serve agents, service accounts and the verification of callers."""
    shared = Shared(
        KeyedHashes(runtime.keyring),
        SignedTokens(runtime.token_issuer()),
        EvenTime(runtime.settings.even_answer_seconds),
        now,
    )
    runtime.serve(add_AgentServiceServicer_to_server, await _agents(runtime, shared))
    runtime.serve(add_TokenServiceServicer_to_server, _tokens(runtime, shared))
    runtime.serve(add_CallerVerificationServiceServicer_to_server, _verification(runtime, shared))


async def _agents(runtime: Runtime, shared: Shared) -> GrpcAgents:
    settings, executor = runtime.settings, runtime.executor
    passwords = await runtime.enter(
        PasswordHashing(parameters_of(settings.argon2_profile), threads=settings.argon2_threads)
    )
    sealer = ValueSealer(runtime.keyring)
    credentials = StoredCredentials(runtime.queries, sealer)
    keys = StoredSessionKeys(runtime.queries, sealer)
    rules = SignInRules(settings.lockout(), settings.session(), shared.even_time, shared.now)
    access = timedelta(seconds=settings.agent_access_seconds)
    tokens = TokensOfSessions(executor, keys, shared.tokens, access=access, now=shared.now)
    runtime.project(AgentListProjection())
    return GrpcAgents(
        Agents(
            runtime.log,
            runtime.codec,
            executor,
            runtime.joint,
            credentials,
            passwords,
            shared.hashes,
            _blocked_passwords(),
        ),
        FirstFactor(executor, runtime.joint, credentials, keys, passwords, shared.hashes, rules),
        SecondFactor(runtime.joint, credentials, keys, tokens, rules),
        Sessions(executor, keys, tokens, policy=settings.session(), now=shared.now),
        AgentList(runtime.queries, runtime.sealer),
        runtime.requests,
        runtime.access,
    )


def _tokens(runtime: Runtime, shared: Shared) -> GrpcTokens:
    settings = runtime.settings
    rules = AccountRules(
        settings.lockout(),
        timedelta(seconds=settings.frontend_access_seconds),
        shared.even_time,
        shared.now,
    )
    kept = StoredSecrets(runtime.queries, ValueSealer(runtime.keyring))
    accounts = ServiceAccounts(runtime.executor, kept, shared.tokens, rules)
    return GrpcTokens(accounts, SigningKeys(runtime.keys), runtime.requests)


def _verification(runtime: Runtime, shared: Shared) -> GrpcCallerVerification:
    settings, executor, now = runtime.settings, runtime.executor, shared.now
    policy, patient = settings.verification(), settings.patient()
    known = StoredPatients(runtime.queries, runtime.sealer, shared.hashes)
    restored = RestoredPatients(
        known,
        runtime.keyring,
        runtime.log_reader(PATIENTS.source),
        DeadLetters(runtime.queries, runtime.service),
    )
    runtime.consume(PATIENTS.source, PATIENTS.purpose, known.handle, retract=restored.retract)
    verifications = Verifications(
        executor,
        known,
        runtime.caller_assertion_signer(),
        assertion=timedelta(seconds=settings.assertion_seconds),
        now=now,
    )
    identifying = IdentifyingRules(policy, patient, settings.matching(), shared.even_time, now)
    codes = Codes(
        executor,
        runtime.joint,
        verifications,
        known,
        StoredCodes(runtime.queries, shared.hashes),
        GrpcCodeDelivery(runtime.channel("conversations")),
        CodeRules(policy, patient, settings.number(), now),
    )
    return GrpcCallerVerification(
        verifications,
        Identifying(runtime.joint, verifications, known, identifying),
        codes,
        runtime.requests,
        runtime.access,
        policy=policy,
        now=now,
    )


def _blocked_passwords() -> frozenset[str]:
    words = files("identity.adapters").joinpath("password_blocklist.txt").read_text()
    return frozenset(words.split())


IDENTITY = Service("identity", IdentitySettings, (events_pb2,), compose)
