"""Tells running servers of new or changed accounts, over the SYS account."""

import json

from nats.aio.client import Client

_SUBJECT = "$SYS.REQ.CLAIMS.UPDATE"
_OK = 200


class ClaimsRefused(Exception):
    """A server did not take an account's JWT."""


async def push_claims(system: Client, account_jwt: str, *, within: float = 5.0) -> None:
    """Have the servers know an account as its JWT says, at once and over their restarts.

    `system` is a connection of a SYS user. Sessions of users that the JWT revokes end at once.
    A server takes what another operator signed, too, but lets nobody in by it. Raises
    ClaimsRefused with the server's code.
    """
    answer = json.loads((await system.request(_SUBJECT, account_jwt.encode(), timeout=within)).data)
    told = answer.get("error") or answer.get("data") or {}
    if told.get("code") != _OK:
        raise ClaimsRefused(
            f"the server refused the account ({told.get('code')}): sign it by its operator's key"
        )
