// The badges of all code cells of one notebook or console. What happens in the kernel reaches those that it concerns.

import type { Cell, ICellModel } from '@jupyterlab/cells';
import type { IDisposable } from '@lumino/disposable';

import type { Run } from '../protocol';
import { CellBadge, type BadgedCell } from './badge';
import { creates } from './creations';
import { appearance, type Kernel } from './view';

/** A code cell's widget that tells when it is gone. */
export type FollowedCell = BadgedCell & Pick<Cell, 'disposed'> & { readonly model: Pick<ICellModel, 'type'> };

export class Badges<C extends FollowedCell> implements IDisposable {
  /**
   * `open` is called with a cell and its badge's button when that is pressed. `cells`: all of the notebook, in their
   * order; none where there is no notebook.
   */
  constructor(
    private readonly _kernel: Kernel,
    private readonly _open: (cell: C, button: HTMLElement) => void,
    private readonly _cells: () => readonly C[] = () => []
  ) {
    this._all = this._allNow();
    this._running = this._runningNow();
    _kernel.changed.connect(this._onKernelChanged, this);
  }

  /** Gives a code cell its badge, until the cell is disposed. */
  add(cell: C): void {
    if (cell.model.type !== 'code' || this._badges.has(cell)) return;
    const badge = new CellBadge(cell, this._kernel, {
      open: button => this._open(cell, button),
      createdAbove: target => creates(this._above(cell), target),
      creationsChanged: () => this.update()
    });
    this._badges.set(cell, badge);
    badge.running = this._running.get(badge.id) ?? [];
    cell.disposed.connect(() => {
      badge.dispose();
      this._badges.delete(cell);
    });
  }

  /** The cells, or their order, may be others. A notebook that is opened tells of each of its cells. */
  update(): void {
    if (this._isDue) return;
    this._isDue = true;
    queueMicrotask(() => {
      this._isDue = false;
      for (const badge of this._badges.values()) badge.update();
    });
  }

  /** The cell whose badge Tab reaches: 500 in a row would be in the way. */
  set reachable(cell: C | null) {
    const badge = cell && this._badges.get(cell);
    if (badge === this._reachable) return;
    if (this._reachable) this._reachable.reachable = false;
    if (badge) badge.reachable = true;
    this._reachable = badge ?? null;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) return;
    this._isDisposed = true;
    this._kernel.changed.disconnect(this._onKernelChanged, this);
    for (const badge of this._badges.values()) badge.dispose();
    this._badges.clear();
  }

  private _onKernelChanged(): void {
    const before = this._running;
    this._running = this._runningNow();
    const all = this._allNow();
    const allChanged = all !== this._all;
    this._all = all;
    for (const badge of this._badges.values()) {
      const runs = this._running.get(badge.id);
      if (runs || before.has(badge.id)) badge.running = runs ?? [];
      else if (allChanged || badge.hasRun) badge.update();
    }
  }

  /** What the cells above create. */
  private *_above(cell: C) {
    for (const other of this._cells()) {
      if (other === cell) return;
      const badge = this._badges.get(other);
      if (badge) yield badge.creations;
    }
  }

  /** What concerns each of them. */
  private _allNow(): string {
    if (this._rows !== this._kernel.interpreters) {
      this._rows = this._kernel.interpreters;
      this._appearance = appearance(this._rows);
    }
    return `${this._appearance}\n\n${this._kernel.use.map(row => row.id)}`;
  }

  /** By the cell's id. */
  private _runningNow(): Map<string, Run[]> {
    const byCell = new Map<string, Run[]>();
    for (const run of this._kernel.running)
      if (run.cell !== null) byCell.set(run.cell, [...(byCell.get(run.cell) ?? []), run]);
    return byCell;
  }

  private readonly _badges = new Map<C, CellBadge>();
  private _running: Map<string, Run[]>;
  private _all: string;
  private _rows: Kernel['interpreters'] = [];
  private _appearance = '';
  private _reachable: CellBadge | null = null;
  private _isDue = false;
  private _isDisposed = false;
}
