// What cells show of where they run.

import { expect, test } from 'vitest';
import { frontend, NotebookPage } from './page';
import { Panel } from './panel';

const lab = frontend('lab');

const badge = (notebook: NotebookPage, index: number) => notebook.cell(index).locator('.jp-xinterp-CellBadge');

test('a badge names the interpreter of its cell, and its menu rewrites the first line', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create bob alice',
    '# first\n%%interp alice --timeout 5  # why\nimport _xinterp\n_xinterp.interpreter',
    '1 + 1'
  ]);
  await notebook.run(0);
  await expect.poll(() => badge(notebook, 1).innerText()).toBe('alice');
  await expect.poll(() => badge(notebook, 0).innerText()).toBe('kernel');
  await expect.poll(() => badge(notebook, 2).innerText()).toBe('main');
  // Until the panel has been told of them: a menu lists who is known when it opens.
  await expect.poll(() => badge(notebook, 1).getAttribute('class')).not.toMatch(/jp-mod-(later|unknown)/);
  await badge(notebook, 1).click();
  await notebook.page.locator('.lm-Menu-item', { hasText: /^bob/ }).click();
  await expect.poll(() => badge(notebook, 1).innerText()).toBe('bob');
  await expect
    .poll(() => notebook.source(1))
    .toBe('# first\n%%interp bob --timeout 5  # why\nimport _xinterp\n_xinterp.interpreter');
  await notebook.run(1);
  await expect.poll(() => notebook.output(1)).toBe('1');
  await badge(notebook, 2).click();
  await notebook.screenshot('cells-badge-menu');
  await notebook.page.locator('.lm-Menu-item', { hasText: /^alice/ }).click();
  await expect.poll(() => notebook.source(2)).toBe('%%interp alice\n1 + 1');
  await notebook.command('docmanager:save');
  await expect.poll(() => lab.server.read(notebook.name)[2]).toBe('%%interp alice\n1 + 1');
  expect(notebook.errors).toEqual([]);
});

test('plain cells show where %interp use sends them, unknown targets look different', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice',
    '1',
    '%interp use alice',
    '%%interp nobody\n1',
    '%%interp later --create\n1'
  ]);
  await notebook.run(0);
  await expect.poll(() => badge(notebook, 1).innerText()).toBe('main');
  await notebook.run(1);
  await notebook.run(2);
  await expect.poll(() => badge(notebook, 1).getAttribute('title')).toBe('Ran in main. Plain cells go to alice.');
  expect(await badge(notebook, 1).innerText()).toBe('main');
  await notebook.reload();
  await expect.poll(() => badge(notebook, 1).getAttribute('title')).toBe('Ran in main. Plain cells go to main.');
  await notebook.run(2);
  await notebook.run(1);
  await expect.poll(() => badge(notebook, 1).innerText()).toBe('alice');
  await expect.poll(() => badge(notebook, 3).getAttribute('class')).toContain('jp-mod-unknown');
  await expect
    .poll(() => badge(notebook, 3).getAttribute('title'))
    .toBe('There is no interpreter nobody. It is created by %interp create nobody');
  await expect.poll(() => badge(notebook, 4).textContent()).toBe('later+');
  const status = notebook.page.locator('.jp-xinterp-Status');
  await expect.poll(() => status.innerText()).toContain('alice');
  await notebook.screenshot('cells-use');
});

test('a notebook that is opened again knows what its cells create, and says of two targets both', async () => {
  const notebook = await NotebookPage.open(lab, [
    'x = 1\n%interp create alice bob',
    '%%interp alice,bob\nprint(1)',
    '%%interp carol\n1'
  ]);
  const kind = (index: number) => expect.poll(() => badge(notebook, index).getAttribute('class'));
  await kind(1).toContain('jp-mod-later');
  await kind(2).toContain('jp-mod-unknown');
  const rows = badge(notebook, 1).locator('.jp-xinterp-CellBadge-text');
  for (const row of await rows.all())
    expect(await row.evaluate(node => node.scrollWidth <= node.clientWidth)).toBe(true);
  expect(await rows.allInnerTexts()).toEqual(['alice', 'bob']);
  await notebook.run(0);
  await notebook.run(1);
  await kind(1).toContain('jp-mod-known');
  await notebook.run(0); // as at the second Run All
  await notebook.untilOutput(0, 'alice exists already (id 1): this cell made it.');
});

test('progress bars of two targets are redrawn in their places', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice bob',
    '%%interp alice,bob\nimport time\nfrom tqdm import tqdm\nfor i in tqdm(range(20)): time.sleep(0.1)'
  ]);
  await notebook.run(0);
  await notebook.run(1);
  const lines = async () => (await notebook.output(1)).split('\n').filter(line => line.trim() !== '');
  await expect
    .poll(async () => (await lines()).map(line => line.slice(0, 12)).sort())
    .toEqual(['[alice] 100%', '[bob] 100%|█']);
});

test('a kernel that dies leaves a word below the cell', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice',
    '%%interp alice\nimport os, time\nprint("soon")\ntime.sleep(1)\nos.kill(os.getpid(), 9)'
  ]);
  await notebook.run(0);
  await notebook.start(1);
  await notebook.untilOutput(1, 'The kernel died while this cell ran in alice.');
});

test('a running detached cell shows it, also after a reload, and the status bar counts', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice bob',
    '%%interp alice &\nimport time\nwhile True: time.sleep(0.05)',
    '%%interp bob &\nimport time\nwhile True: time.sleep(0.05)'
  ]);
  const running = (index: number) => expect.poll(() => badge(notebook, index).getAttribute('class'));
  await notebook.run(0);
  await notebook.start(1);
  await notebook.start(2);
  await running(1).toContain('jp-mod-running');
  await running(2).toContain('jp-mod-running');
  await expect.poll(() => notebook.page.locator('.jp-xinterp-Status').innerText()).toContain('2 running');
  await notebook.command('docmanager:save');
  await notebook.reload();
  await running(1).toContain('jp-mod-running');
  await expect.poll(() => badge(notebook, 1).getAttribute('aria-label')).toBe('Runs in alice');
  await notebook.screenshot('cells-running');
  await notebook.command('notebook:interrupt-kernel');
  await running(1).not.toContain('jp-mod-running');
  await running(2).not.toContain('jp-mod-running');
});

test('the names before the output of several targets have the colours of the panel and the badges', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice bob', '%%interp alice,bob\nprint("hello")']);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await notebook.run(1);
  for (const name of ['alice', 'bob']) {
    const colour = (locator: ReturnType<Panel['row']>, property: string) =>
      locator.evaluate((node, property) => getComputedStyle(node).getPropertyValue(property), property);
    const dot = await colour(panel.row(name).locator('.jp-xinterp-Dot'), 'background-color');
    const head = notebook.cell(1).locator('.jp-OutputArea-output span', { hasText: `[${name}]` });
    await expect.poll(() => colour(head, 'color')).toBe(dot);
    const index = name === 'alice' ? 0 : 1;
    await expect
      .poll(() => colour(badge(notebook, 1).locator('.jp-xinterp-CellBadge-dot').nth(index), 'color'))
      .toBe(dot);
  }
  await notebook.screenshot('cells-colours');
});

test('a cell is inserted for an interpreter, and the selected one run in it', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice', 'import _xinterp\n_xinterp.interpreter']);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await notebook.select(1);
  await panel.row('alice').getByRole('button', { name: 'Run the selected cell in alice' }).click();
  await notebook.untilOutput(1, '1');
  await expect.poll(() => notebook.source(1)).toBe('%%interp alice\nimport _xinterp\n_xinterp.interpreter');
  await panel.row('alice').getByRole('button', { name: 'Insert a cell for alice' }).click();
  await notebook.cell(2).locator('.cm-focused').waitFor();
  await notebook.page.keyboard.type('x = 1');
  await expect.poll(() => notebook.source(2)).toBe('%%interp alice\nx = 1');
  await notebook.screenshot('cells-insert');
});
