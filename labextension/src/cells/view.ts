// What a cell's badge says, from the cell's routing and what is known of its kernel.

import type { KernelModel } from '../model';
import type { Interpreter, Run } from '../protocol';
import type { IRouted, Routing } from '../targets';

/** What a badge needs to know of a kernel. */
export type Kernel = Pick<KernelModel, 'problem' | 'interpreters' | 'use' | 'running' | 'find' | 'changed'>;

export interface IBadgeView {
  /** What it shows: the colours of interpreters, then a text. */
  dots: string[];
  text: string;
  /** `unknown`: nothing of that name exists; `new`: the cell creates it; `kernel`: it runs in no interpreter. */
  kind: 'known' | 'unknown' | 'new' | 'kernel';
  state: 'idle' | 'running' | 'asks';
  /** It says nothing that is not plain anyway. */
  quiet: boolean;
  /** A tooltip of whole sentences. */
  title: string;
  /** For screen readers. */
  label: string;
}

/** More dots than these would leave no room for a name. */
const MOST_DOTS = 3;

/** The badge of a cell whose code goes there and that is in these runs. */
export function badgeView(routing: Routing, kernel: Kernel, runs: readonly Run[]): IBadgeView {
  const view = at(routing, kernel);
  if (!runs.length) return view;
  const where = listed(runs.map(run => run.label));
  const asks = kernel.interpreters.some(row => row.asks && runs.some(run => run.id === row.run));
  const sentence = asks ? `Waits for input in ${where}` : `Runs in ${where}`;
  return { ...view, state: asks ? 'asks' : 'running', title: `${sentence}. ${view.title}`, label: sentence };
}

/** The cell while it does not run. */
function at(routing: Routing, kernel: Kernel): IBadgeView {
  switch (routing.kind) {
    case 'routed':
      return routed(routing, kernel);
    case 'plain':
      return plain(kernel);
    case 'invalid':
      return {
        ...EMPTY,
        text: '?',
        kind: 'unknown',
        title: 'The kernel refuses this %%interp line. Run the cell to read why.',
        label: 'Interpreter unknown'
      };
    default:
      return {
        ...EMPTY,
        text: 'kernel',
        kind: 'kernel',
        title: 'The kernel answers this cell itself.',
        label: 'Kernel'
      };
  }
}

function plain(kernel: Kernel): IBadgeView {
  const quiet = kernel.interpreters.length === 1;
  const where = listed(kernel.use.map(row => row.label));
  return { ...EMPTY, ...shown(kernel.use), quiet, title: `Plain cells go to ${where}.`, label: named(kernel.use) };
}

function routed(routing: IRouted, kernel: Kernel): IBadgeView {
  const detached = routing.detached ? ' It is detached: the next cells do not wait for it.' : '';
  if (routing.targets[0] === 'all') {
    const others = kernel.interpreters.filter(row => row.id !== 0);
    const title = `This cell goes to every interpreter but main.${detached}`;
    return { ...EMPTY, ...shown(others), text: 'all', title, label: 'All interpreters but main' };
  }
  const found = routing.targets.map(target => kernel.find(target) ?? target);
  const missing = found.filter(row => typeof row === 'string');
  const targets = found.map(row => (typeof row === 'string' ? { label: row } : row));
  const view = { ...EMPTY, ...shown(targets), label: named(targets) };
  if (!missing.length)
    return { ...view, title: `This cell goes to ${listed(targets.map(row => row.label))}.${detached}` };
  if (routing.create)
    return {
      ...view,
      text: `${view.text} (new)`,
      kind: 'new',
      title: `This cell creates ${listed(missing)}.${detached}`
    };
  return {
    ...view,
    text: `${view.text} ?`,
    kind: 'unknown',
    title: missing.map(absence).join(' '),
    label: `${view.label}, unknown`
  };
}

function absence(target: string): string {
  const sentence = `There is no interpreter ${target}.`;
  return /^\d/.test(target) ? sentence : `${sentence} It is created by %interp create ${target}`;
}

const EMPTY: IBadgeView = { dots: [], text: '', kind: 'known', state: 'idle', quiet: false, title: '', label: '' };

/** A target that exists has a colour. */
type Target = Pick<Interpreter, 'label'> & Partial<Interpreter>;

function shown(targets: readonly Target[]): Pick<IBadgeView, 'dots' | 'text'> {
  const colours = targets.flatMap(({ colour }) => colour ?? []);
  return { dots: colours.slice(0, MOST_DOTS), text: targets.map(target => target.label).join(', ') };
}

function named(targets: readonly Target[]): string {
  return `Interpreter${targets.length > 1 ? 's' : ''} ${listed(targets.map(target => target.label))}`;
}

function listed(labels: string[]): string {
  return labels.length > 1 ? `${labels.slice(0, -1).join(', ')} and ${labels.at(-1)}` : (labels[0] ?? '');
}

/** What badges show of the interpreters: if it is the same, so are they. */
export function appearance(rows: readonly Interpreter[]): string {
  return rows.map(row => `${row.id} ${row.label} ${row.colour}`).join('\n');
}
