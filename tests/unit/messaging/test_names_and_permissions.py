import pytest
from messaging.names import (
    Consumption,
    NameInvalid,
    event_subject,
    inbox_prefix,
    stream_name,
    stream_subjects,
)
from messaging.partner_account import PartnerStream
from messaging.permissions import (
    Permissions,
    provisioner_permissions,
    rebuilder_permissions,
    service_permissions,
    verifier_permissions,
)

ID = "01890000-0000-7000-8000-000000000000"


def test_stream_subjects_and_durables_follow_from_the_services_name() -> None:
    consumption = Consumption("audit", "patient_context", "disclosures")
    assert stream_name("patient_context") == consumption.stream == "CARELINE_PATIENT_CONTEXT"
    assert stream_subjects("patient_context") == "careline.*.patient_context.>"
    assert consumption.durable == "audit_disclosures"


def test_an_events_subject_names_tenant_service_aggregate_and_event() -> None:
    subject = event_subject("conversations", "demo", ID, "careline.conversations.events.v1.Posted")
    assert subject == f"careline.demo.conversations.{ID}.Posted"


@pytest.mark.parametrize("bad", ["", "a.b", "*", ">", "a b", "a\r\nPUB x", "ä", "x" * 65])
def test_no_part_of_a_subject_can_widen_it(bad: str) -> None:
    for arguments in (
        ("conversations", bad, ID, "x.Posted"),
        ("conversations", "demo", bad, "x.Posted"),
        (bad, "demo", ID, "x.Posted"),
    ):
        with pytest.raises(NameInvalid):
            event_subject(*arguments)
    with pytest.raises(NameInvalid):
        inbox_prefix(bad)
    with pytest.raises(NameInvalid):
        Consumption("audit", bad, "history")
    with pytest.raises(NameInvalid):
        PartnerStream(bad)


def test_a_service_may_do_nothing_but_publish_its_own_and_read_what_it_consumes() -> None:
    consumption = Consumption("audit", "identity", "actions")
    permissions = service_permissions("audit", [consumption, consumption])
    assert permissions.subscribe == ("_INBOX_audit.>",)
    assert permissions.publish == (
        "careline.*.audit.>",
        "$JS.API.STREAM.INFO.CARELINE_AUDIT",
        "$JS.API.STREAM.MSG.GET.CARELINE_AUDIT",
        "$JS.API.CONSUMER.INFO.CARELINE_IDENTITY.audit_actions",
        "$JS.API.CONSUMER.MSG.NEXT.CARELINE_IDENTITY.audit_actions",
        "$JS.API.CONSUMER.RESET.CARELINE_IDENTITY.audit_actions",
        "$JS.ACK.CARELINE_IDENTITY.audit_actions.>",
        "$JS.ACK.*.*.CARELINE_IDENTITY.audit_actions.>",
    )


def test_a_provisioner_makes_but_reads_changes_and_deletes_nothing() -> None:
    for subject in provisioner_permissions("provisioner").publish:
        assert not any(verb in subject for verb in ("DELETE", "PURGE", "UPDATE", "MSG"))


def test_who_verifies_reads_one_stream_by_one_consumer_and_who_rebuilds_changes_that_one() -> None:
    reading = Consumption("streams", "identity", "run_1")
    verifying = verifier_permissions("streams-1", reading)
    assert verifying.subscribe == ("_INBOX_streams-1.>",)
    assert verifying.publish == (
        "$JS.API.STREAM.INFO.CARELINE_IDENTITY",
        "$JS.API.STREAM.MSG.GET.CARELINE_IDENTITY",
        "$JS.API.CONSUMER.CREATE.CARELINE_IDENTITY.streams_run_1",
        "$JS.API.CONSUMER.MSG.NEXT.CARELINE_IDENTITY.streams_run_1",
        "$JS.API.CONSUMER.DELETE.CARELINE_IDENTITY.streams_run_1",
    )
    follower = Consumption("audit", "identity", "trail")
    rebuilding = rebuilder_permissions("streams-1", reading, [follower])
    assert rebuilding.subscribe == verifying.subscribe
    assert set(rebuilding.publish) - set(verifying.publish) == {
        "careline.*.identity.>",
        "$JS.API.STREAM.DELETE.CARELINE_IDENTITY",
        "$JS.API.STREAM.CREATE.CARELINE_IDENTITY",
        "$JS.API.CONSUMER.CREATE.CARELINE_IDENTITY.audit_trail",
        "$JS.API.CONSUMER.INFO.CARELINE_IDENTITY.audit_trail",
    }


def test_no_permission_at_all_is_written_as_a_denial() -> None:
    assert Permissions((), ()).claims() == {"pub": {"deny": [">"]}, "sub": {"deny": [">"]}}


def test_what_partners_import_they_export_to_them_and_no_more() -> None:
    acme, other = PartnerStream("acme"), PartnerStream("acme-2")
    subjects = {str(export["subject"]) for export in acme.exports()}
    assert len(subjects) == 4
    assert subjects.isdisjoint(str(export["subject"]) for export in other.exports())
    assert all(export["token_req"] for export in acme.exports())
