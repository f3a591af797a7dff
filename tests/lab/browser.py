"""A JupyterLab with its own files, and a Chromium that shows it, driven as a person would: looks, clicks, keys."""

import base64
import json
import os
import subprocess
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import websocket
from harness import PATIENCE, free_port, wait_until_listening

REPO = Path(__file__).parents[2]
WIDTH, HEIGHT = 1300, 1250
_TOKEN = "token"


class Lab:
    """JupyterLab on a folder; its settings and sessions are nobody else's."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.port = free_port()
        self._process = subprocess.Popen(
            [
                *(REPO / "tools/commands/lab.sh", folder, "--no-browser", f"--port={self.port}"),
                *(f"--IdentityProvider.token={_TOKEN}", "--LabApp.expose_app_in_browser=True"),
            ],
            env=os.environ | {"HOME": str(home)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Self:
        wait_until_listening(self.port)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.terminate()  # it ends its kernels first
        self._process.wait(PATIENCE)

    def address(self, notebook: str) -> str:
        return f"http://127.0.0.1:{self.port}/lab/tree/{notebook}?token={_TOKEN}"


class Browser:
    """One page in a Chromium without a screen."""

    def __init__(self, home: Path) -> None:
        port = free_port()
        self._process = subprocess.Popen(
            [
                *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
                *(
                    f"--remote-debugging-port={port}",
                    "--remote-allow-origins=*",
                    f"--user-data-dir={home / 'chromium'}",
                ),
                *(f"--window-size={WIDTH},{HEIGHT}", "about:blank"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until_listening(port)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=PATIENCE) as response:
            (page,) = (each for each in json.load(response) if each["type"] == "page")
        self._socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=PATIENCE)
        self._count = 0
        self._events: list[str] = []
        self.call("Page.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()
        self._process.kill()
        self._process.wait()

    def _receive(self) -> dict[str, Any]:
        message = json.loads(self._socket.recv())
        if "method" in message:
            self._events.append(message["method"])
        return message

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """A command of the DevTools protocol."""
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": parameters}))
        while (message := self._receive()).get("id") != self._count:
            pass
        assert "error" not in message, f"{method}: {message}"
        return message["result"]

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Until a JavaScript expression is true."""
        look = f"(() => {{ try {{ return {condition} }} catch {{ return false }} }})()"
        found = self.evaluate(
            f"new Promise(done => {{ const end = Date.now() + {PATIENCE * 500}; const look = () => {look} ? done(true) :"
            " Date.now() > end ? done(false) : setTimeout(look, 30); look() })"
        )
        assert found, f"{condition} did not come true; the page:\n{self.evaluate('document.body.innerText')}"

    def _load(self, method: str, **parameters: Any) -> None:
        self._events.clear()
        self.call(method, **parameters)
        while "Page.loadEventFired" not in self._events:
            self._receive()

    def open(self, address: str) -> None:
        self._load("Page.navigate", url=address)

    def reload(self) -> None:
        self._load("Page.reload")

    def run(self, command: str) -> None:
        """A command of JupyterLab's palette."""
        self.evaluate(f"jupyterapp.commands.execute({json.dumps(command)}).then(() => true)")

    def click(self, element: str) -> None:
        """In the middle of what a JavaScript expression finds."""
        middle = f"(e => {{ e.scrollIntoViewIfNeeded(); const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2] }})({element})"
        x, y = self.evaluate(middle)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def press(self, key: str, times: int = 1) -> None:
        code = {"ArrowRight": 39}[key]
        for _ in range(times):
            for kind in ("keyDown", "keyUp"):
                self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def photograph(self, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))
