// The Running panel's section: the interpreters of all notebooks and consoles that are open.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker } from '@jupyterlab/notebook';
import { type IRunningSessions, IRunningSessionManagers } from '@jupyterlab/running';
import { kernelIcon } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

import { askKernel } from './ask';
import { dotIcon } from './cells/menu';
import type { KernelModel } from './model';
import { type Document, followDocuments, IKernelModels } from './models';
import { CommandIDs } from './panel/commands';
import type { Interpreter } from './protocol';

export class RunningInterpreters implements IRunningSessions.IManager {
  readonly name = 'Interpreters';
  readonly shutdownLabel = 'Close';
  readonly shutdownAllLabel = 'Close All';
  readonly shutdownAllConfirmationText = 'Close all interpreters but main? Their variables are lost.';

  /** `show` brings a document to the front and shows its panel. */
  constructor(private readonly _show: (document: Widget) => void) {}

  get runningChanged(): ISignal<this, void> {
    return this._runningChanged;
  }

  /** Lists the interpreters of the document's kernel until it is closed. */
  add(document: Document, kernel: KernelModel): void {
    this._documents.set(document, kernel);
    let rows = kernel.interpreters;
    kernel.changed.connect(() => {
      if (rows === kernel.interpreters) return;
      rows = kernel.interpreters;
      this._runningChanged.emit();
    });
    document.disposed.connect(() => {
      this._documents.delete(document);
      this._runningChanged.emit();
    });
    this._runningChanged.emit();
  }

  running(): IRunningSessions.IRunningItem[] {
    const kernels = this._kernels();
    return kernels.flatMap(([document, kernel]) =>
      kernel.interpreters.map(row => ({
        ...this._item(document, kernel, row),
        detail: () => (kernels.length > 1 ? `${row.state} · ${document.title.label}` : row.state)
      }))
    );
  }

  refreshRunning(): void {
    this._kernels().forEach(([, kernel]) => kernel.refresh());
  }

  shutdownAll(): void {
    for (const [, kernel] of this._kernels()) if (kernel.interpreters.some(row => row.id !== 0)) close(kernel, 'all');
  }

  private _item(document: Widget, kernel: KernelModel, row: Interpreter): IRunningSessions.IRunningItem {
    return {
      className: 'jp-xinterp-RunningInterpreter',
      icon: () => dotIcon(row.colour) ?? kernelIcon,
      label: () => row.label,
      labelTitle: () => `The interpreter ${row.label} of ${document.title.label}, ${row.state}`,
      open: () => this._show(document),
      // Main lives as long as the kernel.
      ...(row.id !== 0 && { shutdown: () => close(kernel, row.label) })
    };
  }

  /** Each kernel once, with the first document that uses it. */
  private _kernels(): [Document, KernelModel][] {
    const seen = new Set<string | undefined>();
    return [...this._documents].filter(([{ sessionContext }]) => {
      const id = sessionContext.session?.kernel?.id;
      return !seen.has(id) && seen.add(id);
    });
  }

  private readonly _documents = new Map<Document, KernelModel>();
  private readonly _runningChanged = new Signal<this, void>(this);
}

/** One that runs is not closed: the kernel says so. */
function close(kernel: KernelModel, target: string): void {
  void askKernel(kernel, { command: 'close', targets: [target] });
}

export const runningPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-xinterp:running',
  description: 'Lists the interpreters in the Running panel.',
  autoStart: true,
  requires: [IKernelModels],
  optional: [IRunningSessionManagers, INotebookTracker, IConsoleTracker],
  activate: (
    app: JupyterFrontEnd,
    models: IKernelModels,
    managers: IRunningSessionManagers | null,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null
  ) => {
    if (!managers) return;
    const manager = new RunningInterpreters(document => {
      app.shell.activateById(document.id);
      void app.commands.execute(CommandIDs.show);
    });
    const add = (document: Document) => manager.add(document, models.of(document.sessionContext));
    followDocuments(notebooks, consoles, add, add);
    managers.add(manager);
  }
};
