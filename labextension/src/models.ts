// The model of each notebook's and console's kernel, and which of them is in front.
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';
import { type ConsolePanel, IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { Token } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';
import { Connection } from './connection';
import { KernelModel } from './model';

export interface IKernelModels {
  /** Of the notebook or console in front (also when the panel itself has the focus then); null if there is none. */
  readonly current: KernelModel | null;
  readonly currentChanged: ISignal<IKernelModels, void>;
  /** The model of a notebook's or console's session, made when first asked for, gone with the session context. */
  of(context: ISessionContext): KernelModel;
}

export const IKernelModels = new Token<IKernelModels>(
  'jupyterlab-xinterp:IKernelModels',
  'What is known of the interpreters of the kernels of notebooks and consoles.'
);

/** A notebook or a console. */
export interface Document extends Widget {
  readonly sessionContext: ISessionContext;
}

/** Calls for each notebook and console: those that are there, and those to come. */
export function followDocuments(
  notebooks: INotebookTracker | null,
  consoles: IConsoleTracker | null,
  ofNotebook: (panel: NotebookPanel) => void,
  ofConsole: (panel: ConsolePanel) => void
): void {
  notebooks?.forEach(ofNotebook);
  notebooks?.widgetAdded.connect((_, panel) => ofNotebook(panel));
  consoles?.forEach(ofConsole);
  consoles?.widgetAdded.connect((_, panel) => ofConsole(panel));
}

export class KernelModels implements IKernelModels {
  get current(): KernelModel | null {
    return this._front && this.of(this._front.sessionContext);
  }

  get currentChanged(): ISignal<this, void> {
    return this._currentChanged;
  }

  of(context: ISessionContext): KernelModel {
    let model = this._models.get(context);
    if (!model) {
      model = new KernelModel(new Connection(context));
      this._models.set(context, model);
      context.disposed.connect(() => {
        this._models.get(context)?.dispose();
        this._models.delete(context);
      });
    }
    return model;
  }

  /** A widget is in front now; `document`, if it is a notebook or a console. One that stays in sight beside others stays current. */
  show(document: Document | null): void {
    const front = document ?? (this._front?.isVisible ? this._front : null);
    if (front === this._front) {
      return;
    }
    this._front?.disposed.disconnect(this._onDisposed, this);
    this._front = front;
    front?.disposed.connect(this._onDisposed, this);
    this._currentChanged.emit();
  }

  private _onDisposed(): void {
    this._front = null;
    this._currentChanged.emit();
  }

  private readonly _models = new Map<ISessionContext, KernelModel>();
  private readonly _currentChanged = new Signal<this, void>(this);
  private _front: Document | null = null;
}

export const modelsPlugin: JupyterFrontEndPlugin<IKernelModels> = {
  id: 'jupyterlab-xinterp:models',
  description: 'Follows the interpreters of the kernels of notebooks and consoles.',
  autoStart: true,
  provides: IKernelModels,
  optional: [INotebookTracker, IConsoleTracker],
  activate: (app: JupyterFrontEnd, notebooks: INotebookTracker | null, consoles: IConsoleTracker | null) => {
    const models = new KernelModels();
    const look = () => {
      const widget = app.shell.currentWidget;
      const document = widget && (notebooks?.has(widget) || consoles?.has(widget)) ? (widget as Document) : null;
      models.show(document);
    };
    app.shell.currentChanged?.connect(look);
    // A tracker learns of a widget after the shell has shown it.
    notebooks?.currentChanged.connect(look);
    consoles?.currentChanged.connect(look);
    void app.restored.then(look);
    return models;
  }
};
