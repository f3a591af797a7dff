// What picking something in a badge's menu makes of a cell's text.

import type { Interpreter, Run } from '../protocol';
import { routing, withDetached, withTarget } from '../targets';
import type { Kernel } from './view';

/** Whether plain cells go to main. */
function followsMain(kernel: Pick<Kernel, 'use'>): boolean {
  return kernel.use.length === 1 && kernel.use[0]?.id === 0;
}

/** The cell for another target; null: for where plain cells go. Main needs no line if they go there. */
export function picked(source: string, target: string | null, kernel: Pick<Kernel, 'use'>): string {
  if (target !== 'main' || !followsMain(kernel)) return withTarget(source, target);
  const read = routing(source);
  const says = read.kind === 'routed' && (read.detached || read.timeout !== null || read.in.length || read.out.length);
  return withTarget(source, says ? target : null);
}

/** Detached, or no longer. A plain cell says then where it goes. */
export function detachedToggled(source: string, kernel: Pick<Kernel, 'use'>): string {
  const read = routing(source);
  if (read.kind === 'routed') return withDetached(source, !read.detached);
  if (read.kind !== 'plain') return source;
  return withDetached(withTarget(source, kernel.use.map(row => row.label).join(',')), true);
}

/** Where the cell's code goes, of those that exist. */
export function goesTo(source: string, kernel: Pick<Kernel, 'use' | 'interpreters' | 'find'>): readonly Interpreter[] {
  const read = routing(source);
  if (read.kind === 'plain') return kernel.use;
  if (read.kind !== 'routed') return [];
  if (read.targets[0] === 'all') return kernel.interpreters.filter(row => row.id !== 0);
  return read.targets.map(target => kernel.find(target)).filter(row => row !== undefined);
}

/** What runs for the cell: where it is running, also if its text says something else by now; else what runs where it goes. */
export function runsFor(cell: string, source: string, kernel: Kernel): readonly Run[] {
  const own = kernel.running.filter(run => run.cell === cell);
  if (own.length) return own;
  const targets = new Set(goesTo(source, kernel).map(row => row.id));
  return kernel.running.filter(run => targets.has(run.interpreter));
}
