// The badges of all code cells of one notebook or console. What happens in the kernel reaches those that it concerns.

import type { Cell, ICellModel } from '@jupyterlab/cells';
import type { IDisposable } from '@lumino/disposable';

import type { Run } from '../protocol';
import { CellBadge, type BadgedCell } from './badge';
import { appearance, type Kernel } from './view';

/** A code cell's widget that tells when it is gone. */
export type FollowedCell = BadgedCell & Pick<Cell, 'disposed'> & { readonly model: Pick<ICellModel, 'type'> };

export class Badges<C extends FollowedCell> implements IDisposable {
  /** `open` is called with a cell and its badge's button when that is pressed. */
  constructor(
    private readonly _kernel: Kernel,
    private readonly _open: (cell: C, button: HTMLElement) => void
  ) {
    this._all = this._allNow();
    this._running = this._runningNow();
    _kernel.changed.connect(this._onKernelChanged, this);
  }

  /** Gives a code cell its badge, until the cell is disposed. */
  add(cell: C): void {
    if (cell.model.type !== 'code' || this._badges.has(cell)) return;
    const badge = new CellBadge(cell, this._kernel, button => this._open(cell, button));
    this._badges.set(cell, badge);
    badge.runs = this._running.get(badge.id) ?? [];
    cell.disposed.connect(() => {
      badge.dispose();
      this._badges.delete(cell);
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
      if (runs || before.has(badge.id)) badge.runs = runs ?? [];
      else if (allChanged) badge.update();
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
  private _isDisposed = false;
}
