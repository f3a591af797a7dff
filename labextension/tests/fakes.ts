// Kernels, connections and what they tell, for the tests.
import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import { type Answer, CommandError, type IConnection } from '../src/connection';
import { KernelModel } from '../src/model';
import type { Command, Event, FromKernel, Interpreter, Run, Snapshot } from '../src/protocol';

/** The kernel's clock when the tests' snapshots were made. */
export const NOON = 1_763_720_000;

export function interpreter(more: Partial<Interpreter> = {}): Interpreter {
  const name = more.name === undefined ? (more.id ? null : 'main') : more.name;
  return {
    id: 0,
    name,
    label: name ?? String(more.id ?? 0),
    colour: '#6e7681',
    preset: more.id ? 'notebook' : 'main',
    gil: 'own',
    state: 'idle',
    run: null,
    asks: false,
    queued: 0,
    cells: 0,
    memory: 3 * 1024 * 1024,
    created: NOON - 60,
    origin: more.id ? '%interp' : 'main',
    ...more
  };
}

export function alice(more: Partial<Interpreter> = {}): Interpreter {
  return interpreter({ id: 1, name: 'alice', colour: '#0a7bc2', ...more });
}

export function bob(more: Partial<Interpreter> = {}): Interpreter {
  return interpreter({ id: 2, name: 'bob', colour: '#c2570a', ...more });
}

export function run(more: Partial<Run> = {}): Run {
  return {
    id: 5,
    interpreter: 1,
    label: 'alice',
    colour: '#0a7bc2',
    kind: 'cell',
    count: 7,
    message: 'message',
    cell: 'cell',
    detached: false,
    subshell: null,
    start: NOON - 2,
    end: null,
    status: null,
    ...more
  };
}

export function snapshot(more: Partial<Snapshot> = {}): Snapshot {
  return {
    type: 'snapshot',
    version: 1,
    sequence: 10,
    time: NOON,
    interpreters: [interpreter()],
    runs: [],
    uses: {},
    ...more
  };
}

export function event(sequence: number, more: Partial<Event> = {}): Event {
  return { type: 'event', sequence, time: NOON + 1, ...more };
}

/** A kernel's connection as JupyterLab has it: what is sent to it, and a way to say what it says. */
export class FakeKernel {
  readonly username = '';
  readonly anyMessage = new Signal<this, Kernel.IAnyMessageArgs>(this);
  readonly info: Promise<{ implementation: string }>;
  readonly sent: { type: string; data: unknown }[] = [];
  /** The last message's. */
  sentThrough: string | undefined;
  subshellId: string | null = null;
  status: Kernel.Status = 'idle';
  connectionStatus: Kernel.ConnectionStatus = 'connected';
  private _opening = '';

  constructor(
    implementation = 'xinterp',
    readonly clientId = 'me'
  ) {
    this.info = Promise.resolve({ implementation });
  }

  sendShellMessage(message: KernelMessage.ICommMsgMsg<'shell'>): void {
    this.sent.push({ type: message.header.msg_type, data: message.content.data });
    this.sentThrough = (message.header as { subshell_id?: string }).subshell_id;
    this._opening = message.header.msg_id;
  }

  says(data: FromKernel, comm = 'xinterp.panel'): void {
    this._emit('comm_msg', { comm_id: comm, data });
  }

  knowsNoSuchComm(parent = this._opening): void {
    this._emit('comm_close', { comm_id: 'xinterp.panel', data: {} }, parent);
  }

  private _emit(type: string, content: unknown, parent = ''): void {
    const msg = { channel: 'iopub', header: { msg_type: type }, parent_header: { msg_id: parent }, content };
    this.anyMessage.emit({ direction: 'recv', msg: msg as unknown as KernelMessage.IMessage });
  }
}

/** A notebook's session. */
export class FakeContext {
  readonly kernelChanged = new Signal<this, void>(this);
  readonly sessionChanged = new Signal<this, void>(this);
  readonly statusChanged = new Signal<this, void>(this);
  readonly connectionStatusChanged = new Signal<this, void>(this);
  readonly disposed = new Signal<this, void>(this);
  session: { kernel: FakeKernel | null } | null = null;
  kernelDisplayName = 'Python 3.14 (xinterp)';
  hasNoKernel = false;
  isRestarting = false;

  get it(): ISessionContext {
    return this as unknown as ISessionContext;
  }

  /** Another kernel, or none; after that the connection has heard what kind of kernel it is. */
  async replaceKernel(kernel: FakeKernel | null): Promise<void> {
    this.session = { kernel };
    this.kernelChanged.emit();
    await kernel?.info;
    await Promise.resolve();
  }

  kernelIs(status: Kernel.Status, connection: Kernel.ConnectionStatus = 'connected'): void {
    const kernel = this.session!.kernel!;
    kernel.status = status;
    kernel.connectionStatus = connection;
    this.statusChanged.emit();
    this.connectionStatusChanged.emit();
  }
}

/** What a model listens to. */
export class FakeConnection implements IConnection {
  readonly problemChanged: Signal<IConnection, void> = new Signal<IConnection, void>(this);
  readonly told: Signal<IConnection, Snapshot | Event> = new Signal<IConnection, Snapshot | Event>(this);
  readonly client = 'me';
  readonly requests: Command[] = [];
  readonly signals: (AbortSignal | undefined)[] = [];
  problem: string | null = null;
  lost = false;
  refreshed = 0;
  isDisposed = false;
  /** What the kernel answers: a sentence is a refusal. */
  answers = (_: Command): Answer | string | Promise<Answer> => ({ value: null, text: '' });

  dispose(): void {
    this.isDisposed = true;
  }

  refresh(): void {
    this.refreshed += 1;
  }

  async command(request: Command, signal?: AbortSignal): Promise<Answer> {
    this.requests.push(request);
    this.signals.push(signal);
    const answer = await this.answers(request);
    if (typeof answer === 'string') {
      throw new CommandError(answer);
    }
    return answer;
  }

  tell(message: Snapshot | Event): void {
    this.told.emit(message);
  }

  fails(problem: string | null, lost = false): void {
    this.problem = problem;
    this.lost = lost;
    this.problemChanged.emit();
  }
}

/** A model that has been told of those interpreters, and what it listens to. */
export function modelOf(...interpreters: Interpreter[]): { model: KernelModel; connection: FakeConnection } {
  const connection = new FakeConnection();
  const model = new KernelModel(connection);
  connection.tell(snapshot({ interpreters, time: Date.now() / 1000 }));
  return { model, connection };
}
