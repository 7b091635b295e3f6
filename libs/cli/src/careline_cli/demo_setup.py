"""What the demo needs before a contact can be played: accounts, and patients in an empty store."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from careline.patient_context.v1.ingest_service_pb2 import IngestResourcesRequest

from careline_cli.contact.accounts import DemoAccounts, demo_accounts, kept_accounts
from careline_cli.contact.caller import Caller, new_trace
from careline_cli.contact.stubs import connected
from careline_cli.demo_patients import demo_bundles, patient_name
from careline_cli.ingest import Document, ingest
from careline_cli.operator_token import OperatorToken
from careline_cli.platform.data_directory import Addresses, DataDirectory, DataDirectoryError
from careline_cli.tenant import DEMO_TENANT

SEED = 20260301
ACCOUNTS = "demo-accounts.json"


async def set_up_demo(
    data: DataDirectory, addresses: Addresses, say: Callable[[str], None]
) -> DemoAccounts:
    """Make what is absent of the demo's accounts and patients."""
    operator = Caller(OperatorToken(data, addresses).token, new_trace(), tenant=DEMO_TENANT)
    file = data.secrets / ACCOUNTS
    async with connected(addresses.services) as stubs:
        accounts = await demo_accounts(file, stubs, operator)
        say("looking after twelve demo patients")
        bundles = demo_bundles(seed=SEED, today=datetime.now(UTC).date())
        documents = [
            Document(IngestResourcesRequest.FORMAT_BUNDLE, partial(iter, [bundle]))
            for bundle in bundles
        ]
        # Taking the same in again changes nothing.
        async for _ in ingest(stubs.ingest, operator, documents):
            continue
    return accounts


def demo_patient() -> str:
    """Name the demo patient whose contact is played unless another is asked for."""
    return patient_name(demo_bundles(seed=SEED, today=datetime.now(UTC).date())[0])


def require_accounts(data: DataDirectory) -> DemoAccounts:
    accounts = kept_accounts(data.secrets / ACCOUNTS)
    if accounts is None:
        raise DataDirectoryError("there are no demo accounts yet; start with: careline up")
    return accounts
