// JupyterLab runs no cell while it takes one to wait for input, and learns of no end of the waiting but an answer and its
// own stop button. An interpreter that was interrupted or closed asks no more: its field goes, and cells run again.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { Cell, CodeCell } from '@jupyterlab/cells';
import { type ConsolePanel, IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';
import type { KernelModel } from './model';
import { followDocuments, IKernelModels } from './models';
import type { Run } from './protocol';

/** A field that has been answered bears this too, and JupyterLab takes it away itself. */
const ANSWERED = 'jp-OutputArea-stdin-hiding';
const FIELD = 'jp-OutputArea-stdin-item';

export class Inputs {
  constructor(
    private readonly _model: Pick<KernelModel, 'interpreters' | 'run' | 'changed'>,
    private readonly _kernel: () => Pick<Kernel.IKernelConnection, 'hasPendingInput'> | null,
    private readonly _cells: () => Iterable<Cell>
  ) {
    _model.changed.connect(this._onChanged, this);
  }

  dispose(): void {
    this._model.changed.disconnect(this._onChanged, this);
  }

  private _onChanged(): void {
    const before = this._asking;
    this._asking = new Map();
    for (const row of this._model.interpreters) {
      const run = row.asks && row.run !== null ? this._model.run(row.run) : undefined;
      if (run) {
        this._asking.set(run.id, run);
      }
    }
    const ended = [...before.values()].filter(run => !this._asking.has(run.id));
    if (ended.length === 0) {
      return;
    }
    this._removeFields(ended);
    const kernel = this._kernel();
    if (this._asking.size === 0 && kernel?.hasPendingInput) {
      kernel.hasPendingInput = false;
    }
  }

  private _removeFields(runs: Run[]): void {
    const asked = new Set(runs.map(run => run.cell));
    for (const cell of this._cells()) {
      if (cell.model.type === 'code' && asked.has(cell.model.id)) {
        for (const output of [...(cell as CodeCell).outputArea.widgets]) {
          if (output.hasClass(FIELD) && !output.hasClass(ANSWERED)) {
            output.dispose();
          }
        }
      }
    }
  }

  private _asking = new Map<number, Run>();
}

export const inputsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-xinterp:inputs',
  description: 'Frees a notebook whose cell waited for input when its interpreter asks no more.',
  autoStart: true,
  requires: [IKernelModels],
  optional: [INotebookTracker, IConsoleTracker],
  activate: (
    _: JupyterFrontEnd,
    models: IKernelModels,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null
  ) => {
    const follow = (panel: NotebookPanel | ConsolePanel, cells: () => Iterable<Cell>) => {
      const { sessionContext } = panel;
      const inputs = new Inputs(models.of(sessionContext), () => sessionContext.session?.kernel ?? null, cells);
      panel.disposed.connect(() => inputs.dispose());
    };
    const ofNotebook = (panel: NotebookPanel) => follow(panel, () => panel.content.widgets);
    const ofConsole = (panel: ConsolePanel) => follow(panel, () => panel.console.cells);
    followDocuments(notebooks, consoles, ofNotebook, ofConsole);
  }
};
