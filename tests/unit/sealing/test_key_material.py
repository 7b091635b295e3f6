"""Keys in clear: what they do, and that they give nothing of themselves away."""

import copy
import pickle
from base64 import b64encode
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sealing.framing import framed
from sealing.keyring.data_key import DataKey, NotAuthentic
from sealing.keyring.errors import KeyBroken
from sealing.keyring.tenant_key import TenantKey

SECRET = bytes(range(32))
ID = UUID(int=7)


def data_key() -> DataKey:
    return DataKey.take(ID, "demo", "patients/1", bytearray(SECRET))


def tenant_key(tenant: str = "demo") -> TenantKey:
    return TenantKey.take(tenant, 1, bytearray(SECRET))


def test_a_data_key_zeroes_the_bytes_it_was_made_of_and_still_works() -> None:
    octets = bytearray(SECRET)

    key = DataKey.take(ID, "demo", "patients/1", octets)

    assert octets == bytes(32)
    nonce, ciphertext = key.encrypt(b"note", b"context")
    assert key.decrypt(nonce, ciphertext, b"context") == b"note"
    assert data_key().decrypt(nonce, ciphertext, b"context") == b"note"


def test_a_tenant_key_zeroes_its_bytes_when_the_last_holder_lets_go() -> None:
    octets = bytearray(SECRET)
    key = TenantKey.take("demo", 1, octets)
    used_meanwhile = key
    del key
    assert octets == SECRET

    del used_meanwhile

    assert octets == bytes(32)


@pytest.mark.parametrize("key", [data_key(), tenant_key()], ids=["data key", "tenant key"])
def test_no_text_of_a_key_shows_its_bytes(key: DataKey | TenantKey) -> None:
    for text in (repr(key), str(key), f"{key}", repr([key]), repr({"key": key})):
        assert SECRET.hex() not in text
        assert b64encode(SECRET).decode() not in text
        assert repr(SECRET)[2:20] not in text
        assert "cipher" not in text
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        copy.deepcopy(key)


def test_a_key_never_uses_a_nonce_twice() -> None:
    key = data_key()

    nonces = {key.encrypt(b"", b"")[0] for _ in range(10_000)}

    assert len(nonces) == 10_000
    assert {len(nonce) for nonce in nonces} == {12}


def test_another_context_nonce_or_key_does_not_decrypt() -> None:
    nonce, ciphertext = data_key().encrypt(b"note", b"context")
    other = DataKey.take(ID, "demo", "patients/1", bytearray(reversed(SECRET)))

    for key, given_nonce, context in (
        (data_key(), nonce, b"contexu"),
        (data_key(), bytes(12), b"context"),
        (data_key(), nonce[:8], b"context"),
        (other, nonce, b"context"),
    ):
        with pytest.raises(NotAuthentic):
            key.decrypt(given_nonce, ciphertext, context)


def test_a_wrapped_key_unwraps_for_its_own_row_only() -> None:
    wrapped = tenant_key().wrap(ID, "patients/1", bytearray(SECRET))
    nonce, ciphertext = data_key().encrypt(b"note", b"")

    assert tenant_key().unwrap(ID, "patients/1", wrapped).decrypt(nonce, ciphertext, b"") == b"note"
    with pytest.raises(KeyBroken):
        tenant_key().unwrap(uuid4(), "patients/1", wrapped)
    with pytest.raises(KeyBroken):
        tenant_key().unwrap(ID, "patients/2", wrapped)
    with pytest.raises(KeyBroken):
        tenant_key("other").unwrap(ID, "patients/1", wrapped)


def test_an_altered_or_cut_wrapped_key_does_not_unwrap() -> None:
    wrapped = tenant_key().wrap(ID, "patients/1", bytearray(SECRET))

    for index in range(len(wrapped)):
        altered = bytearray(wrapped)
        altered[index] ^= 1
        with pytest.raises(KeyBroken) as refusal:
            tenant_key().unwrap(ID, "patients/1", bytes(altered))
        assert wrapped.hex()[:16] not in str(refusal.value)
        with pytest.raises(KeyBroken):
            tenant_key().unwrap(ID, "patients/1", wrapped[:index])


def test_a_tenant_key_of_a_wrong_size_is_refused() -> None:
    with pytest.raises(KeyBroken):
        TenantKey.take("demo", 1, bytearray(31))


def test_a_derived_key_is_the_hkdf_of_tenant_and_purpose() -> None:
    info = framed("careline.keyring.purpose", "demo", "blind-index")
    expected = HKDF(SHA256(), 32, salt=None, info=info).derive(SECRET)

    assert tenant_key().derive("blind-index") == expected
    assert tenant_key().derive("code") != expected
    assert tenant_key("other").derive("blind-index") != expected
    assert expected != SECRET
