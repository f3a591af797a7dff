"""What a person does who debugs: a prompt, a command, the next prompt."""

from typing import Any

from harness import PATIENCE, Client, Result


class Session:
    """A cell that debugs: each command is the answer to one request for input."""

    def __init__(self, client: Client, code: str, target: str = "", prompt: str = "(Pdb) ") -> None:
        self.client = client
        self.prompt = ("[alice] " if target else "") + prompt
        self.cell = client.send(target + code, allow_stdin=True)

    def asked(self, prompt: str | None = None) -> dict[str, Any]:
        request = self.client.client.get_stdin_msg(timeout=PATIENCE)
        assert request["content"] == {"prompt": self.prompt if prompt is None else prompt, "password": False}
        assert request["parent_header"]["msg_id"] == self.cell
        return request

    def say(self, *commands: str) -> None:
        for command in commands:
            self.asked()
            self.client.client.input(command)

    def result(self) -> Result:
        return self.client.result(self.cell)


def debug(client: Client, target: str, code: str, *commands: str, prompt: str = "(Pdb) ") -> Result:
    session = Session(client, code, target, prompt)
    session.say(*commands)
    return session.result()
