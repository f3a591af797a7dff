// What the panel and the kernel say to each other, version 1: docs/panel-protocol.md.
// Times are seconds since 1970 on the kernel's clock. All text is plain text, never HTML.

export const VERSION = 1;
/** The comm's target, and its id: one comm that the kernel has with all front ends. */
export const COMM = 'xinterp.panel';

export type State = 'idle' | 'running' | 'not stopping' | 'closing';

/** A row of the panel's list. */
export interface Interpreter {
  id: number;
  name: string | null;
  /** What a person calls it: its name, else its id. */
  label: string;
  /** "#rrggbb", the same for as long as it lives. */
  colour: string;
  preset: string;
  gil: 'own' | 'with main';
  state: State;
  /** The id of the run that it is in; null while it is idle. */
  run: number | null;
  /** Code there has asked the person for a line of input. */
  asks: boolean;
  /** How many cells wait in its lane. */
  queued: number;
  /** How many it has run. */
  cells: number;
  /** Bytes of its small objects; null if it shares main's allocator. */
  memory: number | null;
  created: number;
  /** Where it came from: "main", "%interp", "Python". */
  origin: string;
}

/** One interpreter's part of a cell, or another stretch of time in which code ran there. */
export interface Run {
  id: number;
  interpreter: number;
  /** The number of the subshell of main whose lane it runs in; null: the interpreter's own lane. */
  subshell: number | null;
  /** Of the interpreter, which may be gone. */
  label: string;
  colour: string;
  /** A cell; a widget's callback; code that a thread of another interpreter runs there. */
  kind: 'cell' | 'callback' | 'code';
  /** Its In [n]; null for what is no cell. */
  count: number | null;
  /** The `msg_id` of the request that it comes from; null for code. */
  message: string | null;
  /** The notebook cell's id, as the front end has told it in the request's metadata. */
  cell: string | null;
  detached: boolean;
  start: number;
  /** Null while it runs. */
  end: number | null;
  /** Null while it runs. */
  status: 'ok' | 'error' | 'aborted' | null;
}

/** Everything, for a client that has just connected or has missed an event. */
export interface Snapshot {
  type: 'snapshot';
  version: number;
  /** Of the last event that it includes. */
  sequence: number;
  time: number;
  /** Main first, then by id. */
  interpreters: Interpreter[];
  /** Those of the last ten minutes and the last ones of each cell, at most 1000, in the order in which they began. */
  runs: Run[];
  /**
   * Where plain cells go, by client: the `session` of its messages, and if it uses a subshell, a slash and that one's id.
   * Those of clients that are not here go to main.
   */
  uses: Record<string, number[]>;
}

/** What has changed since the event before. */
export interface Event {
  type: 'event';
  sequence: number;
  time: number;
  /** New ones, and those of which something has changed: all of the row. */
  interpreters?: Interpreter[];
  /** The ids of those that are gone. */
  gone?: number[];
  /** New ones, and those that have ended. */
  runs?: Run[];
  /** All of it, if any of it has changed. */
  uses?: Record<string, number[]>;
}

/** The answer to a command. */
export interface Result {
  type: 'result';
  id: string;
  ok: boolean;
  /** If it went well: what a program reads, and what a person reads. */
  value?: unknown;
  text?: string;
  /** Else: one or two plain lines. */
  error?: string;
}

/** The client speaks a version that this kernel does not. */
export interface Refusal {
  type: 'refusal';
  /** The client's, of its comm_open. */
  session: string;
  error: string;
}

export type FromKernel = Snapshot | Event | Result | Refusal;

/** The data of the comm_open. */
export interface Hello {
  version: number;
  /** Whether the kernel may colour the names before the output of cells with several targets. */
  colours: boolean;
}

/** A command of `%interp`, with the arguments of its function in `import xinterp`. */
export type Command =
  | { command: 'create'; names?: string[]; n?: number; preset?: string; if_missing?: boolean; fresh?: boolean }
  | { command: 'close' | 'reset'; targets: Target[]; force?: boolean }
  | { command: 'interrupt' | 'use'; targets: Target[] }
  | { command: 'rename'; target: Target; name: string }
  | { command: 'wait'; targets?: Target[]; timeout?: number }
  | { command: 'vars'; targets: [Target] }
  | { command: 'diff'; targets: [Target, Target] }
  | { command: 'share'; names: string[]; from: Target; to: Target[] };

/** A name or an id. */
export type Target = string | number;

export type ToKernel =
  | { type: 'snapshot' }
  | { type: 'command'; id: string; request: Command }
  /** Nobody waits for that command's answer any more. */
  | { type: 'cancel'; id: string };

/** The value of `vars`: the first thousand, by name. */
export interface Variable {
  name: string;
  type: string;
  /** Bytes of the object itself. */
  size: number;
  /** At most 80 characters. */
  value: string;
  /** Where its data is, if it is a buffer of memory that can be shared: the same number, the same memory. */
  address?: number;
}

/** The value of `diff`. */
export interface Difference {
  name: string;
  a: Variable | null;
  b: Variable | null;
  same: string;
}
