// What a cell's badge says, from the cell's routing and what is known of its kernel.

import type { KernelModel } from '../model';
import type { Interpreter, Run } from '../protocol';
import type { IRouted, Routing } from '../targets';
import type { CreatedAbove } from './creations';

/** What a badge needs to know of a kernel. */
export type Kernel = Pick<
  KernelModel,
  'problem' | 'interpreters' | 'use' | 'running' | 'lastRuns' | 'find' | 'changed'
>;

/** A line of a badge: the colours of interpreters, and a text. */
export interface IBadgeRow {
  dots: readonly string[];
  text: string;
}

export interface IBadgeView {
  rows: readonly IBadgeRow[];
  /** Beside them, and never cut off: `?`. */
  mark: string;
  /**
   * `unknown`: nothing of that name exists; `new`: the cell creates it; `later`: a cell above creates it; `kernel`: it
   * runs in no interpreter.
   */
  kind: 'known' | 'unknown' | 'new' | 'later' | 'kernel';
  state: 'idle' | 'running' | 'asks';
  /** It says nothing that is not plain anyway. */
  quiet: boolean;
  /** A tooltip of whole sentences. */
  title: string;
  /** For screen readers. */
  label: string;
}

/** A cell has room for these; the second one is a number where more have to be told. */
const MOST_ROWS = 2;
/** More dots than these would leave no room for a name. */
const MOST_DOTS = 3;

/** What is known of a cell beside its text. */
export interface ICellState {
  /** Its runs that have not ended. */
  running: readonly Run[];
  /** Where it ran, if its text is still the one that ran. */
  ran: readonly Run[];
  createdAbove: CreatedAbove;
}

/** The badge of a cell whose code goes there. */
export function badgeView(routing: Routing, kernel: Kernel, { running, ran, createdAbove }: ICellState): IBadgeView {
  if (running.length) {
    const view = goes(routing, kernel, createdAbove);
    const where = listed(running.map(run => run.label));
    const asks = kernel.interpreters.some(row => row.asks && running.some(run => run.id === row.run));
    const sentence = asks ? `Waits for input in ${where}` : `Runs in ${where}`;
    return { ...view, state: asks ? 'asks' : 'running', title: `${sentence}. ${view.title}`, label: sentence };
  }
  const view = goes(routing, kernel, createdAbove);
  return ran.length ? whereItRan(ran, routing, view) : view;
}

/** The cell after it ran: what its output says was said there, wherever it would go now. */
function whereItRan(ran: readonly Run[], routing: Routing, view: IBadgeView): IBadgeView {
  const sentence = `Ran in ${listed(ran.map(run => run.label))}`;
  const all = routing.kind === 'routed' && routing.targets[0] === 'all';
  const rows = all ? [{ dots: dots(ran), text: 'all' }] : shown(ran);
  const same = JSON.stringify(rows) === JSON.stringify(view.rows) && view.kind === 'known';
  const title = `${sentence}. ${view.title}`;
  return same ? { ...view, title } : { ...EMPTY, rows, quiet: view.quiet, title, label: sentence };
}

/** Where the cell goes when it is run. */

function goes(routing: Routing, kernel: Kernel, createdAbove: CreatedAbove): IBadgeView {
  switch (routing.kind) {
    case 'routed':
      return routed(routing, kernel, createdAbove);
    case 'plain':
      return plain(kernel);
    case 'invalid':
      return {
        ...EMPTY,
        mark: '?',
        kind: 'unknown',
        title: 'The kernel refuses this %%interp line. Run the cell to read why.',
        label: 'Interpreter unknown'
      };
    default:
      return {
        ...EMPTY,
        rows: [{ dots: [], text: 'kernel' }],
        kind: 'kernel',
        title: 'The kernel answers this cell itself.',
        label: 'Kernel'
      };
  }
}

function plain(kernel: Kernel): IBadgeView {
  const quiet = kernel.interpreters.length === 1;
  const where = listed(kernel.use.map(row => row.label));
  return { ...EMPTY, rows: shown(kernel.use), quiet, title: `Plain cells go to ${where}.`, label: named(kernel.use) };
}

function routed(routing: IRouted, kernel: Kernel, createdAbove: CreatedAbove): IBadgeView {
  const detached = routing.detached ? ' It is detached: the next cells do not wait for it.' : '';
  if (routing.targets[0] === 'all') {
    const others = kernel.interpreters.filter(row => row.id !== 0);
    const title = `This cell goes to every interpreter but main.${detached}`;
    return { ...EMPTY, rows: [{ dots: dots(others), text: 'all' }], title, label: 'All interpreters but main' };
  }
  const found = routing.targets.map(target => kernel.find(target) ?? target);
  const missing = found.filter(row => typeof row === 'string');
  const targets = found.map(row => (typeof row === 'string' ? { label: row } : row));
  const view = { ...EMPTY, rows: shown(targets), label: named(targets) };
  if (!missing.length)
    return { ...view, title: `This cell goes to ${listed(targets.map(row => row.label))}.${detached}` };
  if (routing.create)
    return { ...view, mark: '+', kind: 'new', title: `This cell creates ${listed(missing)}.${detached}` };
  const lost = missing.filter(target => !createdAbove(target));
  if (!lost.length) {
    const title = `There is no interpreter ${listed(missing)} yet: a cell above creates it.${detached}`;
    return { ...view, kind: 'later', title, label: `${view.label}, not created yet` };
  }
  return {
    ...view,
    mark: '?',
    kind: 'unknown',
    title: lost.map(absence).join(' '),
    label: `${view.label}, unknown`
  };
}

function absence(target: string): string {
  const sentence = `There is no interpreter ${target}.`;
  return /^\d/.test(target) ? sentence : `${sentence} It is created by %interp create ${target}`;
}

const EMPTY: IBadgeView = {
  rows: [],
  mark: '',
  kind: 'known',
  state: 'idle',
  quiet: false,
  title: '',
  label: ''
};

/** A target that exists has a colour. */
type Target = Pick<Interpreter, 'label'> & Partial<Pick<Interpreter, 'colour'>>;

function dots(targets: readonly Target[]): string[] {
  return targets.flatMap(({ colour }) => colour ?? []).slice(0, MOST_DOTS);
}

/** A row for each; of many, the first one and how many there are beside it. */
function shown(targets: readonly Target[]): IBadgeRow[] {
  const rows = targets.map(target => ({ dots: dots([target]), text: target.label }));
  if (rows.length <= MOST_ROWS) return rows;
  const others = targets.slice(MOST_ROWS - 1);
  return [...rows.slice(0, MOST_ROWS - 1), { dots: dots(others), text: `+${others.length}` }];
}

function named(targets: readonly Target[]): string {
  return `Interpreter${targets.length > 1 ? 's' : ''} ${listed(targets.map(target => target.label))}`;
}

export function listed(labels: string[]): string {
  return labels.length > 1 ? `${labels.slice(0, -1).join(', ')} and ${labels.at(-1)}` : (labels[0] ?? '');
}

/** What badges show of the interpreters: if it is the same, so are they. */
export function appearance(rows: readonly Interpreter[]): string {
  return rows.map(row => `${row.id} ${row.label} ${row.colour}`).join('\n');
}
