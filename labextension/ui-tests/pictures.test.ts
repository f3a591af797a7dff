// The pictures of the README and the docs: `make screenshots` puts them into docs/images/.

import { expect, test } from 'vitest';
import { frontend, NotebookPage } from './page';
import { Panel } from './panel';

const lab = frontend('lab');

const SEARCH = (first: number) =>
  `def is_prime(n):\n    return all(n % d for d in range(2, int(n ** 0.5) + 1))\n\nprimes = [n for n in range(${first}, 10**12) if is_prime(n)]`;

test('two interpreters at work', async () => {
  const notebook = await NotebookPage.open(
    lab,
    [
      '%interp create alice bob',
      '%%interp alice\nimport math\nmath.pi = 3',
      '%%interp alice,bob\nimport math\nprint("pi is", math.pi)',
      `%%interp alice &\n${SEARCH(1_000_000)}`,
      `%%interp bob &\n${SEARCH(2_000_000)}`,
      'sum(range(100))'
    ],
    { width: 1240, height: 860 }
  );
  await notebook.command('application:toggle-left-area');
  const panel = await Panel.show(notebook);
  for (const cell of [0, 1, 2]) await notebook.run(cell);
  await notebook.start(3);
  await notebook.start(4);
  await panel.untilState('bob', /^running/);
  await notebook.run(5);
  await expect.poll(() => notebook.output(2)).toMatch(/\[alice\] pi is 3\n|\[bob\] pi is 3\.14/);
  await expect.poll(() => panel.state('alice')).toMatch(/ [3-9] s$/);
  await notebook.screenshot('readme-panel');
  await notebook.command('notebook:interrupt-kernel');
  await panel.untilState('alice', 'idle');
  await panel.untilState('bob', 'idle');
});

test('two interpreters compared', async () => {
  const notebook = await NotebookPage.open(
    lab,
    [
      '%interp create alice bob',
      '%%interp alice\nimage = memoryview(bytearray(1_000_000))\nname, limit, colours = "alice", 10, ["red", "green"]',
      '%interp share image --from alice --to bob',
      '%%interp bob\nname, limit = "bob", 10\nimage[0] = 255',
      '%%interp alice\nimage[0]'
    ],
    { width: 1240, height: 1020 }
  );
  await notebook.command('application:toggle-left-area');
  const panel = await Panel.show(notebook);
  for (const cell of [0, 1, 2, 3, 4]) await notebook.run(cell);
  await expect.poll(() => notebook.output(4)).toBe('255');
  await panel.choose('alice', 'Compare');
  await notebook.page.getByRole('dialog').getByRole('combobox').selectOption('bob');
  await notebook.page.locator('.jp-Dialog .jp-mod-accept').click();
  await panel.root.getByRole('table', { name: 'alice and bob compared' }).waitFor();
  await notebook.screenshot('readme-compare');
});
