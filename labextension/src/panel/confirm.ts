// Closing and resetting an interpreter takes what runs there and what it holds: the person is asked first.
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { CommandError } from '../connection';
import type { KernelModel } from '../model';
import type { Interpreter, Variable } from '../protocol';
import { count, what } from './texts';

/** So many variables are named. */
const NAMED = 5;

/** What would be lost, in sentences; none if nothing would. */
export async function losses(model: KernelModel, row: Interpreter): Promise<string[]> {
  const sentences: string[] = [];
  const run = row.run === null ? undefined : model.run(row.run);
  if (row.state === 'running' || row.state === 'not stopping') {
    sentences.push(`It runs ${run ? what(run) : 'code'}.`);
  }
  if (row.queued > 0) {
    sentences.push(`${count(row.queued, 'cell waits', 'cells wait')} for it.`);
  }
  if (sentences.length > 0) {
    return sentences; // what it holds cannot be read now
  }
  try {
    const variables = (await model.command({ command: 'vars', targets: [row.id] })).value as Variable[];
    if (variables.length > 0) {
      const names = variables.slice(0, NAMED).map(variable => variable.name);
      const others = variables.length - names.length;
      sentences.push(`It holds ${names.join(', ')}${others > 0 ? ` and ${count(others, 'more variable')}` : ''}.`);
    }
  } catch (error) {
    if (!(error instanceof CommandError)) {
      throw error;
    }
    sentences.push(error.message);
  }
  return sentences;
}

/** Whether to go on, and with force; null if not. */
export async function confirmEnd(
  model: KernelModel,
  row: Interpreter,
  verb: 'Close' | 'Reset'
): Promise<{ force: boolean } | null> {
  const sentences = await losses(model, row);
  if (sentences.length === 0) {
    return { force: false };
  }
  const body = `${sentences.join(' ')} ${verb === 'Close' ? 'This will be lost.' : 'A fresh interpreter takes its place.'}`;
  const buttons = [Dialog.cancelButton(), Dialog.warnButton({ label: verb })];
  const { button } = await showDialog({ title: `${verb} ${row.label}?`, body, buttons, defaultButton: 0 });
  return button.accept ? { force: true } : null;
}
