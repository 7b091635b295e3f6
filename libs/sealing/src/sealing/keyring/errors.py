"""What can go wrong between a caller and the keys. Texts name subjects, never key bytes."""

from uuid import UUID


class KeyringError(Exception):
    """Any refusal of the keyring."""


class KeyringUnavailable(KeyringError):
    """The keyring's database or Vault is away, and the key is not in the cache. Nothing was done
    that a repeated call would not do again; keys still cached go on working.
    """


class SubjectErased(KeyringError):
    """The subject was erased: nothing can be sealed for it or linked to it any more."""

    def __init__(self, tenant: str, subject: str) -> None:
        super().__init__(
            f"{subject} of tenant {tenant} was erased: seal nothing for it; what arrives late "
            "about an erased patient is to be erased itself"
        )
        self.tenant = tenant
        self.subject = subject


class UnknownKey(KeyringError):
    """The keyring has neither the key nor a tombstone of it: this is no erasure."""

    def __init__(self, tenant: str, key_id: UUID) -> None:
        super().__init__(
            f"key {key_id} of tenant {tenant} is neither kept nor erased: the event was altered or "
            "the keyring was restored from too old a backup; restore the newest one"
        )
        self.tenant = tenant
        self.key_id = key_id


class KeyBroken(KeyringError):
    """A wrapped key does not unwrap: its row was altered or belongs elsewhere."""

    def __init__(self, tenant: str, key: str) -> None:
        super().__init__(
            f"{key} of tenant {tenant} does not unwrap: its row was altered; restore it from the "
            "keyring's backup and treat this as an incident"
        )


class ErasureRequestReused(KeyringError):
    """The request id was used before for another patient."""

    def __init__(self, request_id: str) -> None:
        super().__init__(
            f"erasure request {request_id} was for another patient: take a new request id"
        )


class ErasureNotPermitted(KeyringError):
    """The database login may not act as keyring_eraser."""

    def __init__(self) -> None:
        super().__init__(
            "this service may not erase keys: only a login that is a member of keyring_eraser may"
        )
