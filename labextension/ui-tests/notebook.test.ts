// Notebook 7: the same parts in another shell.

import { expect, test } from 'vitest';
import { Debugger } from './debugger';
import { frontend, NotebookPage } from './page';
import { Panel } from './panel';

const classic = frontend('notebook');

test('panel and badges work in Notebook 7', async () => {
  const notebook = await NotebookPage.open(classic, ['%%interp alice\nx = 42\nx', '1']);
  const panel = await Panel.show(notebook);
  await panel.untilNames('main');
  await panel.create('alice');
  await panel.untilNames('main', 'alice');
  await notebook.run(0);
  await expect.poll(() => notebook.output(0)).toBe('42');
  await expect.poll(() => notebook.cell(0).locator('.jp-xinterp-CellBadge').innerText()).toBe('alice');
  await panel.untilState('alice', 'idle');
  await notebook.screenshot('notebook-7');
  expect(notebook.errors).toEqual([]);
});

test('the debugger works in Notebook 7', async () => {
  const notebook = await NotebookPage.open(classic, ['x = 41\nx + 1']);
  const debug = await Debugger.switchOn(notebook);
  await debug.show();
  await debug.breakAt(0, 2);
  await notebook.start(0);
  await debug.untilFrame('<module>', 2); // Notebook marks no line in the cell
  await debug.untilDetail('x', '41');
  await notebook.screenshot('notebook-7-debugger');
  await debug.press('continue');
  await notebook.untilOutput(0, '42');
  await debug.untilContinued();
});
