// The status bar's item: where plain cells go, and how many interpreters run.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar, TextItem } from '@jupyterlab/statusbar';
import { ReactWidget } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';

import type { KernelModel } from './model';
import { IKernelModels } from './models';
import { CommandIDs } from './panel/commands';

type Kernel = Pick<KernelModel, 'interpreters' | 'use' | 'running'>;

/** `main · 2 running` */
export function statusText({ use, running }: Kernel): string {
  const count = new Set(running.map(run => run.interpreter)).size;
  const names = use.map(row => row.label).join(', ');
  return count ? `${names} · ${count} running` : names;
}

export class StatusItem extends ReactWidget {
  constructor(
    private readonly _models: Pick<IKernelModels, 'current' | 'currentChanged'>,
    private readonly _showPanel: () => void
  ) {
    super();
    this.addClass('jp-mod-highlighted');
    this.addClass('jp-xinterp-Status');
    _models.currentChanged.connect(this._follow, this);
    this._follow();
  }

  /** There is something to show: the kernel in front is an xinterp. */
  get isActive(): boolean {
    return !!this._kernel?.interpreters.length;
  }

  get activeChanged(): ISignal<this, void> {
    return this._activeChanged;
  }

  override dispose(): void {
    this._kernel?.changed.disconnect(this._onChanged, this);
    Signal.clearData(this);
    super.dispose();
  }

  protected render(): JSX.Element | null {
    const kernel = this._kernel;
    if (!kernel?.interpreters.length) return null;
    const text = statusText(kernel);
    return (
      <>
        {kernel.use.map(row => (
          <span key={row.id} className="jp-xinterp-Status-dot" style={{ background: row.colour }} aria-hidden="true" />
        ))}
        <TextItem
          role="button"
          tabIndex={0}
          source={text}
          title="Plain cells go there. Show the interpreters"
          aria-label={`Interpreter of plain cells: ${text}`}
          onClick={this._showPanel}
          onKeyDown={event => {
            if (event.key !== 'Enter' && event.key !== ' ') return;
            event.preventDefault();
            this._showPanel();
          }}
        />
      </>
    );
  }

  private _follow(): void {
    this._kernel?.changed.disconnect(this._onChanged, this);
    this._kernel = this._models.current;
    this._kernel?.changed.connect(this._onChanged, this);
    this._onChanged();
  }

  private _onChanged(): void {
    const shown =
      this._kernel && this.isActive ? `${statusText(this._kernel)} ${this._kernel.use.map(row => row.colour)}` : '';
    if (shown === this._shown) return;
    const wasActive = this._shown !== '';
    this._shown = shown;
    this.update();
    if (wasActive !== (shown !== '')) this._activeChanged.emit();
  }

  private _kernel: KernelModel | null = null;
  private _shown = '';
  private readonly _activeChanged = new Signal<this, void>(this);
}

export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-xinterp:status',
  description: 'Shows in the status bar where plain cells go and how many interpreters run.',
  autoStart: true,
  requires: [IKernelModels],
  optional: [IStatusBar],
  activate: (app: JupyterFrontEnd, models: IKernelModels, statusBar: IStatusBar | null) => {
    if (!statusBar) return;
    const item = new StatusItem(models, () => void app.commands.execute(CommandIDs.show));
    statusBar.registerStatusItem('jupyterlab-xinterp:status', {
      item,
      align: 'left',
      rank: 3,
      isActive: () => item.isActive,
      activeStateChanged: item.activeChanged
    });
  }
};
