// Several documents: what the Running panel lists, and whose interpreters the panel shows.

import { expect, test } from 'vitest';
import { frontend, NotebookPage } from './page';
import { Panel } from './panel';

const lab = frontend('lab');

test('the Running panel lists the interpreters and closes one', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice bob']);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await panel.untilNames('main', 'alice', 'bob');
  await notebook.command('running:show-panel');
  const items = notebook.page.locator('.jp-xinterp-RunningInterpreter');
  const label = '.jp-RunningSessions-itemLabel';
  await expect.poll(() => items.locator(label).allInnerTexts()).toEqual(['main', 'alice', 'bob']);
  await expect
    .poll(() => items.locator('.jp-RunningSessions-itemDetail').allInnerTexts())
    .toEqual(['idle', 'idle', 'idle']);
  const close = items.filter({ hasText: 'alice' }).getByTitle('Close');
  await items.filter({ hasText: 'alice' }).hover();
  await notebook.screenshot('running-panel');
  await close.click();
  await panel.untilNames('main', 'bob');
  await expect.poll(() => items.locator(label).allInnerTexts()).toEqual(['main', 'bob']);
  await expect.poll(() => items.filter({ hasText: 'main' }).getByTitle('Close').count()).toBe(0);
  expect(notebook.errors).toEqual([]);
});

test('with a console in front, the panel shows the kernel of the console', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice']);
  const { page } = notebook;
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await panel.untilNames('main', 'alice');
  await notebook.command('console:create', { kernelPreference: { name: 'xinterp' }, insertMode: 'split-bottom' });
  await panel.untilNames('main');
  await page.locator('.jp-CodeConsole-promptCell .cm-content').click();
  await page.keyboard.type('%interp create carol');
  await page.keyboard.press('Shift+Enter');
  await panel.untilNames('main', 'carol');
  await expect.poll(() => page.locator('.jp-CodeConsole-promptCell .jp-xinterp-CellBadge').innerText()).toBe('main');
  await notebook.screenshot('running-console');
  await notebook.cell(0).locator('.cm-content').click();
  await panel.untilNames('main', 'alice');
  expect(notebook.errors).toEqual([]);
});
