import { act, fireEvent, render, screen, within } from '@testing-library/react';
import { expect, test } from 'vitest';
import { Compare } from '../../src/panel/compare';
import type { Difference, Variable } from '../../src/protocol';
import { interpreter } from '../fakes';
import { type Fixture, panelOf } from './fixtures';

const held = (name: string, value: string, more: Partial<Variable> = {}): Variable => ({
  name,
  type: 'int',
  size: 28,
  value,
  ...more
});
const DIFFERENCES: Difference[] = [
  { name: 'b', a: held('b', '14 B', { address: 4096 }), b: held('b', '14 B', { address: 4096 }), same: 'same memory' },
  { name: 'f', a: held('f', '<f>'), b: held('f', '<f>'), same: 'looks equal' },
  { name: 'x', a: held('x', '42'), b: held('x', '42'), same: 'equal' },
  { name: 'y', a: held('y', '1'), b: held('y', '2'), same: 'differs' },
  { name: 'z', a: null, b: held('z', '<i>3</i>'), same: 'only in alice' }
];

async function show(panel: Fixture, answer: Difference[] | string): Promise<Fixture> {
  panel.connection.answers = () => (typeof answer === 'string' ? answer : { value: answer, text: '' });
  await act(async () => void render(<Compare state={panel.state} />));
  return panel;
}

const says = () => screen.getByRole('status').textContent;

test('two interpreters stand side by side under their names, and sameness is told in words', async () => {
  await show(panelOf(), DIFFERENCES);
  expect(screen.getAllByRole('columnheader').map(cell => cell.textContent)).toEqual(['main', 'alice']);
  const groups = [...screen.getByRole('table').querySelectorAll('tbody')].map(group => ({
    name: group.querySelector('th')!.textContent,
    cells: within(group)
      .getAllByRole('cell')
      .map(cell => cell.textContent)
  }));
  expect(groups).toEqual([
    { name: 'bsame memory', cells: ['14 Bint, 28 Bone buffer at 0x1000: both see it'] },
    { name: 'f≈looks equal', cells: ['<f>int, 28 B', '<f>int, 28 B'] },
    { name: 'x=equal', cells: ['42int, 28 B', '42int, 28 B'] },
    { name: 'y≠differs', cells: ['1int, 28 B', '2int, 28 B'] },
    { name: 'z◐only in alice', cells: ['not there', '<i>3</i>int, 28 B'] }
  ]);
  expect(says()).toBe('5 names: 1 same memory, 1 equal, 1 looks equal, 1 differs, 1 in one only');
});

test('other two are compared when they are chosen, and the same two again', async () => {
  const panel = await show(panelOf(), DIFFERENCES);
  await act(
    async () => void fireEvent.change(screen.getByRole('combobox', { name: 'with' }), { target: { value: 2 } })
  );
  await act(
    async () => void fireEvent.change(screen.getByRole('combobox', { name: 'Compare' }), { target: { value: 1 } })
  );
  await act(async () => void fireEvent.click(screen.getByRole('button', { name: 'Compare them again' })));
  expect(panel.connection.requests.map(request => 'targets' in request && request.targets)).toEqual([
    [0, 1],
    [0, 2],
    [1, 2],
    [1, 2]
  ]);
});

test("the kernel's refusal is told", async () => {
  await show(panelOf(), 'alice is busy.');
  expect(says()).toBe('alice is busy.');
  expect(screen.queryByRole('table')).toBeNull();
});

test('two without variables say so', async () => {
  await show(panelOf(), []);
  expect(says()).toBe('Neither has a variable.');
});

test('one interpreter has nothing to be compared with', async () => {
  const { connection } = await show(panelOf(interpreter()), []);
  expect(screen.getByText('There is one interpreter. Create another one to compare it with.')).toBeTruthy();
  expect(connection.requests).toEqual([]);
});
