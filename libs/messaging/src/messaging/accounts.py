"""NATS in operator mode: the operator, its accounts and the credentials of their users.

An operator says which accounts there are, an account who its users are, each by a signed JWT.
The identity keys stay offline: what signs from day to day is a signing key beside each, which a
new JWT can replace.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from messaging.claims import signed_claims
from messaging.permissions import Permissions
from messaging.signing_key import KeyKind, SigningKey

_UNLIMITED = -1


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a user signs in with: `text` is a .creds file's content, a secret, never printed."""

    user: str
    public: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """What an account may use; -1 is unlimited, 0 none. Storage in bytes."""

    connections: int = _UNLIMITED
    subscriptions: int = _UNLIMITED
    payload_bytes: int = _UNLIMITED
    leaf_nodes: int = 0
    jetstream_bytes: int = 0
    jetstream_streams: int = 0
    jetstream_consumers: int = 0

    def claims(self) -> dict[str, object]:
        limits: dict[str, object] = {
            "conn": self.connections,
            "subs": self.subscriptions,
            "payload": self.payload_bytes,
            "leaf": self.leaf_nodes,
            "data": _UNLIMITED,
            "imports": _UNLIMITED,
            "exports": _UNLIMITED,
            "wildcards": True,
        }
        if self.jetstream_bytes:
            limits |= {
                "mem_storage": 0,
                "disk_storage": self.jetstream_bytes,
                "streams": self.jetstream_streams,
                "consumer": self.jetstream_consumers,
            }
        return limits


PLATFORM_LIMITS = AccountLimits(
    jetstream_bytes=_UNLIMITED, jetstream_streams=_UNLIMITED, jetstream_consumers=_UNLIMITED
)


@dataclass(frozen=True, slots=True)
class Account:
    """An account: its identity (`public`) and the key that signs its users."""

    name: str
    identity: SigningKey
    signing: SigningKey

    @classmethod
    def generate(cls, name: str) -> "Account":
        return cls(name, SigningKey.generate(KeyKind.ACCOUNT), SigningKey.generate(KeyKind.ACCOUNT))

    @classmethod
    def from_seeds(cls, name: str, seeds: Mapping[str, str]) -> "Account":
        """Take up what `seeds` gave. Raises SeedInvalid, and KeyError when one is missing."""
        return cls(
            name,
            SigningKey.from_seed(KeyKind.ACCOUNT, seeds["identity"]),
            SigningKey.from_seed(KeyKind.ACCOUNT, seeds["signing"]),
        )

    def seeds(self) -> dict[str, str]:
        """Return the secrets to keep (in Vault), by name."""
        return {"identity": self.identity.seed, "signing": self.signing.seed}

    @property
    def public(self) -> str:
        return self.identity.public

    def credentials(
        self,
        user: str,
        permissions: Permissions,
        *,
        expires: datetime | None = None,
        key: SigningKey | None = None,
    ) -> Credentials:
        """Make a user, of a new key unless one is given. The server ends sessions at `expires`."""
        key = key or SigningKey.generate(KeyKind.USER)
        claims: dict[str, object] = {
            "type": "user",
            "issuer_account": self.public,
            "subs": _UNLIMITED,
            "data": _UNLIMITED,
            "payload": _UNLIMITED,
            **permissions.claims(),
        }
        jwt = signed_claims(
            self.signing, subject=key.public, name=user, nats=claims, expires=expires
        )
        return Credentials(user, key.public, _creds_text(jwt, key.seed))


@dataclass(frozen=True, slots=True)
class NatsOperator:
    """The operator, its SYS account that administers, and PLATFORM that holds the streams."""

    name: str
    identity: SigningKey
    signing: SigningKey
    system: Account
    platform: Account

    @classmethod
    def generate(cls, name: str = "careline") -> "NatsOperator":
        return cls(
            name,
            SigningKey.generate(KeyKind.OPERATOR),
            SigningKey.generate(KeyKind.OPERATOR),
            Account.generate("SYS"),
            Account.generate("PLATFORM"),
        )

    @classmethod
    def from_seeds(
        cls, seeds: Mapping[str, Mapping[str, str]], name: str = "careline"
    ) -> "NatsOperator":
        """Take up what `seeds` gave. Raises SeedInvalid, and KeyError when one is missing."""
        return cls(
            name,
            SigningKey.from_seed(KeyKind.OPERATOR, seeds["operator"]["identity"]),
            SigningKey.from_seed(KeyKind.OPERATOR, seeds["operator"]["signing"]),
            Account.from_seeds("SYS", seeds["system"]),
            Account.from_seeds("PLATFORM", seeds["platform"]),
        )

    def seeds(self) -> dict[str, dict[str, str]]:
        """Return the secrets to keep (in Vault), by whose they are."""
        return {
            "operator": {"identity": self.identity.seed, "signing": self.signing.seed},
            "system": self.system.seeds(),
            "platform": self.platform.seeds(),
        }

    def operator_jwt(self) -> str:
        """Return the operator's own JWT, which servers are configured with. Holds no secret."""
        claims: dict[str, object] = {
            "type": "operator",
            "system_account": self.system.public,
            "signing_keys": [self.signing.public],
            "strict_signing_key_usage": True,
        }
        return signed_claims(
            self.identity, subject=self.identity.public, name=self.name, nats=claims
        )

    def account_jwt(
        self,
        account: Account,
        *,
        limits: AccountLimits,
        exports: Iterable[Mapping[str, object]] = (),
        imports: Iterable[Mapping[str, object]] = (),
        revocations: Mapping[str, datetime] | None = None,
    ) -> str:
        """Return the JWT by which servers know an account; a later one replaces it whole.

        `revocations`: public key of a user -> credentials made up to then are refused; "*" is
        every user. The JWT holds no secret.
        """
        claims: dict[str, object] = {
            "type": "account",
            "limits": limits.claims(),
            "signing_keys": [account.signing.public],
            "exports": list(exports),
            "imports": list(imports),
        }
        if revocations:
            claims["revocations"] = {
                user: int(until.timestamp()) for user, until in revocations.items()
            }
        return signed_claims(self.signing, subject=account.public, name=account.name, nats=claims)

    def platform_jwt(self, exports: Iterable[Mapping[str, object]] = ()) -> str:
        """Return PLATFORM's JWT with what it exports to partners."""
        return self.account_jwt(self.platform, limits=PLATFORM_LIMITS, exports=exports)


def _creds_text(jwt: str, seed: str) -> str:
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    )
