// The panel in JupyterLab, with the real kernel.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frontend, NotebookPage } from './page';
import { Panel } from './panel';

const lab = frontend('lab');

// C code that keeps the GIL and cannot be interrupted, until there is a file of that name (or no kernel any more).
const inC = (file: string) =>
  `import ctypes\nctypes.PyDLL(None).system(b"while [ ! -e ${file} ] && kill -0 $PPID; do sleep 0.1; done")`;
const FOREVER = 'import time\nwhile True: time.sleep(0.05)';

test('an interpreter is created in the panel and used in a cell', async () => {
  const notebook = await NotebookPage.open(lab, ['%%interp alice\nx = 42\nx']);
  const panel = await Panel.show(notebook);
  await panel.untilNames('main');
  await panel.create('alice');
  await panel.untilNames('main', 'alice');
  await notebook.run(0);
  await expect.poll(() => notebook.output(0)).toBe('42');
  await panel.untilState('alice', 'idle');
  await expect.poll(() => panel.row('alice').innerText()).toMatch(/notebook[^]*1 cell[^]*MB[^]*%interp/);
  await panel.create('alice');
  await expect.poll(() => panel.notices()).toHaveLength(1);
  await expect.poll(async () => (await panel.notices())[0]).toMatch(/^interpreter 'alice' exists already \(id 1\)\./);
  await notebook.screenshot('panel-create');
  expect(notebook.errors).toEqual([]);
});

test('interpreters that code creates and closes appear and go', async () => {
  const code = 'from concurrent import interpreters\nmade = interpreters.create()\nmade.id';
  const notebook = await NotebookPage.open(lab, [code, 'made.close()']);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  const id = await notebook.output(0);
  await panel.untilNames('main', id);
  await expect.poll(() => panel.row(id).innerText()).toMatch(/isolated[^]*Python/);
  await notebook.screenshot('panel-by-code');
  await notebook.run(1);
  await panel.untilNames('main');
});

test('everything is alive while main and all others are in C code', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice',
    `%%interp alice &\n${inC('go')}`,
    inC('go'),
    '"after"'
  ]);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await notebook.start(1);
  await notebook.start(2);
  await panel.untilState('main', /^running In \[\d+\] \d+ s$/);
  await panel.untilState('alice', /^running In \[\d+\] \d+ s$/);
  await panel.choose('alice', 'Rename');
  await panel.root.getByLabel('New name of alice').fill('carol');
  await panel.root.getByLabel('New name of alice').press('Enter');
  await panel.untilNames('main', 'carol');
  await panel.choose('carol', 'Variables');
  await expect.poll(() => panel.root.innerText()).toContain('carol is busy: its variables can be read when');
  await panel.row('carol').getByRole('button', { name: 'Interrupt carol' }).click();
  await panel.untilState('carol', /^not stopping/);
  await expect.poll(() => panel.state('main')).toMatch(/^running/);
  await notebook.screenshot('panel-alive-in-c');
  writeFileSync(join(lab.server.folder, 'go'), '');
  await notebook.untilRun(2);
  await panel.untilState('main', 'idle');
  await panel.untilState('carol', 'idle');
  await notebook.run(3);
  expect(notebook.errors).toEqual([]);
});

test('one of two is interrupted, the other goes on', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice bob',
    `%%interp alice &\n${FOREVER}`,
    `%%interp bob &\n${FOREVER}`
  ]);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await notebook.start(1);
  await notebook.start(2);
  await panel.untilState('alice', /^running/);
  await panel.untilState('bob', /^running/);
  await panel.row('alice').getByRole('button', { name: 'Interrupt alice' }).click();
  await panel.untilState('alice', 'idle');
  await notebook.untilOutput(1, 'KeyboardInterrupt');
  await expect.poll(() => panel.state('bob')).toMatch(/^running/);
  await notebook.screenshot('panel-interrupt');
});

test('a detached cell that asks for input is freed by the panel, and by the stop button', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice', '%%interp alice &\ninput("name? ")', '"run"']);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  for (const free of ['panel', 'stop button']) {
    await notebook.start(1);
    await panel.untilState('alice', /^waits for input/);
    await notebook.start(2);
    // JupyterLab runs nothing while somebody asks.
    const dialog = notebook.page.getByRole('dialog');
    await expect.poll(() => dialog.innerText()).toContain('pending input');
    await notebook.screenshot(`panel-input-${free.replace(' ', '-')}`);
    await dialog.getByRole('button', { name: /ok/i }).click();
    if (free === 'panel') await panel.row('alice').getByRole('button', { name: 'Interrupt alice' }).click();
    else await notebook.command('notebook:interrupt-kernel');
    await panel.untilState('alice', 'idle');
    await notebook.untilOutput(1, 'KeyboardInterrupt');
    await notebook.run(2);
    await expect.poll(() => notebook.output(2)).toBe("'run'");
  }
});

test('closing what holds variables or runs asks first, and is forced then', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice bob',
    '%%interp alice\nx, y = 1, 2',
    `%%interp bob &\n${FOREVER}`
  ]);
  const panel = await Panel.show(notebook);
  const dialog = notebook.page.getByRole('dialog');
  await notebook.run(0);
  await notebook.run(1);
  await notebook.start(2);
  await panel.untilState('bob', /^running/);
  await panel.choose('alice', 'Close');
  await expect.poll(() => dialog.innerText()).toContain('It holds x, y.');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'detached' });
  await expect.poll(() => panel.names()).toEqual(['main', 'alice', 'bob']);
  await panel.choose('bob', 'Close');
  await expect.poll(() => dialog.innerText()).toMatch(/It runs In \[3\]\./);
  await notebook.screenshot('panel-close');
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await panel.untilNames('main', 'alice');
  await notebook.untilOutput(2, 'KeyboardInterrupt');
});

test('resetting gives a fresh interpreter under the same name', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice', '%%interp alice\nx = 1', '%%interp alice\nx']);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await notebook.run(1);
  const old = await panel.row('alice').getAttribute('data-interpreter');
  await panel.choose('alice', 'Reset');
  await notebook.page.getByRole('dialog').getByRole('button', { name: 'Reset' }).last().click();
  await expect.poll(() => panel.row('alice').getAttribute('data-interpreter')).not.toBe(old);
  await notebook.run(2);
  await expect.poll(() => notebook.output(2)).toContain("NameError: name 'x' is not defined");
  await notebook.screenshot('panel-reset');
});

test('a restarted kernel is followed', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice', '%interp create bob']);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await panel.untilNames('main', 'alice');
  await notebook.command('kernelmenu:restart');
  await notebook.page.locator('.jp-Dialog .jp-mod-accept').click();
  await panel.untilNames('main');
  await notebook.page.waitForFunction(
    // @ts-expect-error: exposeAppInBrowser
    () => !window.jupyterapp.shell.currentWidget.sessionContext.isRestarting
  );
  await notebook.waitUntilIdle();
  await notebook.run(1);
  await panel.untilNames('main', 'bob');
  await notebook.screenshot('panel-restart');
});

test('a page that is loaded again finds what runs', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice', `%%interp alice &\n${FOREVER}`]);
  let panel = await Panel.show(notebook);
  await notebook.run(0);
  await notebook.start(1);
  await panel.untilState('alice', /^running/);
  await notebook.command('docmanager:save');
  await notebook.reload();
  panel = await Panel.show(notebook);
  await panel.untilState('alice', /^running In \[2\] /);
  await notebook.screenshot('panel-reload');
  await panel.row('alice').getByRole('button', { name: 'Interrupt alice' }).click();
  await panel.untilState('alice', 'idle');
});

test('a panel that was out of sight when the page was loaded again has its list open', async () => {
  const notebook = await NotebookPage.open(lab, ['1']);
  await (await Panel.show(notebook)).untilNames('main');
  const saved = notebook.page.waitForResponse(
    response => response.url().includes('/api/workspaces') && response.request().method() === 'PUT'
  );
  await notebook.command('property-inspector:show-panel');
  await saved;
  await notebook.reload();
  await (await Panel.show(notebook)).untilNames('main');
  await notebook.screenshot('panel-out-of-sight');
});

test('a lost connection is told, and what happened meanwhile is known when it is back', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice', '%%interp alice\n1']);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await panel.untilNames('main', 'alice');
  await notebook.disconnect();
  await expect.poll(() => panel.root.innerText()).toContain('The connection to the kernel is lost.');
  await notebook.screenshot('panel-lost');
  notebook.connect();
  await expect.poll(() => panel.root.innerText()).not.toContain('lost');
  await notebook.run(1);
  await panel.untilState('alice', 'idle');
});

test('variables are shown, and two interpreters compared', async () => {
  const notebook = await NotebookPage.open(
    lab,
    [
      '%interp create alice bob',
      '%%interp alice\nimport math\ndata = memoryview(bytearray(1_000_000))\nname, count, only = "alice", 3, [1, 2]',
      '%interp share data --from alice --to bob',
      '%%interp bob\nname, count = "bob", 3'
    ],
    { height: 1100 }
  );
  const panel = await Panel.show(notebook);
  for (const cell of [0, 1, 2, 3]) await notebook.run(cell);
  await panel.choose('alice', 'Variables');
  const variables = panel.root.getByRole('table', { name: 'Variables of alice' });
  await variables.waitFor();
  await expect
    .poll(async () => (await variables.getByRole('row').allInnerTexts()).map(text => text.split(/\s/)[0]))
    .toEqual(['Name', 'count', 'data', 'math', 'name', 'only']);
  await panel.choose('alice', 'Compare');
  await notebook.page.getByRole('dialog').getByRole('combobox').selectOption('bob');
  await notebook.page.locator('.jp-Dialog .jp-mod-accept').click();
  const pair = panel.root.getByRole('table', { name: 'alice and bob compared' });
  await pair.waitFor();
  const chips = async () =>
    (await pair.locator('.jp-xinterp-Pair-name').allInnerTexts()).map(chip =>
      chip
        .replace(/[^\w ]/g, ' ')
        .replace(/\s+/g, ' ')
        .trim()
    );
  await expect
    .poll(chips)
    .toEqual(['count equal', 'data same memory', 'math only in alice', 'name differs', 'only only in alice']);
  await notebook.screenshot('panel-compare');
  expect(notebook.errors).toEqual([]);
});

test('detached cells of two interpreters overlap in the timeline', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice bob',
    '%%interp alice &\nimport os, time\nwhile not os.path.exists("bob-runs"): time.sleep(0.05)\ntime.sleep(1)',
    '%%interp bob &\nimport time\nopen("bob-runs", "x").close()\ntime.sleep(2)'
  ]);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await notebook.start(1);
  await notebook.start(2);
  await notebook.untilRun(1);
  await notebook.untilRun(2);
  const bar = (label: RegExp) => panel.root.getByLabel(label);
  const [a, b] = await Promise.all(
    [/^In \[2\] in alice, \d+\.\d s, ok/, /^In \[3\] in bob, \d+\.\d s, ok/].map(async label => {
      await bar(label).first().waitFor();
      return (await bar(label).first().boundingBox())!;
    })
  );
  expect(a!.x).toBeLessThan(b!.x + b!.width);
  expect(b!.x).toBeLessThan(a!.x + a!.width);
  expect(a!.y).not.toBe(b!.y);
  await notebook.screenshot('panel-timeline');
});

test('hostile names and values are text', async () => {
  const evil = '<img src=x onerror=window.hacked=1>';
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice',
    `%%interp alice\nclass Evil:\n    def __repr__(self): raise SystemExit\nEvil.__name__ = '${evil}'\ne = Evil()\ntext = '${evil}'\n`,
    `%%interp "${evil}"\n1`
  ]);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await notebook.run(1);
  await notebook.run(2);
  await panel.choose('alice', 'Variables');
  const variables = panel.root.getByRole('table', { name: 'Variables of alice' });
  await variables.waitFor();
  await expect.poll(() => variables.innerText()).toContain(`'${evil}'`);
  await expect.poll(() => variables.innerText()).toMatch(new RegExp(`(^|[^'])${evil}`, 'm'));
  await expect.poll(() => notebook.cell(2).locator('.jp-xinterp-CellBadge').innerText()).toContain(evil);
  await notebook.screenshot('panel-hostile');
  // @ts-expect-error: what the hostile code would have set
  await expect.poll(() => notebook.page.evaluate(() => window.hacked)).toBeUndefined();
});

test('the dark theme has all of it', async () => {
  const notebook = await NotebookPage.open(lab, [
    '%interp create alice bob',
    '%%interp alice,bob\nprint("hello")',
    `%%interp alice &\n${FOREVER}`
  ]);
  await notebook.command('apputils:change-theme', { theme: 'JupyterLab Dark' });
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await notebook.run(1);
  await notebook.start(2);
  await panel.untilState('alice', /^running/);
  const colours = (locator: ReturnType<Panel['row']>) =>
    locator.evaluate(node => {
      const style = getComputedStyle(node);
      return [style.color, getComputedStyle(document.body).getPropertyValue('--jp-layout-color1').trim()];
    });
  const [text, background] = await colours(panel.row('bob').locator('.jp-xinterp-Label-text'));
  expect(background).toMatch(/^#([0-4])/);
  expect(text).toMatch(/^rgba?\(2\d\d, 2\d\d, 2\d\d|^rgba?\(255/);
  await notebook.screenshot('panel-dark');
  await notebook.command('apputils:change-theme', { theme: 'JupyterLab Light' }); // it is the server's
  await expect.poll(() => notebook.page.evaluate(() => document.body.dataset['jpThemeLight'])).toBe('true');
});

test('a kernel that is no xinterp is told in a sentence', async () => {
  const notebook = await NotebookPage.open(lab, ['1'], { kernel: 'python3' });
  const panel = await Panel.show(notebook);
  await expect.poll(() => panel.root.innerText()).toMatch(/is no xinterp kernel: it has one interpreter\./);
  await expect.poll(() => notebook.page.locator('.jp-xinterp-CellBadge').count()).toBe(0);
  await notebook.screenshot('panel-other-kernel');
});

test(
  'five hundred interpreters are listed, and a change of one draws its row alone',
  { timeout: 360_000 },
  async () => {
    const notebook = await NotebookPage.open(lab, [
      '%interp create alice',
      'import xinterp\nmade = xinterp.create(n=499)',
      '%%interp alice\n1'
    ]);
    const panel = await Panel.show(notebook);
    await notebook.run(0);
    await notebook.start(1);
    await expect.poll(() => panel.rows.count(), { timeout: 240_000 }).toBe(501);
    await notebook.untilRun(1);
    await panel.untilState('main', 'idle');
    const drawn = panel.root.evaluate(
      root =>
        new Promise<string[]>(done => {
          const rows = new Set<string>();
          new MutationObserver(changes => {
            for (const { target } of changes) {
              const node = target instanceof Element ? target : target.parentElement;
              const row = node?.closest('[data-interpreter]');
              if (row) rows.add(row.getAttribute('data-interpreter')!);
              if (row?.textContent?.includes('1 cell')) done([...rows]);
            }
          }).observe(root, { subtree: true, childList: true, characterData: true, attributes: true });
        })
    );
    await notebook.run(2);
    expect(await drawn).toEqual(['1']);
    await panel.rows.last().scrollIntoViewIfNeeded();
    await notebook.screenshot('panel-500');
    expect(notebook.errors).toEqual([]);
  }
);

test('all of it is reached with the keyboard', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice bob', '%%interp alice\nx = 1']);
  const panel = await Panel.show(notebook);
  await notebook.run(0);
  await notebook.run(1);
  await panel.untilNames('main', 'alice', 'bob');
  const { keyboard } = notebook.page;
  await panel.row('main').focus();
  await keyboard.press('ArrowDown');
  await expect.poll(() => panel.row('alice').evaluate(row => row === document.activeElement)).toBe(true);
  await keyboard.press('Enter');
  await panel.root.getByRole('table', { name: 'Variables of alice' }).waitFor();
  await panel.row('alice').focus();
  await keyboard.press('F2');
  await keyboard.type('carol');
  await keyboard.press('Enter');
  await panel.untilNames('main', 'carol', 'bob');
  await keyboard.press('End');
  await keyboard.press('Delete');
  await panel.untilNames('main', 'carol');
  await panel.row('carol').focus();
  await keyboard.press('Tab');
  await keyboard.press('Tab');
  await keyboard.press('Tab');
  await keyboard.press('Enter'); // its menu
  await notebook.page.locator('.lm-Menu-item', { hasText: 'Run plain cells in carol' }).waitFor();
  await notebook.screenshot('panel-keyboard');
  await keyboard.press('Escape');
  expect(notebook.errors).toEqual([]);
});
