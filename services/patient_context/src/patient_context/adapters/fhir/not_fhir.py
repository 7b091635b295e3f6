"""Why something is not taken in."""


class NotFhir(Exception):
    """A resource, or a file, is no FHIR R4 that we take in.

    `path` leads there, as "Patient.name[0].family"; `reason` says what was expected. Neither holds
    anything that the file holds, names of its unknown fields included.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason
