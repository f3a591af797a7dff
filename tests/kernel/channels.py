"""Cells that wait at a channel, and when they do."""

from harness import Client

SETUP = "import interpreters\nr, s = interpreters.create_channel()"


def background(client: Client, where: str, code: str) -> str:
    """A cell that has got as far as its last line, which blocks."""
    *first, last = code.splitlines()
    cell = client.send("\n".join([f"%%interp {where} &", *first, "print('waits')", last]))
    client.wait_for_text(cell, "waits\n")
    return cell


def until_waiting(client: Client, channel: int, receivers: int, senders: int) -> None:
    """Until so many threads wait at the channel; main does not."""
    client.ok(
        f"import _xinterp, time\nwhile _xinterp.channel_waiting({channel}) != ({receivers}, {senders}): time.sleep(0.001)"
    )
