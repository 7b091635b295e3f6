"""What goes wrong with Vault. Texts say what to do next and hold neither tokens nor answers."""


class VaultUnavailable(Exception):
    """Vault did not give what was asked for; this family's other members say why."""


class VaultDenied(VaultUnavailable):
    """The token is good, but its policy does not allow this."""


class VaultAbsent(VaultUnavailable):
    """There is no such key, secret or role."""


class VaultRefusedInput(VaultUnavailable):
    """Vault can not do this with what it was given, as unwrapping what another key wrapped."""


class SignInRefused(VaultUnavailable):
    """Vault does not take the role id and secret id; a new secret id must be put into its file."""
