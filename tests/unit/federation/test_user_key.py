from datetime import UTC, datetime
from uuid import UUID

from federation.application.user_key import user_key
from messaging.accounts import Account
from messaging.partner_account import PartnerStream

ONE, TWO = UUID(int=1), UUID(int=2)
LATER = datetime(2100, 1, 1, tzinfo=UTC)


def test_a_request_has_one_user_and_another_request_or_account_another() -> None:
    account, other = Account.generate("A"), Account.generate("B")
    key = user_key(account, ONE)
    assert key.public == user_key(account, ONE).public
    assert len({key.public, user_key(account, TWO).public, user_key(other, ONE).public}) == 3


def test_credentials_hold_the_users_seed_and_never_show_it() -> None:
    account = Account.generate("A")
    key = user_key(account, ONE)
    made = account.credentials("acme", PartnerStream("acme").permissions(), expires=LATER, key=key)
    assert made.public == key.public
    assert key.seed in made.text
    assert account.signing.seed not in made.text
    assert key.seed not in repr(made) + repr(key)
