// What one notebook or console hears of its kernel: events in their order and with none missing, each after the snapshot
// that it follows, and the answers to commands. It follows the kernel through restarts, lost connections and changes.
import type { ISessionContext } from '@jupyterlab/apputils';
import { UUID } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { PanelComm } from './comm';
import { type Command, type Event, type FromKernel, type Result, type Snapshot, VERSION } from './protocol';

/** A command's answer: what a program reads, and what a person reads. */
export interface Answer {
  value: unknown;
  text: string;
}

/** The kernel has refused a command, or could not be asked. The message is a sentence or two, for a person. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export interface IConnection extends IDisposable {
  /** Why nothing is heard of the kernel, as a sentence; null when it is. */
  readonly problem: string | null;
  /** The problem is the connection alone: what was known of the kernel may still be so. */
  readonly lost: boolean;
  /** What the kernel calls this client where it tells where plain cells go. */
  readonly client: string;
  readonly problemChanged: ISignal<IConnection, void>;
  /** A snapshot, then the events after it, with none left out; another snapshot at any time. */
  readonly told: ISignal<IConnection, Snapshot | Event>;
  /** Asks for a snapshot. */
  refresh(): void;
  /** Rejects with a CommandError; if the signal is aborted, with its reason. */
  command(request: Command, signal?: AbortSignal): Promise<Answer>;
}

export class Connection implements IConnection {
  constructor(private readonly _context: ISessionContext) {
    _context.kernelChanged.connect(this._onKernelChanged, this);
    _context.sessionChanged.connect(this._onKernelChanged, this);
    _context.statusChanged.connect(this._look, this);
    _context.connectionStatusChanged.connect(this._look, this);
    this._onKernelChanged();
  }

  get problem(): string | null {
    return this._problem;
  }

  get lost(): boolean {
    return this._problem === LOST;
  }

  get client(): string {
    const { clientId = '', subshellId = null } = this._comm?.kernel ?? {};
    return subshellId === null ? clientId : `${clientId}/${subshellId}`;
  }

  get problemChanged(): ISignal<this, void> {
    return this._problemChanged;
  }

  get told(): ISignal<this, Snapshot | Event> {
    return this._told;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._context.kernelChanged.disconnect(this._onKernelChanged, this);
    this._context.sessionChanged.disconnect(this._onKernelChanged, this);
    this._context.statusChanged.disconnect(this._look, this);
    this._context.connectionStatusChanged.disconnect(this._look, this);
    this._fail('It was closed before the kernel answered.');
    this._comm?.dispose();
    Signal.clearData(this);
  }

  refresh(): void {
    if (this._comm && this._problem === null) {
      this._comm.send({ type: 'snapshot' });
    }
  }

  command(request: Command, signal?: AbortSignal): Promise<Answer> {
    const comm = this._comm;
    if (!comm || this._problem !== null) {
      return Promise.reject(new CommandError(this._problem ?? NO_KERNEL));
    }
    if (signal?.aborted) {
      return Promise.reject(signal.reason);
    }
    const id = UUID.uuid4();
    return new Promise((resolve, reject) => {
      const cancel = () => {
        this._commands.delete(id);
        comm.send({ type: 'cancel', id });
        reject(signal?.reason);
      };
      const answer = (result: Result | string) => {
        this._commands.delete(id);
        signal?.removeEventListener('abort', cancel);
        if (typeof result !== 'string' && result.ok) {
          resolve({ value: result.value, text: result.text ?? '' });
        } else {
          reject(new CommandError(typeof result === 'string' ? result : result.error));
        }
      };
      this._commands.set(id, answer);
      signal?.addEventListener('abort', cancel, { once: true });
      comm.send({ type: 'command', id, request });
    });
  }

  private _onKernelChanged(): void {
    const kernel = this._context.session?.kernel ?? null;
    if (kernel !== (this._comm?.kernel ?? null)) {
      this._fail('The kernel was replaced before it answered.');
      this._comm?.dispose();
      this._comm = kernel && new PanelComm(kernel);
      this._comm?.received.connect(this._onReceived, this);
      this._comm?.closed.connect(this._onClosed, this);
      this._implementation = null;
      this._refusal = null;
      this._wasThere = this._greeted = false;
      void kernel?.info.then(info => {
        if (kernel === this._comm?.kernel) {
          this._implementation = info.implementation;
          this._look();
        }
      });
    }
    this._look();
  }

  /** The kernel's state may be another one. */
  private _look(): void {
    const obstacle = this._obstacle();
    if (obstacle !== null) {
      this._fail(obstacle === LOST ? `${LOST} The command may have been done.` : `It was not answered: ${obstacle}`);
      this._greeted = false;
      this._sequence = null;
      if (obstacle !== LOST) {
        this._wasThere = false;
      }
    } else if (!this._greeted) {
      this._greeted = true;
      this._comm?.open();
    }
    this._setProblem(obstacle ?? (this._sequence === null ? (this._wasThere ? LOST : WAITING) : null));
  }

  private _obstacle(): string | null {
    const kernel = this._comm?.kernel;
    if (!kernel) {
      return this._context.hasNoKernel ? NO_KERNEL : STARTING;
    }
    if (kernel.status === 'dead') {
      return 'The kernel has died. Restart it from the Kernel menu.';
    }
    if (this._context.isRestarting || kernel.status === 'restarting' || kernel.status === 'autorestarting') {
      return 'The kernel is restarting.';
    }
    if (kernel.status === 'terminating') {
      return 'The kernel is shutting down.';
    }
    if (this._implementation !== null && this._implementation !== 'xinterp') {
      return `${this._context.kernelDisplayName} is no xinterp kernel: it has one interpreter.`;
    }
    if (this._refusal !== null) {
      return this._refusal;
    }
    if (kernel.connectionStatus !== 'connected' || kernel.status === 'unknown') {
      return this._wasThere ? LOST : CONNECTING;
    }
    return kernel.status === 'starting' || this._implementation === null ? STARTING : null;
  }

  private _onReceived(_: unknown, message: FromKernel): void {
    if (!this._greeted) {
      return; // of the kernel that was there before
    }
    switch (message.type) {
      case 'snapshot':
        if (message.version !== VERSION) {
          return; // for a client that speaks it
        }
        this._sequence = message.sequence;
        this._wasThere = true;
        this._told.emit(message);
        this._setProblem(null);
        break;
      case 'event':
        this._onEvent(message);
        break;
      case 'result':
        this._commands.get(message.id)?.(message);
        break;
      case 'refusal':
        if (message.session === this._comm?.kernel.clientId) {
          this._refusal = message.error;
          this._look();
        }
        break;
    }
  }

  private _onEvent(event: Event): void {
    if (this._sequence === null || event.sequence <= this._sequence) {
      return; // the snapshot has it, or will
    }
    if (event.sequence > this._sequence + 1) {
      this._sequence = null;
      this._comm?.send({ type: 'snapshot' });
      return;
    }
    this._sequence = event.sequence;
    this._told.emit(event);
  }

  private _onClosed(): void {
    this._refusal = 'This xinterp kernel is older than the panel, and does not know it. Update xinterp.';
    this._look();
  }

  private _setProblem(problem: string | null): void {
    if (problem !== this._problem) {
      this._problem = problem;
      this._problemChanged.emit();
    }
  }

  /** No command is answered any more. */
  private _fail(sentence: string): void {
    for (const answer of [...this._commands.values()]) {
      answer(sentence);
    }
  }

  private readonly _problemChanged = new Signal<this, void>(this);
  private readonly _told = new Signal<this, Snapshot | Event>(this);
  private readonly _commands = new Map<string, (result: Result | string) => void>();
  private _comm: PanelComm | null = null;
  private _problem: string | null = STARTING;
  private _implementation: string | null = null;
  private _refusal: string | null = null;
  private _greeted = false;
  /** A snapshot has come since the kernel started. */
  private _wasThere = false;
  /** Of the last event that has come; null until a snapshot comes. */
  private _sequence: number | null = null;
  private _isDisposed = false;
}

const STARTING = 'The kernel is starting.';
const CONNECTING = 'Connecting to the kernel.';
const WAITING = 'Waiting for the kernel.';
const LOST = 'The connection to the kernel is lost.';
const NO_KERNEL = 'There is no kernel. Choose one from the Kernel menu.';
