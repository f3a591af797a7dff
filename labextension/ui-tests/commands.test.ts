// The commands where a person finds them: the palette, the Kernel menu, the keyboard.

import { type Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import { frontend, NotebookPage } from './page';
import { Panel } from './panel';

const lab = frontend('lab');

/** What a menu or the palette offers, with the keys beside it. */
async function offered(list: Locator, kind: 'Menu' | 'CommandPalette'): Promise<string[]> {
  return list.locator(`.lm-${kind}-item`).evaluateAll((items, kind) => {
    const part = (item: Element, name: string) => item.querySelector(`.lm-${kind}-${name}`)?.textContent ?? '';
    return items.map(item => `${part(item, 'itemLabel')} ${part(item, 'itemShortcut')}`.trim());
  }, kind);
}

test('the commands are in the palette, with their keys', async () => {
  const notebook = await NotebookPage.open(lab, ['1']);
  await (await Panel.show(notebook)).untilNames('main');
  await notebook.page.keyboard.press('Control+Shift+C');
  const palette = notebook.page.locator('.lm-CommandPalette');
  await palette.locator('input').fill('interpreters');
  await expect.poll(() => palette.locator('.lm-CommandPalette-header').allInnerTexts()).toEqual(['Interpreters']);
  await expect
    .poll(async () => (await offered(palette, 'CommandPalette')).sort())
    .toEqual([
      'Choose interpreter of the cell… T, T',
      'Close an interpreter…',
      'Compare an interpreter with…',
      'Detached (&) T, D',
      'Insert a cell for… T, B',
      'Interpreters Alt+Shift+I',
      'Interrupt all interpreters',
      'Interrupt an interpreter',
      'Interrupt what the cell runs in T, I',
      'New interpreter for the cell…',
      'New interpreter…',
      'Rename an interpreter…',
      'Reset an interpreter…',
      'Run plain cells in an interpreter',
      'Run the selected cell in… T, R',
      'Show variables of an interpreter',
      'Wait for an interpreter'
    ]);
  await notebook.screenshot('commands-palette');
  await palette.locator('input').fill('New interpreter for');
  await notebook.page.keyboard.press('Enter');
  const dialog = notebook.page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('alice');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await expect.poll(() => notebook.source(0)).toBe('%%interp alice\n1');
});

test('the commands are in the Kernel menu', async () => {
  const notebook = await NotebookPage.open(lab, ['1']);
  const { page } = notebook;
  await page.getByRole('menuitem', { name: 'Kernel' }).click();
  await page.locator('.lm-Menu-item', { hasText: 'Interpreters' }).hover();
  const menu = page.locator('.lm-Menu').last();
  await menu.locator('.lm-Menu-item', { hasText: 'New interpreter…' }).waitFor();
  await expect
    .poll(() => offered(menu, 'Menu'))
    .toEqual([
      'Interpreters Alt+Shift+I',
      'New interpreter…',
      '',
      'Choose interpreter of the cell… T, T',
      'Detached (&) T, D',
      'Run the selected cell in… T, R',
      'Insert a cell for… T, B',
      '',
      'Interrupt what the cell runs in T, I',
      'Run plain cells in an interpreter',
      'Wait for an interpreter',
      'Show variables of an interpreter',
      'Compare an interpreter with…',
      '',
      'Rename an interpreter…',
      'Reset an interpreter…',
      'Close an interpreter…'
    ]);
  await notebook.screenshot('commands-menu');
  await menu.locator('.lm-Menu-item', { hasText: /^Interpreters/ }).click();
  await page.locator('.jp-xinterp-Panel').waitFor();
});

test('the commands are on their keys', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice bob',
    'import time\nwhile True: time.sleep(0.05)'
  ]);
  const { page } = notebook;
  const panel = new Panel(notebook);
  const menu = page.locator('.jp-xinterp-CellMenu');
  /** Two keys that open a menu, in which the interpreter is picked with the keyboard. */
  const pick = async (keys: string, name: string) => {
    for (const key of keys) await page.keyboard.press(key);
    const items = menu.locator('.lm-Menu-item');
    await items.first().waitFor();
    const labels = await items.allInnerTexts();
    for (let i = labels.findIndex(label => label.includes(name)); i >= 0; --i) await page.keyboard.press('ArrowDown');
    await notebook.screenshot(`commands-keys-${keys}`);
    await page.keyboard.press('Enter');
    await menu.waitFor({ state: 'detached' });
  };
  await page.keyboard.press('Alt+Shift+I');
  await panel.root.waitFor();
  await notebook.run(0);
  await panel.untilNames('main', 'alice', 'bob');
  await notebook.select(1);
  await page.keyboard.press('Escape');
  await pick('tt', 'alice');
  await expect.poll(() => notebook.source(1)).toMatch(/^%%interp alice\n/);
  await page.keyboard.press('t');
  await page.keyboard.press('d');
  await expect.poll(() => notebook.source(1)).toMatch(/^%%interp alice &\n/);
  await pick('tr', 'bob');
  await expect.poll(() => notebook.source(1)).toMatch(/^%%interp bob &\n/);
  await panel.untilState('bob', /^running/);
  await page.keyboard.press('t');
  await page.keyboard.press('i');
  await panel.untilState('bob', 'idle');
  await notebook.untilOutput(1, 'KeyboardInterrupt');
  await pick('tb', 'alice');
  await notebook.cell(2).locator('.cm-focused').waitFor();
  await expect.poll(() => notebook.source(2)).toBe('%%interp alice\n');
  expect(notebook.errors).toEqual([]);
});
