// JupyterLab's debugger on interpreters beside main.

import { expect, test } from 'vitest';
import { Debugger } from './debugger';
import { frontend, NotebookPage } from './page';
import { Panel } from './panel';

const lab = frontend('lab');

test('a cell of another interpreter stops at its third line, where its first says %%interp', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice',
    '%%interp alice\nvalues = [1, 2, 3]\ncount = len(values)\ncount + 39'
  ]);
  const debug = await Debugger.switchOn(notebook);
  await notebook.run(0);
  await debug.breakAt(1, 3);
  await notebook.start(1);
  await debug.untilStoppedAt(1, 3);
  await expect.poll(() => debug.frames()).toEqual([{ name: '[alice] <module>', line: 3 }]);
  await debug.untilDetail('values', 'list');
  await debug.open('values');
  await debug.untilDetail('2', '3');
  await notebook.screenshot('debugger-alice');
  await debug.press('next');
  await debug.untilStoppedAt(1, 4);
  await debug.untilDetail('count', '3');
  await debug.evaluate('count = 40');
  await debug.untilDetail('count', '40');
  await debug.press('continue');
  await notebook.untilRun(1);
  await debug.untilContinued();
  await expect.poll(() => notebook.output(1)).toBe('79');
  expect(notebook.errors).toEqual([]);
});

test('it steps into a function of another cell of the same interpreter', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice',
    '%%interp alice\ndef double(n):\n    result = 2 * n\n    return result',
    '%%interp alice\ndouble(21)'
  ]);
  const debug = await Debugger.switchOn(notebook);
  await debug.breakAt(2, 2);
  await notebook.run(0);
  await notebook.run(1);
  await notebook.start(2);
  await debug.untilStoppedAt(2, 2);
  await debug.press('stepIn');
  await debug.untilStoppedAt(1, 3);
  await debug.press('next');
  await debug.untilStoppedAt(1, 4);
  await debug.untilDetail('result', '42');
  await notebook.screenshot('debugger-alice-step-in');
  await debug.press('continue');
  await notebook.untilRun(2);
  await expect.poll(() => notebook.output(2)).toBe('42');
});

test('while one interpreter is stopped the others run, and the panel is alive', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice bob',
    '%%interp alice &\nx = 1\nx + 41',
    '%%interp bob\n6 * 7',
    '"main"'
  ]);
  const debug = await Debugger.switchOn(notebook);
  await debug.breakAt(1, 3);
  await notebook.run(0);
  await notebook.start(1);
  await debug.untilStoppedAt(1, 3);
  await notebook.run(2);
  await expect.poll(() => notebook.output(2)).toBe('42');
  await notebook.run(3);
  await expect.poll(() => notebook.output(3)).toBe("'main'");
  await expect.poll(() => debug.frames()).toEqual([{ name: '[alice] <module>', line: 3 }]);
  const panel = await Panel.show(notebook);
  await expect.poll(() => panel.state('alice')).toMatch(/^running In \[2\]/);
  await panel.untilState('main', 'idle');
  await panel.untilState('bob', 'idle');
  await panel.create('carol');
  await panel.untilNames('main', 'alice', 'bob', 'carol');
  await notebook.screenshot('debugger-others-run');
  await debug.show();
  await debug.press('continue');
  await notebook.untilOutput(1, '42');
  await (await Panel.show(notebook)).untilState('alice', 'idle');
});

test('a console of the same kernel runs cells in main while alice is stopped', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice', '%%interp alice\nx = 1\nx + 41']);
  const debug = await Debugger.switchOn(notebook);
  await debug.breakAt(1, 3);
  await notebook.run(0);
  await notebook.start(1);
  await debug.untilStoppedAt(1, 3);
  await notebook.command('notebook:create-console');
  await notebook.page.locator('.jp-CodeConsole-promptCell .cm-content').click();
  await notebook.page.waitForFunction(() => {
    // @ts-expect-error: exposeAppInBrowser
    const { currentWidget } = window.jupyterapp.shell;
    const kernel = currentWidget?.sessionContext?.session?.kernel;
    return currentWidget?.node.classList.contains('jp-ConsolePanel') && kernel?.connectionStatus === 'connected';
  });
  await notebook.page.keyboard.type('6 * 7');
  await notebook.page.keyboard.press('Shift+Enter');
  const answers = notebook.page.locator('.jp-CodeConsole .jp-OutputArea-output');
  await expect.poll(() => answers.allInnerTexts()).toContain('42');
  await notebook.screenshot('debugger-console');
  await notebook.cell(0).locator('.cm-content').click();
  await debug.press('continue');
  await notebook.untilOutput(1, '42');
});

test('an interrupt from the panel ends the stop', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice', '%%interp alice\nx = 1\nx + 41', '"main"']);
  const debug = await Debugger.switchOn(notebook);
  await debug.breakAt(1, 3);
  await notebook.run(0);
  await notebook.start(1);
  await debug.untilStoppedAt(1, 3);
  const panel = await Panel.show(notebook);
  await panel.untilState('alice', /^running In \[2\]/);
  await panel.row('alice').getByRole('button', { name: 'Interrupt alice' }).click();
  await panel.untilState('alice', 'idle');
  await notebook.untilOutput(1, 'KeyboardInterrupt');
  await debug.untilContinued();
  await notebook.screenshot('debugger-interrupted');
  await notebook.run(2);
});

test('two interpreters stop one after the other, and each goes on', async () => {
  const code = 'x = 1\nx + 41';
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice bob',
    `%%interp alice &\n${code}`,
    `%%interp bob &\n${code}`
  ]);
  const debug = await Debugger.switchOn(notebook);
  await debug.breakAt(1, 3);
  await debug.breakAt(2, 3);
  await notebook.run(0);
  await notebook.start(1);
  await debug.untilStoppedAt(1, 3);
  await notebook.start(2);
  await debug.untilStoppedAt(2, 3);
  await notebook.screenshot('debugger-two');
  await debug.press('continue');
  await notebook.untilOutput(2, '42');
  await expect.poll(() => notebook.output(1)).toBe('');
  const panel = await Panel.show(notebook);
  await panel.row('alice').getByRole('button', { name: 'Interrupt alice' }).click();
  await notebook.untilOutput(1, 'KeyboardInterrupt');
});
