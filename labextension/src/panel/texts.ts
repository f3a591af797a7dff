// What the panel says, in words.
import type { Interpreter, Run } from '../protocol';

/** What a person chooses from when an interpreter is made. */
export const PRESETS: ReadonlyArray<{ name: string; says: string }> = [
  { name: 'notebook', says: 'Own GIL: runs in parallel. Threads are allowed; extension modules must support it.' },
  { name: 'isolated', says: "Own GIL, and Python's own strict limits: no daemon threads, fork or exec." },
  { name: 'shared', says: "Main's GIL: takes turns with main. Every extension module that main can load." }
];

/** "0.4 s", "12 s", "3 min 5 s", "2 h 10 min". */
export function duration(seconds: number, decimals = 0): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) {
    return `${decimals > 0 && whole < 10 ? Math.max(0, seconds).toFixed(decimals) : whole} s`;
  }
  if (whole < 3600) {
    return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  }
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** "512 B", "20 KB", "3.1 MB": as the kernel's tables have it, whose units are powers of 1024. */
export function bytes(count: number): string {
  if (count < 1024) {
    return `${count} B`;
  }
  const units = ['KB', 'MB', 'GB'];
  const power = Math.min(units.length, Math.floor(Math.log2(count) / 10));
  return `${(count / 1024 ** power).toFixed(power > 1 ? 1 : 0)} ${units[power - 1]}`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** What a run is: "In [5]", "a widget's callback". */
export function what(run: Run): string {
  switch (run.kind) {
    case 'cell':
      return run.count === null ? 'a cell' : `In [${run.count}]`;
    case 'callback':
      return "a widget's callback";
    case 'code':
      return 'code of another interpreter';
  }
}

/** "idle", "running", "waits for input", ... */
export function stateOf(row: Interpreter): string {
  return row.asks && row.state !== 'closing' ? 'waits for input' : row.state;
}

/** The lesser facts of a row: what it is, and what it has done. A GIL of its own is what an interpreter has. */
export function facts(row: Interpreter): string[] {
  return [
    ...(row.preset === 'main' ? [] : [row.preset]),
    ...(row.gil === 'own' ? [] : ['GIL with main']),
    count(row.cells, 'cell'),
    row.memory === null ? 'memory with main' : bytes(row.memory),
    ...(row.origin === 'main' ? [] : [row.origin])
  ];
}

/** Of a run in the timeline: "In [5] in alice, 2.3 s, error". */
export function runLabel(run: Run, now: number): string {
  const status = run.end === null ? 'running' : run.status === 'aborted' ? 'aborted' : (run.status ?? 'ended');
  return `${what(run)} in ${run.label}, ${duration((run.end ?? now) - run.start, 1)}, ${status}`;
}
