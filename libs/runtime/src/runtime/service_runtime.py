"""What a service's compose.py is handed: what it builds on, and where it puts what it built."""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, Final, Generic, TypeVar

import grpc
from careline.log.v1.log_service_pb2_grpc import add_LogServiceServicer_to_server
from eventstore.execute import Executor
from eventstore.joint import JointExecutor
from eventstore.projection import Projection
from eventstore.projection_runner import ProjectionRunner
from eventstore.snapshots import Snapshots
from eventstore.state_reader import StateReader
from eventstore.upcaster import Upcaster
from google.protobuf.message import Message
from messaging.handling import Handler, Retract
from messaging.log_reader import LogReader, OwnLogReader
from sealing.event_codec import EventCodec
from sealing.sealer import Sealer
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.access import Access
from runtime.access_records import ACCESS_EVENTS, AccessRecords
from runtime.background import Work
from runtime.channel import open_channel
from runtime.dependency_names import DEPENDENCIES
from runtime.event_codec import LogCodec
from runtime.event_recorder import EventRecorder
from runtime.idempotency import Requests
from runtime.interceptors.authenticate import EndedSessions
from runtime.log_service import LogApi
from runtime.outgoing import Outgoing
from runtime.remote_log import RemoteLogReader
from runtime.retracted_reactions import RETRACTION_EVENTS, RetractedReactions
from runtime.served_method import AddServicer, ServedMethod, methods_of
from runtime.service_messaging import Subscription
from runtime.service_parts import ServiceParts
from runtime.settings import ServiceSettings
from runtime.telemetry.projection_metrics import observe_projections
from runtime.telemetry.snapshot_metrics import observe_snapshots
from runtime.telemetry.traced_log import TracedLog
from runtime.tokens.caller_assertion import KEY, CallerAssertionSigner, CallerAssertionVerifier
from runtime.tokens.public_keys import PublicKeys
from runtime.tokens.service_token import ServiceToken
from runtime.tokens.token import TOKEN_KEYS, TokenIssuer, TokenVerifier
from runtime.vault.session import VaultSession

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
EnteredT = TypeVar("EnteredT")
NEEDS: Final = frozenset({"database", "keyring"})
"""What a gRPC service needs unless its compose.py says otherwise: calls go on without NATS, and for
as long as caches hold without Vault."""


class PeerUnknown(Exception):
    """CARELINE_PEERS lacks a service that this one calls or consumes from; the text names it."""


class ServiceRuntime(Generic[SettingsT]):
    """Built for one process of one service, before anything of it runs."""

    def __init__(
        self,
        settings: SettingsT,
        parts: ServiceParts,
        events: Iterable[type[Message]],
        policies: str,
        stack: AsyncExitStack,
        upcasters: Iterable[Upcaster[Any, Any]] = (),
    ) -> None:
        self.settings = settings
        self.service = settings.service_name
        self.telemetry = parts.telemetry
        self.log = TracedLog(parts.log, parts.telemetry.tracer)
        self.queries: AsyncEngine = parts.queries
        self.keyring = parts.keyring
        self.sealer = Sealer(parts.keyring)
        types = (*events, *ACCESS_EVENTS, *RETRACTION_EVENTS)
        self.codec = LogCodec(EventCodec(self.sealer, self.service, types, upcasters))
        snapshots = None
        if parts.snapshots is not None:
            snapshots = Snapshots(parts.snapshots)
            observe_snapshots(parts.telemetry.meter, self.service, snapshots.counts)
        self.states = StateReader(self.log, self.codec, snapshots)
        self.executor = Executor(self.log, self.codec, states=self.states)
        self.joint = JointExecutor(self.log, self.codec, self.executor)
        self.requests = Requests(parts.keyring)
        self.recorder = EventRecorder(self.log, self.codec)
        self.records = AccessRecords(self.recorder, self.requests)
        self.retracted_reactions = RetractedReactions(
            self.service, self.log, self.recorder, self.requests
        )
        self.access = Access(policies)
        self.keys = parts.keys
        public_keys = PublicKeys(parts.keys, TOKEN_KEYS | {KEY})
        self.token_verifier = TokenVerifier(public_keys)
        self.caller_assertions = CallerAssertionVerifier(public_keys)
        self.methods: list[ServedMethod] = []
        self.needs: dict[str, frozenset[str]] = {}
        self.works: list[Work] = []
        self.decided_actions: set[str] = set()
        self.ended_sessions: EndedSessions | None = None
        self.projections: dict[str, Projection] = {}
        self._runners: list[ProjectionRunner] = []
        observe_projections(parts.telemetry.meter, self.service, self._runners)
        self._parts = parts
        self._stack = stack
        self._channels: dict[str, grpc.aio.Channel] = {}
        log_api = LogApi(self.log, self.records)
        self.serve(add_LogServiceServicer_to_server, log_api, needs={"database"})

    def serve(self, add: AddServicer, servicer: object, *, needs: Iterable[str] = NEEDS) -> None:
        """Serve a servicer, as `serve(add_QueueServiceServicer_to_server, GrpcQueues(...))`.

        It is NOT_SERVING while one of `needs` (database, keyring, vault, nats) is away.
        """
        unknown = set(needs).difference(DEPENDENCIES)
        if unknown:
            raise ValueError(f"a service can not need {sorted(unknown)}; see DEPENDENCIES")
        for service, methods in methods_of(add, servicer).items():
            self.methods += methods
            self.needs[service] = frozenset(needs)

    def project(self, projection: Projection) -> ProjectionRunner:
        """Keep a projection of the own log up to date; gives its runner, for reads that wait.

        Raises ValueError for one that wants a message and not the old ones that are read as it.
        """
        if forgotten := self.codec.forgotten(projection.types or ()):
            raise ValueError(
                f"{projection.name} would miss the events stored as {sorted(forgotten)}"
            )
        runner = ProjectionRunner(self.log, self.queries, self.service, projection)
        self.projections[projection.name] = projection
        self._runners.append(runner)
        self.run(runner.run)
        return runner

    def consume(
        self, source: str, purpose: str, handler: Handler, *, retract: Retract | None = None
    ) -> None:
        """Handle each event of a service's log once; the durable is "<this service>_<purpose>".

        The handler runs in a transaction and in a request of this service's own for the event's
        tenant. Gaps are filled from the source's LogService. `retract` undoes, in a transaction
        over all tenants, what was done for events that a restore of that log lost; where all that
        was done are own events, `retracted_reactions.retract` tells which. Without it the consumer
        stops there. Raises PeerUnknown.
        """
        if self._parts.messaging is None:
            return
        self._parts.messaging.subscriptions.append(
            Subscription(source, purpose, handler, self.log_reader(source), retract)
        )

    def log_reader(self, source: str) -> LogReader:
        """Give what reads a service's log, the own one or over its LogService.

        Raises PeerUnknown.
        """
        if source == self.service:
            return OwnLogReader(self.log, source)
        return RemoteLogReader(self.channel(source), source)

    def run(self, work: Work) -> None:
        """Run something beside the server that never ends; its failure ends the service."""
        self.works.append(work)

    async def enter(self, context: AbstractAsyncContextManager[EnteredT]) -> EnteredT:
        """Enter a context that is left when the service ends."""
        return await self._stack.enter_async_context(context)

    @property
    def vault(self) -> VaultSession:
        """Give the session with Vault; raises LookupError where the parts came without one."""
        if self._parts.vault is None:
            raise LookupError("this service was composed without a session with Vault")
        return self._parts.vault

    def decides(self, *actions: str) -> None:
        """Name actions that policies mention and code asks for by `access.decide`."""
        self.decided_actions.update(actions)

    def channel(self, peer: str) -> grpc.aio.Channel:
        """Give the channel to another service, on which this one calls as itself."""
        if peer not in self._channels:
            try:
                target = self.settings.peers[peer]
            except KeyError:
                raise PeerUnknown(f"CARELINE_PEERS lacks {peer}; add {peer}=host:port") from None
            channel = open_channel(
                target,
                Outgoing(ServiceToken(self.keys, self.service), self.telemetry),
                max_message_bytes=self.settings.max_message_bytes,
                tls=self._parts.tls,
            )
            self._stack.push_async_callback(channel.close)
            self._channels[peer] = channel
        return self._channels[peer]

    def token_issuer(self) -> TokenIssuer:
        """Give what signs tokens with this service's key; identity's are agents' and frontends'."""
        return TokenIssuer(self.keys, f"token-{self.service}")

    def caller_assertion_signer(self) -> CallerAssertionSigner:
        """Give what signs callers' assertions; Vault lets identity alone do so."""
        return CallerAssertionSigner(self.keys)
