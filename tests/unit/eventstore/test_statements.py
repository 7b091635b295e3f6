import re

import pytest
from eventstore.postgres.statements import identifier, load_statements, log_number

SERVICES = ("identity", "conversations", "routing", "patient_context", "audit", "federation")


@pytest.mark.parametrize(
    "name", ["", "1log", "Log", "a-b", 'a"b', "a;b", "a b", "a" * 64, "a.b", "a\0", "{schema}"]
)
def test_a_name_that_could_be_more_than_a_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="named by"):
        identifier(name)


def test_every_statement_is_made_out_and_says_what_its_parameters_are() -> None:
    statements = load_statements("routing")

    assert {"append", "classify", "head", "recall"} <= statements.keys()
    for text in statements.values():
        comment = "".join(line for line in text.splitlines() if line.startswith("--"))
        assert "{" not in text
        for parameter in set(re.findall(r"\$\d+", text)):
            assert parameter in comment


def test_the_logs_of_the_services_have_fences_of_their_own() -> None:
    numbers = {log_number(service) for service in SERVICES}

    assert len(numbers) == len(SERVICES)
    assert all(0 < number < 1 << 15 for number in numbers)
