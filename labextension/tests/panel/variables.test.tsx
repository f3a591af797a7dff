import { act, fireEvent, render, screen, within } from '@testing-library/react';
import { beforeEach, expect, test } from 'vitest';
import { Variables } from '../../src/panel/variables';
import type { Variable } from '../../src/protocol';
import { alice, interpreter } from '../fakes';
import { type Fixture, panelOf } from './fixtures';

const HELD: Variable[] = [
  { name: 'frame', type: 'DataFrame', size: 1500, value: '<script>alert(1)</script>' },
  { name: 'x', type: 'int', size: 28, value: '42' }
];

let panel: Fixture;

async function show(answer: Variable[] | string): Promise<void> {
  panel = panelOf(interpreter(), alice());
  panel.connection.answers = () => (typeof answer === 'string' ? answer : { value: answer, text: '' });
  await act(async () => void render(<Variables state={panel.state} />));
}

const rows = () => screen.getAllByRole('row').map(row => [...row.children].map(cell => cell.textContent));
const says = () => screen.getByRole('status').textContent;

beforeEach(() => show(HELD));

test('variables are told by name, type, size and value, as text', () => {
  expect(rows()).toEqual([
    ['Name', 'Type', 'Size', 'Value'],
    ['frame', 'DataFrame', '1 KB', '<script>alert(1)</script>'],
    ['x', 'int', '28 B', '42']
  ]);
  expect(says()).toBe('2 variables in main');
  expect(document.querySelector('script')).toBeNull();
});

test('another interpreter is asked when it is chosen, and the same one again', async () => {
  await act(
    async () => void fireEvent.change(screen.getByRole('combobox', { name: 'Variables of' }), { target: { value: 1 } })
  );
  await act(async () => void fireEvent.click(screen.getByRole('button', { name: 'Read the variables again' })));
  expect(panel.connection.requests).toEqual([0, 1, 1].map(id => ({ command: 'vars', targets: [id] })));
  expect(says()).toBe('2 variables in alice');
});

test('an older question is cancelled by a newer one, and its answer is passed over', async () => {
  let late = (_: { value: unknown; text: string }): void => undefined;
  panel.connection.answers = () => new Promise(resolve => (late = resolve));
  await act(async () => (panel.state.variablesOf = 1));
  expect(says()).toBe('Reading.');
  panel.connection.answers = () => ({ value: [HELD[1]], text: '' });
  await act(async () => (panel.state.variablesOf = 0));
  expect(panel.connection.signals.map(signal => signal!.aborted)).toEqual([true, true, false]);
  await act(async () => late({ value: HELD, text: '' }));
  expect(says()).toBe('1 variable in main');
});

test('the filter finds names and types', () => {
  fireEvent.change(screen.getByRole('searchbox', { name: 'Filter by name or type' }), { target: { value: 'FRAME' } });
  expect(
    within(screen.getByRole('table'))
      .getAllByRole('rowheader')
      .map(cell => cell.textContent)
  ).toEqual(['frame']);
  expect(says()).toBe('1 of 2 variables in main');
  fireEvent.change(screen.getByRole('searchbox'), { target: { value: 'nothing' } });
  expect(screen.queryByRole('table')).toBeNull();
});

test("a busy interpreter is told in the kernel's sentence", async () => {
  document.body.replaceChildren();
  await show('main is busy: its variables cannot be read now.');
  expect(says()).toBe('main is busy: its variables cannot be read now.');
  expect(screen.queryByRole('table')).toBeNull();
});

test('an interpreter without variables says so', async () => {
  document.body.replaceChildren();
  await show([]);
  expect(says()).toBe('main has no variables.');
});

test('main is shown when the one that was chosen is gone', async () => {
  await act(async () => (panel.state.variablesOf = 1));
  await act(async () => panel.connection.tell({ type: 'event', sequence: 1, time: 0, gone: [1] }));
  expect(panel.connection.requests.at(-1)).toEqual({ command: 'vars', targets: [0] });
});
