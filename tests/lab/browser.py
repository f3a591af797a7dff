"""A real Chromium, driven over its DevTools protocol: what a person sees and clicks."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import websocket

PATIENCE = 30  # seconds until a test gives up; nothing takes nearly as long
LOOK_INTERVAL = 0.05

# DevTools wants of each key its code, its number and the text that it writes.
_KEYS = {
    "Enter": ("Enter", 13, "\r"),
    "Tab": ("Tab", 9, ""),
    "Escape": ("Escape", 27, ""),
    "Backspace": ("Backspace", 8, ""),
    "ArrowUp": ("ArrowUp", 38, ""),
    "ArrowDown": ("ArrowDown", 40, ""),
    "ArrowLeft": ("ArrowLeft", 37, ""),
    "ArrowRight": ("ArrowRight", 39, ""),
    "Home": ("Home", 36, ""),
    "End": ("End", 35, ""),
    "Space": ("Space", 32, " "),
}
_MODIFIERS = {"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}


class PageHangs(AssertionError):
    """The page's own scripts do not come to an end."""


class Page:
    """One tab."""

    def __init__(self, browser: str, target: dict[str, str]) -> None:
        self._closing_address = f"{browser}/json/close/{target['id']}"
        address = target["webSocketDebuggerUrl"]
        self._socket = websocket.create_connection(address, timeout=PATIENCE, skip_utf8_validation=True)
        self._last = 0
        self.call("Page.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Any method of the DevTools protocol."""
        self._last += 1
        self._socket.send(json.dumps({"id": self._last, "method": method, "params": parameters}))
        while True:
            try:
                message = json.loads(self._socket.recv())
            except websocket.WebSocketTimeoutException:
                raise PageHangs(method) from None
            if message.get("id") == self._last:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]

    def go(self, url: str) -> None:
        """Open an address and wait until its document is there."""
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'", f"the page {url}")

    def reload(self) -> None:
        """As the person's reload button does, past all caches."""
        self.evaluate("window.xinterpOldPage = true")
        self.call("Page.reload", ignoreCache=True)
        self.wait_for("!window.xinterpOldPage && document.readyState === 'complete'", "the page's reload")

    def evaluate(self, expression: str) -> Any:
        """The value of JavaScript; promises are awaited."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, f"{expression}: {result['exceptionDetails']}"
        return result["result"].get("value")

    def wait_for(self, condition: str, what: str = "") -> Any:
        """Until the JavaScript expression is true; its value. While a page loads, it is not."""
        deadline = time.monotonic() + PATIENCE
        while True:
            result = self.call("Runtime.evaluate", expression=condition, awaitPromise=True, returnByValue=True)
            value = None if "exceptionDetails" in result else result["result"].get("value")
            if value:
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"{what or condition} did not come. The page says:\n{self.text()[-3000:]}")
            time.sleep(LOOK_INTERVAL)

    def text(self, selector: str = "body") -> str:
        """What a person reads in the first element of that kind; nothing if there is none."""
        return self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''")

    def texts(self, selector: str) -> list[str]:
        """The same of all of them."""
        return self.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.innerText)")

    def wait_for_text(self, text: str, selector: str = "body") -> None:
        """Until an element of that kind has the text in it."""
        self.wait_for(
            f"[...document.querySelectorAll({json.dumps(selector)})].some(e => e.innerText.includes({json.dumps(text)}))",
            f"{text!r} in {selector}",
        )

    def click(self, selector: str, text: str = "", count: int = 1) -> None:
        """Press the mouse on the first visible element of that kind (with that text in it), when it is there."""
        place = f"""(() => {{
            const found = [...document.querySelectorAll({json.dumps(selector)})].find(
                e => e.getClientRects().length && e.innerText.includes({json.dumps(text)}));
            if (!found) return null;
            found.scrollIntoView({{block: 'center'}});
            const box = found.getBoundingClientRect();
            return {{x: box.x + box.width / 2, y: box.y + box.height / 2}};
        }})()"""
        where, before = self.wait_for(place, f"{selector} {text!r} to click on"), None
        while where != before:  # what comes meanwhile may move it
            time.sleep(LOOK_INTERVAL)
            where, before = self.wait_for(place, f"{selector} {text!r} to click on"), where
        self.mouse("mouseMoved", where["x"], where["y"], button="none")
        for pressed in range(1, count + 1):
            self.mouse("mousePressed", where["x"], where["y"], clickCount=pressed)
            self.mouse("mouseReleased", where["x"], where["y"], clickCount=pressed)

    def mouse(self, kind: str, x: float, y: float, button: str = "left", **options: Any) -> None:
        """One event of the mouse: mousePressed, mouseMoved, mouseReleased."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, **options)

    def type(self, text: str) -> None:
        """Write where the cursor is."""
        self.call("Input.insertText", text=text)

    def key(self, name: str) -> None:
        """Press a key where the cursor is: "Tab", "Shift+Enter", "a"."""
        *modifiers, key = name.split("+")
        code, number, text = _KEYS.get(key, (f"Key{key.upper()}", ord(key[0].upper()), key))
        event: dict[str, Any] = {
            "key": " " if key == "Space" else key,
            "code": code,
            "windowsVirtualKeyCode": number,
            "modifiers": sum(_MODIFIERS[modifier] for modifier in modifiers),
        }
        written = text if not set(modifiers) - {"Shift"} else ""
        kind = "keyDown" if written else "rawKeyDown"
        self.call("Input.dispatchKeyEvent", type=kind, text=written, **event)
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def screenshot(self, path: Path) -> None:
        """A picture of what is seen."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        """Also if it hangs: its scripts would take a processor from what comes after it."""
        self._socket.close()
        urllib.request.urlopen(self._closing_address, timeout=PATIENCE).close()


class Browser:
    """A Chromium of its own, with a fresh profile that goes with it."""

    def __init__(self, width: int = 1300, height: int = 1000) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="xinterp-browser-"))
        command = [
            "chromium",
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-default-browser-check",
            "--no-first-run",
            "--remote-debugging-port=0",
            "--remote-allow-origins=*",
            f"--user-data-dir={self._folder}/profile",
            f"--window-size={width},{height}",
            "about:blank",
        ]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"HOME": str(self._folder)},
            start_new_session=True,
        )
        self._port = self._wait_for_port()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _wait_for_port(self) -> int:
        told = self._folder / "profile/DevToolsActivePort"
        deadline = time.monotonic() + PATIENCE
        while not (told.exists() and told.read_text().count("\n")):
            assert self._process.poll() is None, f"chromium ended with {self._process.returncode}"
            assert time.monotonic() < deadline, "chromium does not start"
            time.sleep(LOOK_INTERVAL)
        return int(told.read_text().splitlines()[0])

    def page(self, url: str = "about:blank") -> Page:
        """A new tab."""
        own = f"http://127.0.0.1:{self._port}"
        new = urllib.request.Request(f"{own}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(new, timeout=PATIENCE) as response:
            page = Page(own, json.load(response))
        page.call("Page.bringToFront")
        if url != "about:blank":
            try:
                page.go(url)
            except BaseException:
                page.close()
                raise
        return page

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
