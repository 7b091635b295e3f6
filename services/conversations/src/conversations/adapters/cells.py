"""Where sealed values stand: what was sealed for one cell opens in no other."""

from sealing.value_sealer import Cell

from conversations.adapters.tables import channel_address, one_time_code, outbox


def address_cell(conversation: str, channel: str) -> Cell:
    return Cell(channel_address.fullname, f"{conversation}/{channel}", "sealed_address")


def text_cell(delivery: str) -> Cell:
    return Cell(outbox.fullname, delivery, "sealed_text")


def code_address_cell(delivery: str) -> Cell:
    return Cell(one_time_code.fullname, delivery, "sealed_address")


def code_cell(delivery: str) -> Cell:
    return Cell(one_time_code.fullname, delivery, "sealed_code")
