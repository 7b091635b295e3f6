from typing import Any

import pytest
from careline.conversations.events.v1 import events_pb2
from careline.conversations.events.v1.events_pb2 import (
    ConversationStarted,
    MessagePosted,
    TranscriptAppended,
)
from careline.options.v1.options_pb2 import SENSITIVITY_INTERNAL, SENSITIVITY_PUBLIC
from careline.sealing.v1.sealed_fields_pb2 import SealedFields
from federation.application.clear_part import clear_part, forwardable_types, has_clear_part
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass
from sealing.classification import sensitivity_of
from unit.sealing.compiled import message_named


def test_every_event_of_conversations_and_nothing_else_can_be_contracted() -> None:
    assert set(forwardable_types()) == {
        message.full_name for message in events_pb2.DESCRIPTOR.message_types_by_name.values()
    }


def test_sensitive_and_sealed_fields_go_and_clear_ones_stay() -> None:
    event = TranscriptAppended(
        leg="legs/1",
        speaker_kind="PATIENT",
        text="chest pain",
        start_offset=Duration(seconds=3),
        sealed=SealedFields(),
    )
    left = TranscriptAppended.FromString(clear_part(TranscriptAppended, event.SerializeToString()))
    assert left == TranscriptAppended(
        leg="legs/1", speaker_kind="PATIENT", start_offset=Duration(seconds=3)
    )
    assert not left.HasField("sealed")


def test_what_this_version_does_not_know_goes() -> None:
    newer = MessagePosted(message="messages/1").SerializeToString() + b"\x9a\x01\x06canary"
    assert b"canary" not in clear_part(MessagePosted, newer)


def test_bytes_that_are_no_event_are_refused() -> None:
    with pytest.raises(DecodeError):
        clear_part(ConversationStarted, b"\xff\xff\xff")


def test_no_field_of_any_event_leaves_that_is_not_public_or_internal() -> None:
    for kind in forwardable_types().values():
        full = kind()
        for field in kind.DESCRIPTOR.fields:
            if field.message_type is not None:
                getattr(full, field.name).SetInParent()
            elif field.is_repeated:
                getattr(full, field.name).append("x")
            else:
                value = "x" if field.type == field.TYPE_STRING else 1
                setattr(full, field.name, value)
        left = kind.FromString(clear_part(kind, full.SerializeToString()))
        for field, _ in left.ListFields():
            assert sensitivity_of(field) in {SENSITIVITY_PUBLIC, SENSITIVITY_INTERNAL}
            assert field.name != "sealed"
        kept = {field.name for field, _ in left.ListFields()}
        assert kept


def test_sensitive_fields_of_sub_messages_go_however_deep() -> None:
    kind = GetMessageClass(
        message_named(
            "Noted",
            """
            message Person {
              string name = 1 [(careline.options.v1.sensitivity) = SENSITIVITY_PII];
              string role = 2 [(careline.options.v1.sensitivity) = SENSITIVITY_PUBLIC];
            }
            message Noted {
              Person author = 1;
              repeated Person readers = 2;
              map<string, Person> by_channel = 3;
              map<string, string> counts = 4;
              google.protobuf.Any anything = 5;
              string unset = 6 [(careline.options.v1.sensitivity) = SENSITIVITY_UNSPECIFIED];
            }
            """,
        )
    )
    event: Any = kind(unset="canary", counts={"sms": "1"})
    event.author.name, event.author.role = "canary", "AGENT"
    event.readers.add(name="canary", role="BOT")
    event.by_channel["sms"].name = "canary"
    event.by_channel["sms"].role = "PATIENT"
    event.anything.type_url = "canary"
    left: Any = kind.FromString(clear_part(kind, event.SerializeToString()))
    assert b"canary" not in left.SerializeToString()
    assert (left.author.role, left.readers[0].role) == ("AGENT", "BOT")
    assert left.by_channel["sms"].role == "PATIENT"
    assert left.counts["sms"] == "1"


def test_a_type_that_is_sensitive_all_over_has_no_clear_part() -> None:
    body = """
    message Person {
      string name = 1 [(careline.options.v1.sensitivity) = SENSITIVITY_PII];
    }
    message Said {
      string text = 1 [(careline.options.v1.sensitivity) = SENSITIVITY_PHI];
      Person who = 2;
      careline.sealing.v1.SealedFields sealed = 1000;
    }
    """
    assert not has_clear_part(message_named("Said", body))
