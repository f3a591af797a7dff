// JupyterLab's own debugger, with the real kernel.

import { expect, test } from 'vitest';
import { Debugger } from './debugger';
import { frontend, NotebookPage } from './page';

const lab = frontend('lab');

const DOUBLE = 0;
const TOTAL = 1;
const CALL = 2;
const CELLS = [
  'def double(n):\n    result = 2 * n\n    return result',
  'def total(values):\n    answer = 100\n    for value in values.values():\n        answer += double(value)\n    return answer',
  'total({"a": 1, "b": 2})'
];

/** A notebook that is stopped in a function of one cell, which another one calls. */
async function stopped(): Promise<{ notebook: NotebookPage; debug: Debugger }> {
  const notebook = await NotebookPage.open(lab, CELLS);
  const debug = await Debugger.switchOn(notebook);
  await debug.breakAt(TOTAL, 4);
  await notebook.run(DOUBLE);
  await notebook.run(TOTAL);
  await notebook.start(CALL);
  await debug.untilStoppedAt(TOTAL, 4);
  return { notebook, debug };
}

test('a cell stops at a breakpoint that was clicked, and the panel shows where it is', async () => {
  const { notebook, debug } = await stopped();
  await expect
    .poll(() => debug.frames())
    .toEqual([
      { name: 'total', line: 4 },
      { name: '<module>', line: 1 }
    ]);
  await expect.poll(() => debug.breakpoints()).toEqual([4]);
  await debug.untilDetail('answer', '100');
  await debug.untilDetail('value', '1');
  await debug.untilDetail('values', 'dict');
  await expect.poll(() => debug.source()).toBe(CELLS[TOTAL]);
  await expect.poll(() => notebook.prompt(CALL)).toBe('[*]:');
  await notebook.screenshot('debugger-stopped');
  expect(notebook.errors).toEqual([]);
  await debug.selectFrame('<module>');
  await expect.poll(() => debug.stoppedAt()).toEqual([{ cell: CALL, line: 1 }]);
});

test('it steps over a line, into a function of another cell, out of it, and goes on to the next stop', async () => {
  const { notebook, debug } = await stopped();
  await debug.press('stepIn');
  await debug.untilStoppedAt(DOUBLE, 2);
  await expect
    .poll(async () => (await debug.frames()).map(frame => frame.name))
    .toEqual(['double', 'total', '<module>']);
  await debug.press('next');
  await debug.untilStoppedAt(DOUBLE, 3);
  await debug.untilDetail('result', '2');
  await notebook.screenshot('debugger-step-in');
  await debug.press('stepOut');
  await debug.untilStoppedAt(TOTAL, 4);
  await debug.press('next');
  await debug.untilStoppedAt(TOTAL, 3);
  await debug.untilDetail('answer', '102');
  await debug.press('continue');
  await debug.untilStoppedAt(TOTAL, 4);
  await debug.untilDetail('value', '2');
  await debug.press('continue');
  await notebook.untilRun(CALL);
  await debug.untilContinued();
  await expect.poll(() => notebook.output(CALL)).toBe('106');
});

test('a value is opened in the tree, rendered, and copied to the globals', async () => {
  const { notebook, debug } = await stopped();
  await debug.untilDetail('values', 'dict');
  await debug.open('values');
  await debug.untilDetail("'a'", '1');
  await debug.untilDetail("'b'", '2');
  await debug.act('values', 'Render Variable');
  await expect.poll(() => debug.rendered.innerText()).toBe("{'a': 1, 'b': 2}");
  await debug.act('values', 'Copy Variable to Globals');
  await debug.choose('Globals');
  await debug.untilDetail('values', 'dict');
  await notebook.screenshot('debugger-values');
});

test('while nothing is stopped, the panel shows the variables of main', async () => {
  const notebook = await NotebookPage.open(lab, ['prices = {"tea": 3}', 'rate = 7']);
  const debug = await Debugger.switchOn(notebook);
  await notebook.run(0);
  await debug.untilDetail('prices', 'dict');
  await debug.act('prices', 'Render Variable');
  await expect.poll(() => debug.rendered.innerText()).toBe("{'tea': 3}");
  await notebook.run(1);
  await debug.untilDetail('rate', '7');
  await debug.open('prices');
  await debug.untilDetail("'tea'", '3');
  await notebook.screenshot('debugger-globals');
});

test('an expression is evaluated in the frame where it has stopped, and may change it', async () => {
  const { notebook, debug } = await stopped();
  const log = await debug.openLog();
  await debug.evaluate('answer + 5');
  await expect.poll(() => log.innerText()).toContain('105');
  await debug.evaluate('answer = 1000');
  await debug.untilDetail('answer', '1000');
  await notebook.screenshot('debugger-evaluate');
  await debug.press('continue');
  await debug.untilDetail('value', '2');
  await debug.press('continue');
  await notebook.untilRun(CALL);
  await expect.poll(() => notebook.output(CALL)).toBe('1006');
});

test('it stops where an exception is raised, if it is told to', async () => {
  const notebook = await NotebookPage.open(lab, ['def half(n):\n    return 1 / n', 'half(0)']);
  const debug = await Debugger.switchOn(notebook);
  await notebook.run(0);
  await debug.toggleExceptions('raised');
  await notebook.start(1);
  await debug.untilStoppedAt(0, 2);
  await expect.poll(async () => (await debug.frames()).map(frame => frame.name)).toEqual(['half', '<module>']);
  await notebook.screenshot('debugger-exception');
  await debug.toggleExceptions('raised');
  await debug.press('continue');
  await notebook.untilRun(1);
  await debug.untilContinued();
  await expect.poll(() => notebook.output(1)).toContain('ZeroDivisionError');
  await notebook.run(1);
});

test('the sources of the kernel are listed and open', async () => {
  const notebook = await NotebookPage.open(lab, ['import json']);
  const debug = await Debugger.switchOn(notebook);
  const source = await debug.openModule('json.decoder');
  await expect.poll(() => source.innerText()).toContain('Implementation of JSONDecoder');
  await notebook.screenshot('debugger-modules');
});

test('a breakpoint in the list leads to its cell, and another click beside the line takes it away', async () => {
  const notebook = await NotebookPage.open(lab, ['x = 1\nx + 1', '2']);
  const debug = await Debugger.switchOn(notebook);
  await debug.breakAt(0, 1);
  await debug.breakAt(0, 2);
  await notebook.select(1);
  await debug.root.locator('.jp-DebuggerBreakpoint').first().click();
  await expect.poll(() => notebook.cell(0).getAttribute('class')).toContain('jp-mod-active');
  await notebook.screenshot('debugger-breakpoints');
  await debug.clickGutter(0, 1);
  await expect.poll(() => debug.breakpoints()).toEqual([2]);
  await expect.poll(() => debug.dots(0)).toEqual([2]);
  await notebook.start(0);
  await debug.untilStoppedAt(0, 2);
});

test('a cell that runs is paused by a button', async () => {
  const code = 'import time\ngo = True\nprint("runs")\nwhile go:\n    time.sleep(0.01)';
  const notebook = await NotebookPage.open(lab, [code]);
  const debug = await Debugger.switchOn(notebook);
  await notebook.start(0);
  await notebook.untilOutput(0, 'runs');
  await debug.press('continue'); // it is the pause button while nothing is stopped
  await expect.poll(async () => (await debug.stoppedAt()).map(({ cell }) => cell)).toEqual([0]);
  await notebook.screenshot('debugger-paused');
  await debug.evaluate('go = False');
  await debug.untilDetail('go', 'False');
  await debug.press('continue');
  await notebook.untilRun(0);
  await debug.untilContinued();
});

test('a stop is ended by a button, and the debugger stays on', async () => {
  const { notebook, debug } = await stopped();
  await debug.press('terminate');
  await notebook.untilRun(CALL);
  await debug.untilContinued();
  await debug.untilOn();
  await expect.poll(() => notebook.output(CALL)).toBe('106');
  await notebook.screenshot('debugger-terminate');
});

test('switched off, cells run through', async () => {
  const { notebook, debug } = await stopped();
  await debug.switchOff();
  await notebook.untilRun(CALL);
  await expect.poll(() => notebook.output(CALL)).toBe('106');
  await notebook.run(CALL);
  await expect.poll(() => debug.frames()).toEqual([]);
  await expect.poll(() => debug.breakpoints()).toEqual([]);
  await notebook.screenshot('debugger-off');
});

test('a page that is loaded again has its breakpoints, and stops at them', async () => {
  const notebook = await NotebookPage.open(lab, CELLS);
  const debug = await Debugger.switchOn(notebook);
  await debug.breakAt(TOTAL, 4);
  await debug.breakAt(DOUBLE, 3);
  await notebook.run(DOUBLE);
  await notebook.run(TOTAL);
  await notebook.command('docmanager:save');
  await notebook.reload();
  await debug.untilOn();
  await debug.show();
  await expect.poll(async () => (await debug.breakpoints()).sort()).toEqual([3, 4]);
  await expect.poll(() => debug.dots(DOUBLE)).toEqual([3]);
  await expect.poll(() => debug.dots(TOTAL)).toEqual([4]);
  await notebook.start(CALL);
  await debug.untilStoppedAt(TOTAL, 4);
  await debug.press('continue');
  await debug.untilStoppedAt(DOUBLE, 3);
  await debug.untilDetail('result', '2');
  await notebook.screenshot('debugger-reload');
});

test('a page that is loaded again while a cell is stopped shows where, and can go on', async () => {
  const { notebook, debug } = await stopped();
  await notebook.command('docmanager:save');
  await notebook.reload();
  await debug.untilOn();
  await debug.show();
  await debug.untilFrame('total', 4); // JupyterLab marks no line in the cell then
  await debug.untilDetail('value', '1');
  await expect.poll(() => debug.dots(TOTAL)).toEqual([4]);
  await notebook.screenshot('debugger-reload-stopped');
  await debug.press('continue');
  await debug.untilDetail('value', '2');
  await debug.press('continue');
  await debug.untilContinued();
  await notebook.start(CALL);
  await debug.untilStoppedAt(TOTAL, 4);
});

test('a restarted kernel is not debugged until it is told to', async () => {
  const { notebook, debug } = await stopped();
  await notebook.command('kernelmenu:restart');
  await notebook.page.locator('.jp-Dialog .jp-mod-accept').click();
  await debug.untilOff();
  await debug.untilContinued();
  await notebook.waitUntilIdle();
  await notebook.screenshot('debugger-restart');
  await debug.button('Enable Debugger').click();
  await debug.untilOn();
  await expect.poll(() => debug.breakpoints()).toEqual([]);
  await debug.breakAt(DOUBLE, 2);
  await notebook.run(DOUBLE);
  await notebook.run(TOTAL);
  await notebook.start(CALL);
  await debug.untilStoppedAt(DOUBLE, 2);
});

test('a kernel that is restarted for debugging has its breakpoints and runs the notebook to the first', async () => {
  const { notebook, debug } = await stopped();
  await notebook.command('debugger:restart-debug');
  await notebook.page.locator('.jp-Dialog .jp-mod-accept').click();
  await debug.untilOn();
  await debug.untilStoppedAt(TOTAL, 4);
  await notebook.screenshot('debugger-restart-and-debug');
});
