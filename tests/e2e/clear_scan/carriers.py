"""Which stores hold what of a patient: in clear when nothing is sealed, and sealed otherwise."""

from collections.abc import Mapping

from e2e.clear_scan.needles import Category

_IDENTIFIERS = frozenset(
    {
        Category.FAMILY_NAME,
        Category.GIVEN_NAME,
        Category.PHONE,
        Category.EMAIL,
        Category.STREET,
        Category.MRN,
        Category.SSN,
        Category.OTHER_IDENTIFIER,
    }
)
# What the patient texts to be known by, the number that the texts come from, and all that is said.
_CONVERSATION = frozenset(
    {
        Category.FAMILY_NAME,
        Category.GIVEN_NAME,
        Category.FULL_NAME,
        Category.MRN,
        Category.PHONE,
        Category.MESSAGE,
        Category.WAITING_MESSAGE,
    }
)
# Blind indexes: of words of names, phones and record numbers. None is of the full name.
_FOUND_BY = frozenset({Category.FAMILY_NAME, Category.GIVEN_NAME, Category.PHONE, Category.MRN})

TABLES: Mapping[str, frozenset[Category]] = {
    "conversations.event": _CONVERSATION,
    "conversations_outbox_b1.channel_address": frozenset({Category.PHONE}),
    "conversations_outbox_b1.outbox": frozenset({Category.WAITING_MESSAGE}),
    "identity.known_patient": _IDENTIFIERS,
    "identity.known_patient_key": _FOUND_BY,
    "patient_context.event": _IDENTIFIERS,
    "patient_context_patient_b1.patient": _IDENTIFIERS,
    "patient_context_patient_b1.patient_token": _FOUND_BY,
}
"""Tables of the platform's PostgreSQL, as long as a conversation is open."""

STREAMS: Mapping[str, frozenset[Category]] = {
    "CARELINE_CONVERSATIONS": _CONVERSATION,
    "CARELINE_PATIENT_CONTEXT": _IDENTIFIERS,
}

ARCHIVES: Mapping[str, frozenset[Category]] = {
    "conversations": _CONVERSATION,
    "patient_context": _IDENTIFIERS,
}
"""Archived logs; a segment is searched as it lies there and unpacked."""

CARRIERS: Mapping[str, frozenset[Category]] = {
    "files/postgres/base": frozenset(Category),
    **{f"rows/postgres/{table}": held for table, held in TABLES.items()},
    **{f"files/nats/{stream}": held for stream, held in STREAMS.items()},
    **{f"messages/{stream}": held for stream, held in STREAMS.items()},
    **{f"files/archive/{log}": held for log, held in ARCHIVES.items()},
}

CUT = frozenset({"files/postgres/pg_wal"})
"""Stores that carry everything, but cut into pages of 8 KB, so that a needle may lie across two."""

_KEYS_ONLY = "holds wrapped keys and names of resources, never a value that was sealed"
_CREDENTIALS_ONLY = "holds keys, credentials and policies"
_NAMES_ONLY = "its events name resources; they have no field about a patient or of what was said"
_REDUCED = "what partners get is the clear part of an event: fields that are never sealed"

SAMPLES = frozenset({"rows/postgres"})
"""Stores that carry a sample of others: the catalogue's statistics, once autovacuum made some."""

OTHERS: Mapping[str, str] = {
    "names of files": "made of names of services, servers and their own numbers",
    "files/log": "services log public fields only, whether the others are sealed or not",
    "files/services": "ports, and what a service signs in to Vault with",
    "files/secrets": _CREDENTIALS_ONLY,
    "files/openbao": _CREDENTIALS_ONLY,
    "secrets": _CREDENTIALS_ONLY,
    "files/keyring/base": _KEYS_ONLY,
    "files/keyring/pg_wal": _KEYS_ONLY,
    "rows/keyring": _KEYS_ONLY,
    "rows/keyring/keyring.data_key": _KEYS_ONLY,
    "rows/keyring/keyring.link": _KEYS_ONLY,
    "rows/keyring/keyring.tenant_key": _KEYS_ONLY,
    "rows/postgres/conversations_listing_b1.conversation": _NAMES_ONLY,
    "rows/postgres/conversations_listing_b1.conversation_party": _NAMES_ONLY,
    "rows/postgres/conversations.one_time_code": "address and code went out and are null",
    "rows/postgres/identity.event": _NAMES_ONLY,
    "rows/postgres/patient_context_patient_b1.record_part": "the record, which names no patient",
    "rows/postgres/routing.event": _NAMES_ONLY,
    "rows/postgres/audit.event": _NAMES_ONLY,
    "rows/postgres/audit_trail_b1.access": _NAMES_ONLY,
    "rows/postgres/audit_trail_b1.action": _NAMES_ONLY,
    "rows/postgres/federation.event": _NAMES_ONLY,
    "rows/postgres/federation.forwarding": _REDUCED,
    "files/nats": "the server's configuration and log",
    **{
        f"{kind}/{stream}": _NAMES_ONLY
        for kind in ("files/nats", "messages")
        for stream in (
            "CARELINE_AUDIT",
            "CARELINE_FEDERATION",
            "CARELINE_IDENTITY",
            "CARELINE_ROUTING",
        )
    },
    **{
        f"files/archive/{log}": _NAMES_ONLY
        for log in ("audit", "federation", "identity", "routing")
    },
    "files/nats/FED": _REDUCED,
    "messages/FED": _REDUCED,
}
"""Stores that are searched, too, and why nothing of a patient reaches them even unsealed."""
