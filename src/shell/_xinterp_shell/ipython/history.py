"""IPython's history over the kernel's: the same inputs, in the same places."""

from typing import Any

from IPython.core.history import HistoryManager


class SessionHistory(HistoryManager):
    """``In`` has a place for every cell of the notebook; those that ran elsewhere leave theirs empty."""

    def __init__(self, shell: Any, **options: Any) -> None:
        super().__init__(shell=shell, enabled=False, **options)
        notebook = shell.notebook
        self.input_hist_parsed = notebook.inputs
        self.input_hist_raw = list(notebook.inputs)
        self.output_hist = notebook.outputs

    def store_inputs(self, line_num: int, source: str, source_raw: str | None = None) -> None:
        typed = self.shell.notebook.typed
        for inputs, text in ((self.input_hist_parsed, source.rstrip("\n")), (self.input_hist_raw, typed)):
            inputs.extend([""] * (line_num + 1 - len(inputs)))
            inputs[line_num] = text
        names = self.shell.user_ns
        before = self.input_hist_raw[line_num - 1]
        names["_iii"], names["_ii"], names["_i"] = names.get("_ii", ""), names.get("_i", ""), before
        names[f"_i{line_num}"] = typed
