// What the timeline draws: a lane for each interpreter that ran something in the window of time, and for each subshell of
// main, and the marks of its axis.
import type { Interpreter, Run } from '../protocol';

export interface Lane {
  id: number;
  /** Of main; 0: the interpreter's own lane. */
  subshell: number;
  label: string;
  colour: string;
  runs: Run[];
}

/** Main first, then its subshells, then by id; those that are gone too, while their runs are in sight. */
export function lanes(runs: ReadonlyArray<Run>, interpreters: ReadonlyArray<Interpreter>, from: number): Lane[] {
  const found = new Map<string, Lane>();
  for (const run of runs) {
    if (run.end !== null && run.end < from) {
      continue;
    }
    const { interpreter: id, subshell: number, colour } = run;
    const subshell = number ?? 0;
    const key = laneKey({ id, subshell });
    const lane = found.get(key);
    if (lane) {
      lane.runs.push(run);
    } else {
      const label = subshell ? `subshell ${subshell}` : run.label;
      found.set(key, { id, subshell, label, colour, runs: [run] });
    }
  }
  for (const { id, label } of interpreters) {
    const lane = found.get(laneKey({ id, subshell: 0 }));
    if (lane) {
      lane.label = label; // it may have been renamed
    }
  }
  return [...found.values()].sort((a, b) => a.id - b.id || a.subshell - b.subshell);
}

export function laneKey({ id, subshell }: Pick<Lane, 'id' | 'subshell'>): string {
  return `${id}/${subshell}`;
}

/** A stretch of time, in seconds since 1970. */
export interface Window {
  from: number;
  to: number;
}

/** A pause that is longer than this, in seconds, and than what came after it, parts what happened lately from the rest. */
const PAUSE = 10;
/** So much of the timeline is left free after the last run: a bar of three pixels is to be seen there. */
const MARGIN = 0.04;

/** The stretch of time in which the last runs were, one after the other: as long as one of those that the axis knows. */
export function latest(runs: ReadonlyArray<Run>, now: number): Window {
  const end = (run: Run) => run.end ?? now;
  const to = runs.length > 0 ? Math.max(...runs.map(end)) : now;
  let from = to;
  for (const run of [...runs].sort((a, b) => end(b) - end(a))) {
    if (from - end(run) > Math.max(PAUSE, to - from)) {
      break;
    }
    from = Math.min(from, run.start);
  }
  const spans = Object.keys(STEPS).map(Number);
  const span = spans.find(span => span * (1 - MARGIN) >= to - from) ?? spans.at(-1)!;
  const edge = to + span * MARGIN;
  return { from: edge - span, to: edge };
}

/** The axis has a mark at each of these, in seconds: two or three, which a narrow panel has room for. */
const STEPS: Record<number, number> = { 10: 5, 30: 15, 60: 30, 120: 60, 300: 120, 600: 300 };

/** Where the axis has marks, in seconds since 1970, at full minutes and their parts. */
export function axis(from: number, to: number): number[] {
  const step = STEPS[Math.round(to - from)] ?? (to - from) / 2;
  const marks: number[] = [];
  for (let mark = Math.ceil(from / step) * step; mark <= to; mark += step) {
    marks.push(mark);
  }
  return marks;
}
