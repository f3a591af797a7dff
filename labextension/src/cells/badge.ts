// The badge of one code cell: a button below the prompt that shows where the cell goes.

import type { Cell, ICellModel } from '@jupyterlab/cells';
import { keyboardIcon } from '@jupyterlab/ui-components';
import type { IDisposable } from '@lumino/disposable';

import type { Run } from '../protocol';
import { routing, type Routing } from '../targets';
import { badgeView, type IBadgeView, type Kernel } from './view';

/** The parts of a code cell's widget that a badge needs. */
export type BadgedCell = Pick<Cell, 'node' | 'ready' | 'isPlaceholder'> & {
  readonly model: Pick<ICellModel, 'id' | 'sharedModel'>;
};

/** Beside the cell's input, so that a small cell does not cut it off. */
const PLACE = ':scope > .jp-Cell-inputWrapper';

export class CellBadge implements IDisposable {
  /** `open` is called with the badge's button when it is pressed. */
  constructor(
    private readonly _cell: BadgedCell,
    private readonly _kernel: Kernel,
    private readonly _open: (button: HTMLElement) => void
  ) {
    this.id = _cell.model.id;
    this._text = _cell.model.sharedModel;
    this._routing = routing(this._text.getSource());
    this._text.changed.connect(this._onChanged, this);
    // The parts of a cell that has not been in sight are not made yet.
    if (_cell.isPlaceholder()) void _cell.ready.then(() => this.update());
    this.update();
  }

  /** The cell's. */
  readonly id: string;

  /** The cell's runs that have not ended. */
  set runs(runs: readonly Run[]) {
    this._runs = runs;
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
    this._text.changed.disconnect(this._onChanged, this);
    this._button?.remove();
    this._button = null;
  }

  /** Shows what is known now. The page changes only if that is something else. */
  update(): void {
    if (this._isDisposed || this._cell.isPlaceholder()) return;
    const view = this._kernel.interpreters.length ? badgeView(this._routing, this._kernel, this._runs) : null;
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

  private _onChanged(_: unknown, change: { sourceChange?: unknown }): void {
    if (!change.sourceChange) return;
    const now = routing(this._text.getSource());
    if (JSON.stringify(now) === JSON.stringify(this._routing)) return;
    this._routing = now;
    this.update();
  }

  private _made(): HTMLButtonElement {
    const button = document.createElement('button');
    button.type = 'button';
    button.setAttribute('aria-haspopup', 'menu');
    // Enter and Space press it; the notebook has other uses for them, and for letters.
    button.dataset['lmSuppressShortcuts'] = 'true';
    button.tabIndex = this._reachable ? 0 : -1;
    button.addEventListener('click', () => this._open(button));
    this._cell.node.querySelector(PLACE)?.append(button);
    return button;
  }

  /** A cell that has been disposed of has no model. */
  private readonly _text: BadgedCell['model']['sharedModel'];
  private _routing: Routing;
  private _runs: readonly Run[] = [];
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
  const dots = view.dots.map(colour => {
    const dot = document.createElement('span');
    dot.className = 'jp-xinterp-CellBadge-dot';
    dot.style.color = colour;
    return dot;
  });
  const text = document.createElement('span');
  text.className = 'jp-xinterp-CellBadge-text';
  text.textContent = view.text;
  button.replaceChildren(...dots, text);
  if (view.state === 'asks')
    button.append(keyboardIcon.element({ tag: 'span', className: 'jp-xinterp-CellBadge-asks' }));
}
