import { Dialog } from '@jupyterlab/apputils';
import { configure, screen } from '@testing-library/react';
import { afterEach, describe, expect, test } from 'vitest';
import { confirmEnd, losses } from '../../src/panel/confirm';
import type { Interpreter } from '../../src/protocol';
import { alice, event, interpreter, run } from '../fakes';
import { panelOf } from './fixtures';

configure({ defaultHidden: true }); // jsdom knows no open <dialog>

const held = (...names: string[]) => ({
  value: names.map(name => ({ name, type: 'int', size: 28, value: '1' })),
  text: ''
});

function kernelWith(row: Interpreter, answer: ReturnType<typeof held> | string) {
  const panel = panelOf(interpreter(), row);
  panel.connection.answers = () => answer;
  return panel;
}

describe('what is lost with an interpreter', () => {
  test('is nothing if it is idle and has no variables', async () => {
    expect(await losses(kernelWith(alice(), held()).model, alice())).toEqual([]);
  });

  test('is what it holds, of which a few are named', async () => {
    expect(await losses(kernelWith(alice(), held('x', 'y')).model, alice())).toEqual(['It holds x, y.']);
    expect(await losses(kernelWith(alice(), held('a', 'b', 'c', 'd', 'e', 'f')).model, alice())).toEqual([
      'It holds a, b, c, d, e and 1 more variable.'
    ]);
  });

  test('is what it runs and what waits for it; its variables are not asked for', async () => {
    const row = alice({ state: 'running', run: 5, queued: 1 });
    const { model, connection } = kernelWith(row, held('x'));
    connection.tell(event(11, { runs: [run()] }));
    expect(await losses(model, row)).toEqual(['It runs In [7].', '1 cell waits for it.']);
    expect(connection.requests).toEqual([]);
  });

  test('is not known if the kernel cannot tell, and its sentence says so', async () => {
    expect(await losses(kernelWith(alice(), 'alice is busy.').model, alice())).toEqual(['alice is busy.']);
  });
});

describe('the question', () => {
  afterEach(() => Dialog.flush());

  test('is not asked if nothing is lost', async () => {
    expect(await confirmEnd(kernelWith(alice(), held()).model, alice(), 'Close')).toEqual({ force: false });
  });

  test.each([
    ['Close', { force: true }],
    ['Cancel', null]
  ] as const)('says what is lost, and %s is the answer', async (answer, sure) => {
    const asked = confirmEnd(kernelWith(alice(), held('x')).model, alice(), 'Close');
    const dialog = await screen.findByRole('dialog');
    expect(dialog.textContent).toContain('Close alice?It holds x. This will be lost.');
    screen.getByRole('button', { name: answer }).click();
    expect(await asked).toEqual(sure);
  });
});
