// The cell that a command is about: the active one of the notebook in front, or the prompt of the console.

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Cell } from '@jupyterlab/cells';
import type { ConsolePanel, IConsoleTracker } from '@jupyterlab/console';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

import type { KernelModel } from '../model';
import type { IKernelModels } from '../models';

export interface IFront {
  kernel: KernelModel;
  /** The active code cell; null if another kind of cell is active. */
  cell: Cell | null;
  /** Null for a console. */
  notebook: NotebookPanel | null;
}

export class Front {
  constructor(
    private readonly _shell: Pick<JupyterFrontEnd.IShell, 'currentWidget'>,
    private readonly _models: IKernelModels,
    private readonly _notebooks: INotebookTracker | null,
    private readonly _consoles: IConsoleTracker | null
  ) {}

  /** Null if neither a notebook nor a console is in front, or its kernel is no xinterp. */
  get now(): IFront | null {
    const kernel = this._models.current;
    if (!kernel?.interpreters.length) return null;
    // In front for the models is also one that stays in sight beside what is current for the shell.
    for (const widget of [this._shell.currentWidget, this._notebooks?.currentWidget, this._consoles?.currentWidget]) {
      if (widget && this._notebooks?.has(widget)) {
        const notebook = widget as NotebookPanel;
        if (this._models.of(notebook.sessionContext) === kernel)
          return { kernel, cell: ifCode(notebook.content.activeCell), notebook };
      } else if (widget && this._consoles?.has(widget)) {
        const { sessionContext, console } = widget as ConsolePanel;
        if (this._models.of(sessionContext) === kernel)
          return { kernel, cell: ifCode(console.promptCell), notebook: null };
      }
    }
    return null;
  }
}

function ifCode(cell: Cell | null): Cell | null {
  return cell?.model.type === 'code' ? cell : null;
}
