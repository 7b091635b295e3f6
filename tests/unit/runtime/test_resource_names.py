"""Names of resources as callers send them."""

import pytest
from runtime.refusal import FieldsInvalid
from runtime.resource_names import resource_name, uuid_resource_name

UUID = "01970000-0000-7000-8000-000000000001"


@pytest.mark.parametrize("identifier", ["appointments", "a", "9-lives", UUID, "a" * 64])
def test_a_name_of_the_collection_is_given_back(identifier: str) -> None:
    assert resource_name(f"queues/{identifier}", "queues", "queue") == f"queues/{identifier}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "queues",
        "queues/",
        "agents/a",
        "queues/A",
        "queues/-a",
        "queues/a/b",
        "queues/a\n",
        f"queues/{'a' * 65}",
        "queues/\u0661",
    ],
)
def test_what_is_no_name_of_the_collection_is_refused_by_its_field(text: str) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        resource_name(text, "queues", "queue.name")

    (violation,) = refused.value.violations
    assert (violation.field, violation.description) == ("queue.name", 'a name as "queues/{id}"')


def test_where_a_service_makes_the_ids_only_a_uuid_is_one() -> None:
    assert uuid_resource_name(f"agents/{UUID}", "agents", "agent") == f"agents/{UUID}"
    for text in ("agents/appointments", f"agents/{UUID.replace('-', '')}", f"agents/{UUID}0"):
        with pytest.raises(FieldsInvalid):
            uuid_resource_name(text, "agents", "agent")
