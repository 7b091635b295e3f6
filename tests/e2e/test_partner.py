"""The demo partner, in its NATS account of its own."""

import json

from e2e.conftest import Careline
from messaging.connect import connect

SERVICE = "careline.federation.v1.PartnerService"


async def test_the_partner_receives_the_clear_part_of_a_contact_and_nothing_else(
    careline: Careline,
) -> None:
    accounts = json.loads((careline.data_dir / "secrets" / "demo-accounts.json").read_text())
    partner = accounts["partner"]
    contract = careline.json("call", f"{SERVICE}/GetContract", json.dumps({"name": partner}))[
        "contract"
    ]
    careline.run("demo")
    issued = careline.json(
        "call",
        f"{SERVICE}/IssueCredentials",
        json.dumps({"request_id": "01970000-0000-7000-8000-000000000001", "partner": partner}),
    )

    async with await connect(
        [careline.addresses["nats"]], user="partner", creds=issued["credentials"], inbox="_INBOX"
    ) as client:
        stream = client.jetstream(prefix="careline.API")
        pull = await stream.pull_subscribe_bind(
            consumer=contract["consumer"], stream=contract["stream"]
        )
        messages = await pull.fetch(8, timeout=20)

    received = {message.headers["ce-type"] for message in messages if message.headers}
    assert received == set(contract["event_types"])
    for message in messages:
        # Field 1000 is what is sealed: its tag is the two varint bytes of 1000 << 3 | 2.
        assert b"\xc2\x3e" not in message.data
