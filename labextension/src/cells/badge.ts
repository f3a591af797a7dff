// The badge of one code cell: a button below the prompt that shows where the cell goes.

import type { Cell, ICellModel, ICodeCellModel } from '@jupyterlab/cells';
import { keyboardIcon } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';

import type { Run } from '../protocol';
import { routing, type Routing } from '../targets';
import { type CreatedAbove, creations, type ICreations } from './creations';
import { badgeView, type IBadgeRow, type IBadgeView, type Kernel } from './view';

/** The parts of a code cell's widget that a badge needs. */
export type BadgedCell = Pick<Cell, 'node' | 'ready' | 'isPlaceholder'> & {
  readonly model: Pick<ICellModel, 'id' | 'sharedModel' | 'stateChanged'> & Partial<Pick<ICodeCellModel, 'isDirty'>>;
};

/** What a badge asks of the notebook that its cell is in. */
export interface IBadgeHost {
  /** The badge's button was pressed. */
  open(button: HTMLElement): void;
  createdAbove: CreatedAbove;
  /** The cell creates other interpreters than before, by its text. */
  creationsChanged(): void;
}

/** Beside the cell's input, so that a small cell does not cut it off. */
const PLACE = ':scope > .jp-Cell-inputWrapper';

export class CellBadge implements IDisposable {
  constructor(
    private readonly _cell: BadgedCell,
    private readonly _kernel: Kernel,
    private readonly _host: IBadgeHost
  ) {
    this._model = _cell.model;
    this.id = this._model.id;
    const source = this._model.sharedModel.getSource();
    this._routing = routing(source);
    this.creations = creations(source);
    this._model.sharedModel.changed.connect(this._onChanged, this);
    this._model.stateChanged.connect(this.update, this);
    // The parts of a cell that has not been in sight are not made yet.
    if (_cell.isPlaceholder()) void _cell.ready.then(() => this.update());
    this.update();
  }

  /** The cell's. */
  readonly id: string;

  /** By its text. */
  creations: ICreations;

  /** The cell's runs that have not ended. */
  set running(runs: readonly Run[]) {
    this._running = runs;
    this.update();
  }

  /** Whether Tab stops there. */
  set reachable(reachable: boolean) {
    this._reachable = reachable;
    if (this._button) this._button.tabIndex = reachable ? 0 : -1;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) return;
    this._isDisposed = true;
    this._model.sharedModel.changed.disconnect(this._onChanged, this);
    this._model.stateChanged.disconnect(this.update, this);
    this._button?.remove();
    this._button = null;
  }

  /** The cell has run since it was shown. */
  get hasRun(): boolean {
    return this._last !== this._kernel.lastRuns(this.id);
  }

  /** Shows what is known now. The page changes only if that is something else. */
  update(): void {
    if (this._isDisposed || this._cell.isPlaceholder()) return;
    const view = this._kernel.interpreters.length ? this._view() : null;
    const shown = JSON.stringify(view);
    if (shown === this._shown) return;
    this._shown = shown;
    if (view) {
      this._button ??= this._made();
      render(this._button, view);
    } else {
      this._button?.remove();
      this._button = null;
    }
  }

  private _view(): IBadgeView {
    const edited = this._model.isDirty === true;
    this._last = this._kernel.lastRuns(this.id);
    return badgeView(this._routing, this._kernel, {
      running: this._running,
      ran: edited ? [] : this._last.filter(run => run.end !== null),
      createdAbove: this._host.createdAbove
    });
  }

  private _onChanged(_: unknown, change: { sourceChange?: unknown }): void {
    if (!change.sourceChange) return;
    const source = this._model.sharedModel.getSource();
    this._routing = routing(source);
    const now = creations(source);
    const createsOthers = JSON.stringify(now) !== JSON.stringify(this.creations);
    this.creations = now;
    this.update();
    if (createsOthers) this._host.creationsChanged();
  }

  private _made(): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('aria-haspopup', 'menu');
    // Enter and Space press it; the notebook has other uses for them, and for letters.
    button.dataset['lmSuppressShortcuts'] = 'true';
    button.tabIndex = this._reachable ? 0 : -1;
    button.addEventListener('click', () => this._host.open(button));
    this._cell.node.querySelector(PLACE)?.append(button);
    return button;
  }

  /** A cell that has been disposed of has no model. */
  private readonly _model: BadgedCell['model'];
  private _routing: Routing;
  private _running: readonly Run[] = [];
  private _last: readonly Run[] = [];
  private _button: HTMLButtonElement | null = null;
  private _reachable = false;
  private _shown = 'null';
  private _isDisposed = false;
}

function render(button: HTMLElement, view: IBadgeView): void {
  button.className = `jp-xinterp-CellBadge jp-mod-${view.kind} jp-mod-${view.state}`;
  button.classList.toggle('jp-mod-quiet', view.quiet);
  button.title = view.title;
  button.setAttribute('aria-label', view.label);
  const names = element('jp-xinterp-CellBadge-rows');
  names.append(...view.rows.map(rendered));
  button.replaceChildren(...(view.rows.length ? [names] : []));
  if (view.mark) button.append(element('jp-xinterp-CellBadge-mark', view.mark));
  if (view.state === 'asks')
    button.append(keyboardIcon.element({ tag: 'span', className: 'jp-xinterp-CellBadge-asks' }));
}

function rendered({ dots, text }: IBadgeRow): HTMLElement {
  const row = element('jp-xinterp-CellBadge-row');
  for (const colour of dots) {
    const dot = element('jp-xinterp-CellBadge-dot');
    dot.style.color = colour;
    row.append(dot);
  }
  row.append(element('jp-xinterp-CellBadge-text', text));
  return row;
}

function element(className: string, text = ''): HTMLElement {
  const made = document.createElement('span');
  made.className = className;
  made.textContent = text;
  return made;
}
