"""A partner's way in: an account of its own that sees one stream of PLATFORM by one consumer.

The partner pulls and acknowledges across accounts; every import needs a token that PLATFORM signed
for that account, so that no other account can import the same.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from messaging.accounts import Account, AccountLimits
from messaging.claims import signed_claims
from messaging.names import NameInvalid
from messaging.permissions import Permissions

DURABLE = "fed"
# Under JetStream's own prefix a partner would ask its own account, which holds no stream.
API_PREFIX = "careline.API"
PARTNER_LIMITS = AccountLimits(connections=10, subscriptions=100)

_SLUG = re.compile(r"[a-z][a-z0-9-]{1,31}")


@dataclass(frozen=True, slots=True)
class PartnerStream:
    """Names of what one partner (a lower-case slug) may see.

    Its clients pull by `jetstream(prefix=API_PREFIX)` from `stream` and the consumer DURABLE.
    """

    partner: str

    def __post_init__(self) -> None:
        if _SLUG.fullmatch(self.partner) is None:
            raise NameInvalid("a partner's slug is 2 to 32 of a-z, 0-9 and -, a letter first")

    @property
    def stream(self) -> str:
        return f"FED_{self.partner.upper().replace('-', '_')}"

    @property
    def subjects(self) -> str:
        return f"fed.{self.partner}.>"

    @property
    def _next(self) -> str:
        return f"CONSUMER.MSG.NEXT.{self.stream}.{DURABLE}"

    @property
    def _info(self) -> str:
        return f"CONSUMER.INFO.{self.stream}.{DURABLE}"

    @property
    def _ack(self) -> str:
        return f"$JS.ACK.{self.stream}.{DURABLE}.>"

    def exports(self) -> list[dict[str, object]]:
        """Return what PLATFORM's JWT exports for this partner; each import of it needs a token."""
        return [
            _service(f"$JS.API.{self._next}", response_type="Stream"),
            _service(f"$JS.API.{self._info}", response_type="Singleton"),
            _service(self._ack, response_type="Singleton"),
            {"name": self.subjects, "subject": self.subjects, "type": "stream", "token_req": True},
        ]

    def imports(
        self, platform: Account, partner: Account, *, expires: datetime | None = None
    ) -> list[dict[str, object]]:
        """Return what the partner's JWT imports, with tokens that lapse at `expires`."""
        wanted = (
            (f"$JS.API.{self._next}", "service", f"{API_PREFIX}.{self._next}"),
            (f"$JS.API.{self._info}", "service", f"{API_PREFIX}.{self._info}"),
            (self._ack, "service", self._ack),
            (self.subjects, "stream", self.subjects),
        )
        return [
            {
                "name": subject,
                "subject": subject,
                "local_subject": local,
                "account": platform.public,
                "type": kind,
                "token": _activation(platform, partner, subject, kind, expires),
            }
            for subject, kind, local in wanted
        ]

    def permissions(self) -> Permissions:
        """Return what a partner's user may do: pull, acknowledge, look at its consumer."""
        publish = (f"{API_PREFIX}.{self._next}", f"{API_PREFIX}.{self._info}", self._ack)
        return Permissions(publish, ("_INBOX.>",))


def _service(subject: str, *, response_type: str) -> dict[str, object]:
    return {
        "name": subject,
        "subject": subject,
        "type": "service",
        "response_type": response_type,
        "token_req": True,
    }


def _activation(
    platform: Account, partner: Account, subject: str, kind: str, expires: datetime | None
) -> str:
    claims = {
        "type": "activation",
        "subject": subject,
        "kind": kind,
        "issuer_account": platform.public,
    }
    return signed_claims(
        platform.signing, subject=partner.public, name=subject, nats=claims, expires=expires
    )
