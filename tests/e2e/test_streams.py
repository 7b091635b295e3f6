"""`careline streams` on a running platform: a lost stream is told, and made anew under way."""

import asyncio
import json

from careline_cli.platform.data_directory import DataDirectory
from careline_cli.streams.access import stream_access
from e2e.conftest import Careline
from messaging.connect import connect
from messaging.names import stream_name
from messaging.permissions import Permissions
from runtime.service_names import SERVICES

EVERYTHING = Permissions((">",), (">",))


async def lose_stream(careline: Careline, service: str) -> None:
    """Delete a stream as nobody of the platform may."""
    access = await stream_access(DataDirectory.of(careline.data_dir))
    credentials = access._operator.platform.credentials("administrator", EVERYTHING)
    url = careline.addresses["nats"]
    async with await connect([url], user="administrator", creds=credentials.text) as client:
        await client.jetstream().delete_stream(stream_name(service))


def test_every_stream_equals_its_log_after_a_contact(careline: Careline) -> None:
    careline.run("demo")
    report = careline.json("streams", "verify", "--json")["streams"]

    assert [one["service"] for one in report] == list(SERVICES)
    assert all(one["ok"] and one["stream"]["events"] for one in report)


def test_a_lost_stream_is_told_and_made_anew_while_services_run(careline: Careline) -> None:
    careline.run("demo")
    asyncio.run(lose_stream(careline, "conversations"))

    told = careline.attempt("streams", "verify", "--service", "conversations")
    assert told.returncode == 1
    assert "does not exist" in told.stdout
    assert "careline streams rebuild --service conversations" in told.stdout

    rebuilt = careline.attempt("streams", "rebuild", "--json")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert all(one["ok"] for one in json.loads(rebuilt.stdout)["streams"])

    # Routing and audit consume the new stream: a whole contact goes through.
    careline.run("demo")
    assert all(one["ok"] for one in careline.json("streams", "verify", "--json")["streams"])
