// What is known of one kernel's interpreters.
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Answer, IConnection } from './connection';
import type { Command, Event, Interpreter, Run, Snapshot } from './protocol';

/**
 * Runs that ended longer ago are forgotten, in seconds, unless nothing has run for their cell since; and the oldest ones
 * beyond that number.
 */
const MEMORY = 600;
const MOST_RUNS = 1000;
const NONE: ReadonlyArray<never> = [];

/** Follows the kernel through restarts and lost connections. */
export class KernelModel implements IDisposable {
  constructor(private readonly _connection: IConnection) {
    _connection.told.connect(this._onTold, this);
    _connection.problemChanged.connect(this._onProblemChanged, this);
  }

  /** Why there is nothing to show, as a sentence; null when there is. */
  get problem(): string | null {
    return this._connection.problem;
  }

  /**
   * Main first, then by id. The array and each row are new objects only if they changed. While the connection is lost,
   * the last that were known.
   */
  get interpreters(): ReadonlyArray<Interpreter> {
    return this._interpreters;
  }

  get(id: number): Interpreter | undefined {
    return this._rows.get(id);
  }

  /** By name, "main", or id in digits; closing ones included. */
  find(target: string): Interpreter | undefined {
    return /^\d+$/.test(target) ? this._rows.get(Number(target)) : this._interpreters.find(row => row.name === target);
  }

  /** Of the last ten minutes, and the last ones of each cell; oldest first. */
  get runs(): ReadonlyArray<Run> {
    return (this._runsInOrder ??= [...this._runs.values()]);
  }

  run(id: number): Run | undefined {
    return this._runs.get(id);
  }

  /** Of a notebook's cell, when it ran last: one for each of its targets. Another array only if they changed. */
  lastRuns(cell: string): ReadonlyArray<Run> {
    return this._lastRuns.get(cell) ?? NONE;
  }

  /** Runs that have not ended. */
  get running(): ReadonlyArray<Run> {
    return (this._running ??= this.runs.filter(run => run.end === null));
  }

  /** What ran when the kernel went, until there is one again; null if none has gone. */
  get lost(): ReadonlyArray<Run> | null {
    return this._lost;
  }

  /** Where this client's plain cells go. */
  get use(): ReadonlyArray<Interpreter> {
    const { client } = this._connection; // a console's changes when it has got its subshell
    if (this._use === null || client !== this._usedBy) {
      this._usedBy = client;
      this._use = (this._uses[client] ?? [0]).map(id => this._rows.get(id)).filter(row => row !== undefined);
    }
    return this._use;
  }

  /** The kernel's clock, in seconds. */
  now(): number {
    return Date.now() / 1000 + this._ahead;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._connection.told.disconnect(this._onTold, this);
    this._connection.problemChanged.disconnect(this._onProblemChanged, this);
    this._connection.dispose();
    Signal.clearData(this);
  }

  /** Ask the kernel for everything once more. */
  refresh(): void {
    this._connection.refresh();
  }

  /** Rejects with a CommandError whose message is the kernel's sentence. An AbortSignal cancels. */
  command(request: Command, signal?: AbortSignal): Promise<Answer> {
    return this._connection.command(request, signal);
  }

  private _onTold(_: IConnection, message: Snapshot | Event): void {
    const snapshot = message.type === 'snapshot';
    this._lost = null;
    // The least delayed message tells the clock best. A snapshot begins anew: clocks are set, and machines sleep.
    const ahead = message.time - Date.now() / 1000;
    this._ahead = snapshot ? ahead : Math.max(ahead, this._ahead);
    const known = snapshot ? new Set(message.interpreters.map(row => row.id)) : null;
    const gone = known ? [...this._rows.keys()].filter(id => !known.has(id)) : ((message as Event).gone ?? []);
    this._takeInterpreters(message.interpreters ?? [], gone);
    if (snapshot) {
      const there = new Set(message.runs.map(run => run.id));
      this._forgetRuns(run => !there.has(run.id));
    }
    this._takeRuns(message.runs ?? []);
    if (message.uses) {
      this._uses = message.uses;
      this._use = null;
    }
    this._changed.emit();
  }

  private _onProblemChanged(): void {
    if (this.problem !== null && !this._connection.lost) {
      if (this._rows.size > 0) {
        this._lost = this.running;
      }
      this._takeInterpreters([], [...this._rows.keys()]);
      this._forgetRuns(() => true);
      this._uses = {};
      this._use = null;
    }
    this._changed.emit();
  }

  private _takeInterpreters(rows: Interpreter[], gone: number[]): void {
    const changed = rows.filter(row => !same(row, this._rows.get(row.id)));
    const lost = gone.filter(id => this._rows.has(id));
    if (changed.length === 0 && lost.length === 0) {
      return;
    }
    changed.forEach(row => this._rows.set(row.id, row));
    lost.forEach(id => this._rows.delete(id));
    this._interpreters = [...this._rows.values()].sort((a, b) => a.id - b.id);
    this._use = null;
  }

  private _takeRuns(runs: Run[]): void {
    const changed = runs.filter(run => !same(run, this._runs.get(run.id)));
    changed.forEach(run => this._takeRun(run));
    if (changed.length > 0) {
      this._runsInOrder = this._running = null;
    }
    const oldest = this.now() - MEMORY;
    let excess = this._runs.size - MOST_RUNS;
    this._forgetRuns(run => run.end !== null && (excess-- > 0 || (run.end < oldest && !this._isLast(run))));
  }

  private _takeRun(run: Run): void {
    this._runs.set(run.id, run);
    if (run.cell === null) {
      return;
    }
    const before = this._lastRuns.get(run.cell) ?? [];
    const others = before.filter(other => other.message === run.message && other.id !== run.id);
    if (others.length > 0 || before.every(other => other.id <= run.id)) {
      this._lastRuns.set(
        run.cell,
        [...others, run].sort((a, b) => a.id - b.id)
      );
    }
  }

  private _isLast(run: Run): boolean {
    return run.cell !== null && !!this._lastRuns.get(run.cell)?.some(last => last.id === run.id);
  }

  private _forgetRuns(forgotten: (run: Run) => boolean): void {
    for (const run of this._runs.values()) {
      if (forgotten(run)) {
        this._runs.delete(run.id);
        if (run.cell !== null && this._isLast(run)) {
          this._lastRuns.delete(run.cell);
        }
        this._runsInOrder = this._running = null;
      }
    }
  }

  private readonly _rows = new Map<number, Interpreter>();
  private readonly _runs = new Map<number, Run>();
  /** By the cell's id; of these all runs are remembered, too. */
  private readonly _lastRuns = new Map<string, ReadonlyArray<Run>>();
  private readonly _changed = new Signal<this, void>(this);
  private _uses: Record<string, number[]> = {};
  private _interpreters: ReadonlyArray<Interpreter> = [];
  /** Made of the maps when they are asked for. */
  private _runsInOrder: ReadonlyArray<Run> | null = null;
  private _running: ReadonlyArray<Run> | null = null;
  private _use: ReadonlyArray<Interpreter> | null = null;
  private _usedBy = '';
  private _lost: ReadonlyArray<Run> | null = null;
  /** How far the kernel's clock is ahead of the browser's, in seconds. */
  private _ahead = 0;
  private _isDisposed = false;
}

function same<T extends object>(a: T, b: T | undefined): boolean {
  return b !== undefined && (Object.keys(a) as (keyof T)[]).every(key => a[key] === b[key]);
}
