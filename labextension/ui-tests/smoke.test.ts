import { expect, test } from 'vitest';
import { frontend, NotebookPage } from './page';

const lab = frontend('lab');

test('a cell runs', async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice', '%%interp alice\nx = 5\nx']);
  await notebook.run(0);
  await notebook.run(1);
  expect(await notebook.output(1)).toBe('5');
  await notebook.screenshot('smoke');
  expect(notebook.errors).toEqual([]);
});
