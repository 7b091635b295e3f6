"""What the demo needs before a contact can be played: accounts, and patients in an empty store."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from random import shuffle
from typing import Any

from careline.patient_context.v1.ingest_service_pb2 import IngestResourcesRequest

from careline_cli.contact.accounts import DemoAccounts, demo_accounts
from careline_cli.contact.caller import Caller, new_trace
from careline_cli.contact.stubs import connected
from careline_cli.demo_patients import demo_bundles
from careline_cli.ingest import Document, send
from careline_cli.operator_token import OperatorToken
from careline_cli.platform.data_directory import Addresses, DataDirectory
from careline_cli.tenant import DEMO_TENANT

SEED = 20260301


async def set_up_demo(
    data: DataDirectory, addresses: Addresses, say: Callable[[str], None]
) -> DemoAccounts:
    """Make what is absent of the demo's accounts and patients."""
    operator = Caller(OperatorToken(data, addresses).token, new_trace(), tenant=DEMO_TENANT)
    async with connected(addresses.services) as stubs:
        accounts = await demo_accounts(data.demo_accounts_file, stubs, operator)
        say("looking after twelve demo patients")
        bundles = demo_bundles(seed=SEED, today=datetime.now(UTC).date())
        documents = [
            Document(IngestResourcesRequest.FORMAT_BUNDLE, partial(iter, [bundle]))
            for bundle in bundles
        ]
        # Taking the same in again changes nothing.
        async for _ in send(stubs.ingest, operator, documents):
            continue
    return accounts


def demo_patients() -> list[str]:
    """Name the demo patients whose contact can be played, in an order of chance.

    Those who are adults, alive, and have a phone of their own and an appointment. One patient gets
    at most three codes in half an hour, so that playing on needs others.
    """
    bundles = [json.loads(one) for one in demo_bundles(seed=SEED, today=datetime.now(UTC).date())]
    resources = [[entry["resource"] for entry in bundle["entry"]] for bundle in bundles]
    patients = [_only(one, "Patient") for one in resources]
    phones = Counter(_phone(one) for one in patients)
    fit = [
        patient
        for patient, history in zip(patients, resources, strict=True)
        if not any(name.startswith("deceased") for name in patient)
        and not any(one["resourceType"] == "RelatedPerson" for one in history)
        and any(one["resourceType"] == "Appointment" for one in history)
        and phones[_phone(patient)] == 1
    ]
    names = [patient["name"][0] for patient in fit]
    shuffle(names)
    return [" ".join((*name["given"], name["family"])) for name in names]


def _only(resources: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(one for one in resources if one["resourceType"] == kind)


def _phone(patient: dict[str, Any]) -> str:
    return next((one["value"] for one in patient["telecom"] if one["system"] == "phone"), "")
