"""`careline projections` on a running platform: read models are rebuilt and switched under way."""

import json
from typing import Any

from e2e.conftest import Careline

READ_MODELS = {
    ("identity", "agents"),
    ("conversations", "listing"),
    ("conversations", "outbox"),
    ("patient_context", "patient"),
    ("audit", "trail"),
}

TRAIL = ("trail", "live")


def builds_of(careline: Careline, name: str) -> dict[int, str]:
    """Give the builds of a read model by number, with their states."""
    listed = careline.json("projections", "list", "--json")["builds"]
    return {one["build"]: one["state"] for one in listed if one["projection"] == name}


def rebuilt(careline: Careline, name: str, *more: str) -> dict[str, Any]:
    report: dict[str, Any] = careline.json("projections", "rebuild", name, *more, "--json")
    return report


def test_every_read_model_comes_out_equal_and_a_contact_goes_on_with_the_new_ones(
    careline: Careline,
) -> None:
    careline.run("demo")
    listed = careline.json("projections", "list", "--json")["builds"]
    assert {(one["service"], one["projection"]) for one in listed} == READ_MODELS
    for _, name in sorted(READ_MODELS):
        report = rebuilt(careline, name)["rebuilt"]
        assert (report["against"], report["verified"]) == ("live", True)
        assert sum(table["new_rows"] for table in report["tables"]) > 0
        careline.run("projections", "switch", name)
    careline.run("demo")

    careline.run("projections", "switch", "outbox", "--to", "1")
    careline.run("projections", "drop", "outbox", "--build", "2")
    assert builds_of(careline, "outbox") == {1: "live"}
    assert rebuilt(careline, "outbox")["rebuilt"]["verified"]


def test_a_read_model_as_it_was_can_be_looked_at_and_dropped_and_never_switched_to(
    careline: Careline,
) -> None:
    listed = careline.json("projections", "list", "--json")["builds"]
    [now] = [one["position"] for one in listed if (one["projection"], one["state"]) == TRAIL]
    until = now // 2
    assert until > 0
    scratch = rebuilt(careline, "trail", "--service", "audit", "--until", str(until))["scratch"]
    number = str(scratch["build"])
    assert (scratch["position"], scratch["until"]) == (until, until)

    refused = careline.attempt("projections", "switch", "trail", "--to", number)
    assert refused.returncode == 1
    assert "is scratch" in refused.stderr
    dropped = careline.run("projections", "drop", "trail", "--build", number, "--json")
    assert json.loads(dropped)["dropped"]["schema"] == scratch["schema"]
    assert int(number) not in builds_of(careline, "trail")
