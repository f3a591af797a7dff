"""JupyterLab and Notebook as a person starts them, with nothing of the person's own in them; and what is done in a page."""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import nbformat
from browser import PATIENCE, Browser, Page
from harness import free_port, wait_until, wait_until_listening

REPO = Path(__file__).parents[2]


def write_notebook(path: Path, cells: list[str], kernel: str = "xinterp") -> None:
    """A notebook of code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata["kernelspec"] = {"name": kernel, "display_name": kernel, "language": "python"}
    nbformat.write(notebook, path)


class JupyterServer:
    """A server on a port of its own, for a folder of its own; ``app`` is "lab" or "notebook"."""

    def __init__(self, app: str = "lab") -> None:
        self.app = app
        self._home = Path(tempfile.mkdtemp(prefix=f"xinterp-{app}-"))
        self.folder = self._home / "notebooks"
        self.folder.mkdir()
        self.token = secrets.token_hex(16)
        self.port = free_port()
        configuration = self._home / "config/labconfig"
        configuration.mkdir(parents=True)
        # The command line's option for it is lost on its way to Notebook 7's pages.
        (configuration / "page_config.json").write_text(json.dumps({"exposeAppInBrowser": True}))
        if app == "notebook":
            # Notebook 7.4 hangs now and then, with any kernel, when it moves the toolbar of the active cell.
            overrides = {"@jupyterlab/cell-toolbar-extension:plugin": {"showToolbar": False}}
            (configuration / "default_setting_overrides.json").write_text(json.dumps(overrides))
        self._log = (self._home / "log").open("w+")
        self._process = subprocess.Popen(
            [
                "jupyter",
                app,
                "--no-browser",
                "--allow-root",
                f"--port={self.port}",
                "--ServerApp.port_retries=0",
                f"--IdentityProvider.token={self.token}",
                "--LabApp.extension_manager=readonly",
                "--",
                str(self.folder),
            ],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=os.environ
            | {
                "HOME": str(self._home),
                "IPYTHONDIR": str(self._home / "ipython"),
                "JUPYTER_CONFIG_DIR": str(self._home / "config"),
                "JUPYTER_CONFIG_PATH": str(REPO / "tools/jupyter"),
                "JUPYTER_DATA_DIR": str(self._home / "data"),
                "JUPYTER_RUNTIME_DIR": str(self._home / "runtime"),
            },
        )
        try:
            wait_until_listening(self.port)
        except AssertionError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(f"The server's log ends with:\n{self.log()[-3000:]}")
        self.close()

    def log(self) -> str:
        """What the server and its kernels have written."""
        return Path(self._log.name).read_text()

    def url(self, notebook: str = "") -> str:
        """The page of a notebook, or the front page."""
        if self.app == "notebook":
            place = f"notebooks/{notebook}" if notebook else "tree"
        else:  # in a workspace of its own: nothing else is opened again beside it
            place = f"lab/workspaces/{Path(notebook).stem}/tree/{notebook}" if notebook else "lab"
        return f"http://127.0.0.1:{self.port}/{place}?token={self.token}"

    def close(self) -> None:
        """The server's kernels end with it."""
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        shutil.rmtree(self._home, ignore_errors=True)


class Notebook:
    """A notebook that is open in a page, of JupyterLab or Notebook 7: they are made of the same parts."""

    CELL = ".jp-Notebook .jp-CodeCell"

    def __init__(self, server: JupyterServer, browser: Browser, cells: list[str], kernel: str = "xinterp") -> None:
        self.path = server.folder / f"test-{secrets.token_hex(4)}.ipynb"
        write_notebook(self.path, cells, kernel)
        self.page: Page = browser.page(server.url(self.path.name))
        try:
            self.wait_until_open(len(cells))
        except BaseException:
            self.page.close()
            raise

    def wait_until_open(self, cells: int) -> None:
        """Until its cells are shown and its kernel is idle."""
        self.page.wait_for(f"document.querySelectorAll('{self.CELL}').length >= {cells}", "the notebook's cells")
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        self.wait_for_kernel("idle")

    def wait_for_kernel(self, state: str) -> None:
        """Until the notebook's kernel is idle, busy, ..."""
        self.page.wait_for(
            f"{self._context()}?.session?.kernel?.status === {json.dumps(state)}", f"a kernel that is {state}"
        )

    def watch_for_restart(self) -> None:
        """Before what restarts the kernel, for wait_for_restart()."""
        self.page.evaluate(
            "window.xinterpRestarted = false; void "
            f"{self._context()}.session.kernel.statusChanged.connect((_, status) => "
            "{ if (status.includes('restarting')) window.xinterpRestarted = true; })"
        )

    def wait_for_restart(self) -> None:
        self.page.wait_for("window.xinterpRestarted", "the kernel's restart")
        # Until then the page still has its old connection, and what it sends there is dropped.
        self.page.wait_for(f"!{self._context()}.isRestarting", "the restart's end")
        self.wait_until_idle()
        # It is shown as idle before the page has its new connection; what is sent on the old one is dropped.
        asked = f"{self._context()}.session.kernel.requestKernelInfo().then(() => true)"
        given_up = "new Promise(done => setTimeout(() => done(false), 1000))"
        self.page.wait_for(f"Promise.race([{asked}, {given_up}])", "an answer of the restarted kernel")
        self.wait_until_idle()

    def _context(self) -> str:
        return "window.jupyterapp.shell.currentWidget?.sessionContext"

    def command(self, name: str, arguments: dict[str, Any] | None = None, wait: bool = True) -> None:
        """A command of the front end, as its menus and buttons run them."""
        call = f"window.jupyterapp.commands.execute({json.dumps(name)}, {json.dumps(arguments or {})})"
        self.page.evaluate(f"{call}.then(() => true)" if wait else f"void {call}")

    def run_all(self) -> None:
        """Run all cells, without waiting for their end."""
        self.command("notebook:run-all-cells", wait=False)

    def select(self, index: int) -> None:
        """Put the cursor into a cell's source. Not with the mouse: outputs that come meanwhile move the cells."""
        content = "window.jupyterapp.shell.currentWidget.content"
        self.page.evaluate(
            f"(() => {{ {content}.activeCellIndex = {index}; {content}.mode = 'edit';"
            f" {content}.activeCell.editor.focus(); }})()"
        )
        self.page.wait_for(f"{content}.activeCell.editor.hasFocus()", "the cursor in the cell")

    def output(self, index: int) -> str:
        """What a person reads below a cell."""
        return self.page.evaluate(
            f"document.querySelectorAll('{self.CELL}')[{index}]?.querySelector('.jp-Cell-outputArea')?.innerText ?? ''"
        )

    def prompt(self, index: int) -> str:
        """`[3]:`"""
        return self.page.evaluate(
            f"document.querySelectorAll('{self.CELL}')[{index}].querySelector('.jp-InputPrompt').innerText"
        )

    def wait_for_prompt(self, index: int, prompt: str) -> None:
        """Until the cell has it. A number comes with the reply, on another channel than the output."""
        wait_until(lambda: self.prompt(index) == prompt, f"cell {index} shows {prompt}")

    def wait_for_output(self, index: int, text: str) -> None:
        """Until the text is below a cell."""
        deadline = time.monotonic() + PATIENCE
        while text not in (shown := self.output(index)):
            assert time.monotonic() < deadline, f"{text!r} did not come below cell {index}, which shows: {shown}"
            time.sleep(0.05)

    def wait_for_completion(self, text: str) -> None:
        """Press Tab, now and then, until that is among what may be chosen."""
        offered = f"document.querySelector('.jp-Completer')?.innerText.includes({json.dumps(text)})"
        deadline, again = time.monotonic() + PATIENCE, 0.0
        while not self.page.evaluate(offered):
            assert time.monotonic() < deadline, f"{text} is not offered"
            if time.monotonic() >= again:
                self.page.key("Tab")
                again = time.monotonic() + 2
            time.sleep(0.05)

    def answer(self, index: int, text: str) -> None:
        """Type into the field below a cell that asks for input."""
        field = f"document.querySelectorAll('{self.CELL}')[{index}].querySelector('input.jp-Stdin-input')"
        self.page.wait_for(f"!!{field}", f"a field below cell {index}")
        self.page.evaluate(f"{field}.focus()")
        self.page.type(text)
        self.page.wait_for(f"{field}.value === {json.dumps(text)}", "the text in the field")
        self.page.key("Enter")

    def save(self) -> nbformat.NotebookNode:
        """The notebook's file, after it has been saved."""
        self.command("docmanager:save")
        return nbformat.read(self.path, as_version=4)
