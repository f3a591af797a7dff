// What the panel's sections have in common: the kernel that they show, the row that is selected, what is to be told.
import { type ISignal, Signal } from '@lumino/signaling';
import type { Answer } from '../connection';
import type { KernelModel } from '../model';
import type { IKernelModels } from '../models';
import type { Command, Interpreter } from '../protocol';

/** A sentence at the panel's top until it is dismissed: what went wrong, or what is waited for. */
export interface Notice {
  readonly id: number;
  readonly kind: 'error' | 'waiting';
  readonly text: string;
  /** Ends the waiting. */
  readonly cancel?: () => void;
}

export class PanelState {
  constructor(models: IKernelModels) {
    this._models = models;
    models.currentChanged.connect(() => {
      this._selected = 0;
      this._renaming = null;
      this._variablesOf = 0;
      this._compared = null;
      this._notices = [];
      this._changed.emit();
    });
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** There is something to see in the panel, for whoever has closed it. */
  get calls(): ISignal<this, void> {
    return this._calls;
  }

  get model(): KernelModel | null {
    return this._models.current;
  }

  /** The row that actions are for; main, if the one that was is gone. */
  get selected(): Interpreter | undefined {
    return this.model?.get(this._selected) ?? this.model?.get(0);
  }

  select(id: number): void {
    if (id !== this._selected) {
      this._selected = id;
      this._changed.emit();
    }
  }

  /** The interpreter whose name is being changed. */
  get renaming(): number | null {
    return this._renaming;
  }

  set renaming(id: number | null) {
    this._renaming = id;
    this._changed.emit();
  }

  /** Whose variables are shown. */
  get variablesOf(): number {
    return this.model?.get(this._variablesOf) ? this._variablesOf : 0;
  }

  set variablesOf(id: number) {
    this._variablesOf = id;
    this._changed.emit();
  }

  /** The two that are compared: those that were chosen, else main and the first other one; null if there is no other. */
  get compared(): readonly [number, number] | null {
    const there = (id: number | undefined) => id !== undefined && this.model?.get(id) !== undefined;
    if (this._compared && this._compared.every(there)) {
      return this._compared;
    }
    const [first, second] = this.model?.interpreters ?? [];
    if (!first || !second) {
      return null;
    }
    this._compared = [first.id, second.id];
    return this._compared;
  }

  set compared(pair: readonly [number, number] | null) {
    this._compared = pair;
    this._changed.emit();
  }

  /** How far the timeline goes back, in seconds; 0: as far as what happened lately. */
  get timeline(): number {
    return this._timeline;
  }

  set timeline(seconds: number) {
    this._timeline = seconds;
    this._changed.emit();
  }

  get notices(): ReadonlyArray<Notice> {
    return this._notices;
  }

  notify(notice: Omit<Notice, 'id'>): Notice {
    const added = { ...notice, id: (this._lastNotice += 1) };
    this._notices = [...this._notices.filter(old => old.text !== notice.text), added];
    this._changed.emit();
    this._calls.emit();
    return added;
  }

  dismiss(notice: Notice): void {
    this._notices = this._notices.filter(other => other !== notice);
    this._changed.emit();
  }

  /** Ask the kernel for something; its refusal is told, and gives null. */
  async ask(request: Command, signal?: AbortSignal): Promise<Answer | null> {
    try {
      return (await this.model?.command(request, signal)) ?? null;
    } catch (error) {
      if (!signal?.aborted) {
        this.notify({ kind: 'error', text: error instanceof Error ? error.message : String(error) });
      }
      return null;
    }
  }

  private readonly _models: IKernelModels;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _calls = new Signal<this, void>(this);
  private _selected = 0;
  private _renaming: number | null = null;
  private _variablesOf = 0;
  private _compared: readonly [number, number] | null = null;
  private _timeline = 0;
  private _notices: ReadonlyArray<Notice> = [];
  private _lastNotice = 0;
}
