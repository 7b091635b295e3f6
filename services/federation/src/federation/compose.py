"""What federation is made of."""

from careline.federation.events.v1 import events_pb2
from careline.federation.v1.partner_service_pb2_grpc import add_PartnerServiceServicer_to_server
from runtime.service import Service
from runtime.service_runtime import ServiceRuntime

from federation.adapters.deliveries import Deliveries
from federation.adapters.grpc_partners import GrpcPartners
from federation.adapters.nats_partners import NatsPartners
from federation.adapters.nats_users import NatsUsers
from federation.adapters.one_at_a_time import PostgresOneAtATime
from federation.adapters.outbox import PostgresOutbox
from federation.adapters.partner_keys import PostgresPartnerKeys
from federation.adapters.vault_accounts import VaultPartnerAccounts, kept_operator
from federation.application.contracts import Contracts
from federation.application.enforcement import Enforcement
from federation.application.forwarding import ConversationForwarding
from federation.application.partners import Partners
from federation.application.retracting import PartnerRetractor
from federation.settings import CONVERSATIONS, FederationSettings


async def compose(runtime: ServiceRuntime[FederationSettings]) -> None:
    """Keep NATS as the contracts say, forward conversations' events, and serve operators."""
    settings, engine = runtime.settings, runtime.queries
    operator = await kept_operator(runtime.vault, settings.nats_operator_seeds)
    users = NatsUsers(operator, settings.nats_url, settings.nats_ca_file)
    accounts = VaultPartnerAccounts(runtime.vault)
    outbox = PostgresOutbox(engine)
    partners = Partners(runtime.log, runtime.codec)
    network = NatsPartners(users, accounts, outbox)
    enforcement = Enforcement(partners, network, PostgresOneAtATime(engine))
    contracts = Contracts(runtime.executor, PostgresPartnerKeys(engine), accounts, enforcement)
    forwarding = ConversationForwarding(partners, outbox)
    retractor = PartnerRetractor(partners, outbox, runtime.recorder, runtime.requests)
    runtime.run(partners.run)
    runtime.run(enforcement.run)
    runtime.run(Deliveries(engine, partners, outbox, users).run)
    runtime.consume(
        CONVERSATIONS.source,
        CONVERSATIONS.purpose,
        forwarding.handle,
        retract=retractor.retract,
    )
    runtime.serve(add_PartnerServiceServicer_to_server, GrpcPartners(contracts, runtime.requests))


FEDERATION = Service("federation", FederationSettings, (events_pb2,), compose)
