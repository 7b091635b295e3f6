"""What descriptors say of sensitive fields, what is shown, and which event types are refused."""

from typing import Any

import pytest
from careline.options.v1.options_pb2 import SENSITIVITY_INTERNAL, SENSITIVITY_PHI
from google.protobuf.any_pb2 import Any as ProtoAny
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st
from sealing.sensitivity import check_event, events_among, has_secret, paths_of, redact
from unit.sealing.any_message import MARK, messages
from unit.sealing.compiled import example, message_named, visits

PII = "[(careline.options.v1.sensitivity) = SENSITIVITY_PII]"
PHI = "[(careline.options.v1.sensitivity) = SENSITIVITY_PHI]"
SECRET = "[(careline.options.v1.sensitivity) = SENSITIVITY_SECRET]"
UNSPECIFIED = "[(careline.options.v1.sensitivity) = SENSITIVITY_UNSPECIFIED]"
INTERNAL = "[(careline.options.v1.sensitivity) = SENSITIVITY_INTERNAL]"
SEALED = "careline.sealing.v1.SealedFields sealed = 1000;"
PART = f"message Part {{ string name = 1 {PII}; }}"


def test_paths_reach_through_sub_messages_repeated_fields_and_maps() -> None:
    paths = paths_of(example("VisitNoted").DESCRIPTOR)

    assert {"text", "contact.name", "contact.address.street", "kin.name", "companions"} <= set(
        paths
    )
    assert "contact.role" not in paths
    assert "companions.name" not in paths
    page = paths_of(example("VisitPage").DESCRIPTOR)
    assert {"contacts.name", "by_role.value.address.street", "pin"} <= set(page)
    assert "next.pin" not in page


def test_paths_can_be_asked_for_from_another_class_on() -> None:
    descriptor = example("VisitNoted").DESCRIPTOR

    assert "alias" not in paths_of(descriptor, SENSITIVITY_PHI)
    assert "text" in paths_of(descriptor, SENSITIVITY_PHI)
    assert "visit" in paths_of(descriptor, SENSITIVITY_INTERNAL)


def test_a_secret_is_found_however_deep() -> None:
    nested = message_named(
        "Outer",
        f"message Inner {{ string seed = 1 {SECRET}; }}"
        "message Middle { map<string, Inner> inner = 1; }"
        f"message Outer {{ repeated Middle middle = 1 {PII}; {SEALED} }}",
    )

    assert has_secret(nested)
    assert has_secret(example("VisitPage").DESCRIPTOR)
    assert not has_secret(example("VisitNoted").DESCRIPTOR)
    assert any("SECRET" in fault for fault in check_event(nested))


@pytest.mark.parametrize(
    "name", ["VisitNoted", "VisitClosed"], ids=["with sensitive fields", "without any"]
)
def test_an_event_type_in_order_has_no_fault(name: str) -> None:
    assert check_event(example(name).DESCRIPTOR) == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (f"message E {{ string name = 1 {PII}; }}", "declare careline.sealing.v1.SealedFields"),
        (f"{PART} message E {{ Part part = 1; }}", "declare careline.sealing.v1.SealedFields"),
        (f"message E {{ string pin = 1 {SECRET}; {SEALED} }}", "pin is SECRET"),
        (f"{PART} message E {{ repeated Part parts = 1; {SEALED} }}", "parts is repeated"),
        (f"{PART} message E {{ map<string, Part> parts = 1; {SEALED} }}", "parts is repeated"),
        (
            f"{PART} message M {{ repeated Part parts = 1; }} message E {{ M m = 1; {SEALED} }}",
            "m.parts is repeated",
        ),
        (f"message E {{ string state = 1; {SEALED} }}", "no sensitive field"),
        (f"message E {{ string name = 1 {PII}; bytes sealed = 1000; }}", "E.sealed is not"),
        (
            f"message E {{ string name = 1 {PII}; careline.sealing.v1.SealedFields sealed = 9; }}",
            "E.sealed is not",
        ),
        (
            f"message E {{ string name = 1 {PII}; repeated {SEALED} }}",
            "E.sealed is not",
        ),
        (f"message E {{ string name = 1 {PII}; E next = 2; {SEALED} }}", "its own type"),
        (
            f"message F {{ E back = 1; }} message E {{ string n = 1 {PHI}; F f = 2; {SEALED} }}",
            "f.back holds a message of its own type",
        ),
        (f"message E {{ string state = 1 {UNSPECIFIED}; }}", "not classified"),
        ("message E { google.protobuf.Any detail = 1; }", "can hold anything"),
        ("message E { repeated google.protobuf.Struct rows = 1; }", "can hold anything"),
    ],
)
def test_a_leak_in_an_event_type_is_named(body: str, said: str) -> None:
    faults = check_event(message_named("E", body))

    assert any(said in fault for fault in faults), faults


@pytest.mark.parametrize(
    "body",
    [
        f"{PART} message E {{ repeated Part parts = 1 {PHI}; {SEALED} }}",
        f"{PART} message E {{ map<string, Part> parts = 1 {PII}; {SEALED} }}",
        f"message E {{ string name = 1 {PII}; E next = 2 {PII}; {SEALED} }}",
        f"message E {{ google.protobuf.Struct row = 1 {PHI}; {SEALED} }}",
        f"message E {{ google.protobuf.Struct row = 1 {INTERNAL}; }}",
        "message E { string state = 1; E next = 2; }",
    ],
)
def test_a_marked_field_may_hold_what_it_likes(body: str) -> None:
    assert check_event(message_named("E", body)) == []


def test_parts_of_events_are_not_taken_for_events() -> None:
    messages_of_file = visits().FindFileByName("made.proto").message_types_by_name.values()

    events = {event.name for event in events_among(messages_of_file)}

    assert events == {"VisitNoted", "VisitClosed", "VisitPage"}


def test_what_is_shown_names_the_class_of_hidden_texts() -> None:
    page = example("VisitPage")(pin="4711", height=180, page_token="t1", labels={"floor": "two"})
    page.contacts.add(name="Ada Byron", role="aunt").address.street = "12 Elm"
    page.by_role["aunt"].name = "Ada Byron"
    page.next.pin = "4712"

    shown = redact(page)

    assert shown.pin == "[SECRET]"
    assert shown.next.pin == "[SECRET]"
    assert shown.height == 0
    assert shown.page_token == "t1"
    assert shown.labels == {"floor": "two"}
    assert shown.contacts[0].name == "[PII]"
    assert shown.contacts[0].role == "aunt"
    assert shown.contacts[0].address.street == "[PII]"
    assert shown.by_role["aunt"].name == "[PII]"
    assert page.pin == "4711"


@given(st.data())
def test_nothing_sensitive_is_ever_shown(data: st.DataObject) -> None:
    message = data.draw(messages(example("VisitNoted").DESCRIPTOR))

    shown = redact(message)

    assert MARK.encode() not in shown.SerializeToString()
    assert MARK not in str(shown)
    for path in paths_of(message.DESCRIPTOR):
        value = shown
        for step in path.split("."):
            value = getattr(value, step)
        assert str(value) in {"", "[PII]", "[PHI]", "0", "0.0", "False", "b''", "[]", "{}"}


def test_free_form_and_unknown_content_is_not_shown() -> None:
    wrapper = message_named("Wrapper", "message Wrapper { google.protobuf.Any detail = 1; }")
    newer = message_named("Newer", "message Newer { string visit = 1; string text = 99; }")
    wrapped: Any = GetMessageClass(wrapper)()
    packed = ProtoAny(type_url="t/x", value=b"Ada Byron")
    wrapped.detail.ParseFromString(packed.SerializeToString())
    read_by_older = example("VisitClosed").FromString(
        GetMessageClass(newer)(visit="visits/1", text="Ada Byron").SerializeToString()
    )

    assert b"Ada" not in redact(wrapped).SerializeToString()
    assert b"Ada" in read_by_older.SerializeToString()
    assert redact(read_by_older).SerializeToString() == b"\x0a\x08visits/1"
