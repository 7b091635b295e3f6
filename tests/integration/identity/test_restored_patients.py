"""patient_context's log was restored to before what identity had taken in: so is who it knows."""

from careline.identity.v1 import caller_verification_service_pb2 as pb2
from careline.patient_context.events.v1 import events_pb2 as patients_pb2
from eventstore.event import NewEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from identity.settings import CONSUMES
from integration.identity.neighbours import DIGEST, person
from integration.identity.rig import DEMO, OTHER, Client, Rig
from integration.identity.test_caller_verification import patient, record_number, start, submit
from integration.messaging.upkeep_rig import rebuilt
from integration.runtime.unsettled import unsettled
from runtime.database.tenant_session import session_of_all_tenants, tenant_session
from runtime.new_id import new_id
from runtime.vault.transit import KeyringTransit
from sealing.keyring import Keyring
from sqlalchemy import text

V = pb2.Verification
TABLES = ("known_patient", "known_patient_key")


def changed_to(number: str) -> Message:
    return patients_pb2.PatientDemographicsChanged(
        demographics=person("José", "Ordóñez", record_number=number)
    )


async def change(rig: Rig, name: str, revision: int) -> str:
    """Give a patient another record number, known to identity."""
    number = record_number()
    await rig.patients.append(DEMO, name, changed_to(number))
    query = "select revision from identity.known_patient where patient = :p"
    await rig.until(query, revision, p=name)
    return number


async def erase(rig: Rig, name: str) -> None:
    """Erase a patient as another process does, of whose keys this one still holds some."""
    async with (
        rig.vault.session() as session,
        Keyring(rig.database.engine, KeyringTransit(session)) as keyring,
    ):
        await keyring.erase(DEMO, name, f"requests/{new_id()}")
    await rig.patients.append(DEMO, name, patients_pb2.PatientErased())
    await rig.known(name, at_all=False)


async def restored_to(rig: Rig, position: int) -> None:
    """Put the log back and make its stream anew."""
    await rig.patients.log_rig.is_restored_to(position)
    assert (await rebuilt(rig.ground.nats, rig.patients.log_rig, CONSUMES)).ok


async def found(frontend: Client, number: str) -> bool:
    begun = await start(frontend)
    return (await submit(frontend, begun.name, number)).state == V.STATE_MATCHED


async def rows_of(rig: Rig, name: str) -> list[list[object]]:
    return [
        await rig.rows(f"select * from identity.{table} where patient = :p", p=name)  # noqa: S608 - fixed names
        for table in TABLES
    ]


async def test_identity_knows_whom_the_restored_log_has_as_it_has_them(rig: Rig) -> None:
    frontend, theirs_frontend = await rig.frontend(), await rig.frontend(tenant=OTHER)
    kept, kept_number = await patient(rig)
    theirs, theirs_number = await patient(rig, OTHER)
    changed, old_number = await patient(rig)
    erased, erased_number = await patient(rig)
    before = [await rows_of(rig, one) for one in (kept, theirs, changed)]
    stands = (await rig.patients.log.head()).position
    new_number = await change(rig, changed, revision=1)
    await erase(rig, erased)
    lost, lost_number = await patient(rig)
    their_lost, their_lost_number = await patient(rig, OTHER)

    await restored_to(rig, stands)
    _, later_number = await patient(rig)

    assert [await rows_of(rig, one) for one in (kept, theirs, changed)] == before
    assert [await rows_of(rig, one) for one in (erased, lost, their_lost)] == [[[], []]] * 3
    for number in (kept_number, old_number, later_number):
        assert await found(frontend, number)
    for number in (new_number, erased_number, lost_number):
        assert not await found(frontend, number)
    assert await found(theirs_frontend, theirs_number)
    assert not await found(theirs_frontend, their_lost_number)


async def test_until_it_is_done_everybody_is_known_as_before_and_a_second_try_does_it(
    rig: Rig,
) -> None:
    name, old_number = await patient(rig)
    stands = (await rig.patients.log.head()).position
    lost, lost_number = await patient(rig)
    new_number = await change(rig, name, revision=1)
    frontend = await rig.frontend()

    async with unsettled(rig.database.engine, "identity"):
        await restored_to(rig, stands)
        later = await rig.patients.register(DEMO, person("Ada", "Ordway"))
        assert await found(frontend, new_number)
        assert await found(frontend, lost_number)
    await rig.known(later)

    assert await found(frontend, old_number)
    assert not await found(frontend, new_number)
    assert await rows_of(rig, lost) == [[], []]


async def test_of_a_log_that_was_restored_to_nothing_nobody_is_known(rig: Rig) -> None:
    names = [(await patient(rig, tenant))[0] for tenant in (DEMO, OTHER)]

    await restored_to(rig, 0)
    later, _ = await patient(rig)

    assert [await rows_of(rig, name) for name in names] == [[[], []]] * 2
    known = await rig.rows("select patient from identity.known_patient")
    assert [row.patient for row in known] == [later]


async def test_an_event_that_was_given_up_on_does_not_hold_it_up(rig: Rig) -> None:
    kept, number = await patient(rig)
    registered = patients_pb2.PatientRegistered.DESCRIPTOR.full_name
    broken = NewEvent(new_id(), registered, b"\xff", b"", DIGEST)
    stream = StreamId(DEMO, f"patients/{new_id()}")
    await rig.patients.log.append(Write(stream, ExpectedRevision.ANY, (broken,)))
    stands = (await rig.patients.log.head()).position
    lost, _ = await patient(rig)
    await rig.until("select count(*) from identity.dead_letter", 1)

    await restored_to(rig, stands)
    await patient(rig)

    assert await found(await rig.frontend(), number)
    assert await rows_of(rig, lost) == [[], []]
    assert await rows_of(rig, kept) != [[], []]


async def test_a_session_of_a_tenant_sees_its_own_patients_alone(rig: Rig) -> None:
    for tenant in (DEMO, OTHER):
        await patient(rig, tenant)
    for table in TABLES:
        query = text(f"select distinct tenant from identity.{table} order by tenant")  # noqa: S608 - fixed names
        async with tenant_session(rig.queries, DEMO) as connection:
            assert (await connection.scalars(query)).all() == [DEMO]
        async with session_of_all_tenants(rig.queries) as connection:
            assert (await connection.scalars(query)).all() == [DEMO, OTHER]
