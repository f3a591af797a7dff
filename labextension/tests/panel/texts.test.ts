import { expect, test } from 'vitest';
import { bytes, count, duration, facts, runLabel, stateOf, what } from '../../src/panel/texts';
import { alice, interpreter, NOON, run } from '../fakes';

test.each([
  [-3, 0, '0 s'],
  [0.44, 0, '0 s'],
  [0.44, 1, '0.4 s'],
  [12.9, 1, '12 s'],
  [59.9, 0, '59 s'],
  [185, 0, '3 min 5 s'],
  [7800, 0, '2 h 10 min']
])('%d seconds with %d decimals are %s', (seconds, decimals, text) => {
  expect(duration(seconds, decimals)).toBe(text);
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [20_480, '20 KB'],
  [3_145_728, '3.0 MB'],
  [45_000_000_000, '41.9 GB'],
  [7e15, '6519258.0 GB']
])('%d bytes are %s', (number, text) => {
  expect(bytes(number)).toBe(text);
});

test('one is told apart from many', () => {
  expect([count(0, 'cell'), count(1, 'cell'), count(2, 'cell'), count(2, 'cell waits', 'cells wait')]).toEqual([
    '0 cells',
    '1 cell',
    '2 cells',
    '2 cells wait'
  ]);
});

test('the facts of an interpreter are what it is and what it has done', () => {
  expect(facts(interpreter({ cells: 1 }))).toEqual(['1 cell', '3.0 MB']);
  expect(facts(alice({ preset: 'shared', gil: 'with main', memory: null, cells: 4, origin: 'Python' }))).toEqual([
    'shared',
    'GIL with main',
    '4 cells',
    'memory with main',
    'Python'
  ]);
});

test('who waits for input says so, unless it is closing', () => {
  expect(stateOf(alice({ state: 'running', asks: true }))).toBe('waits for input');
  expect(stateOf(alice({ state: 'closing', asks: true }))).toBe('closing');
  expect(stateOf(alice({ state: 'not stopping' }))).toBe('not stopping');
});

test('a run is a cell, a callback or code', () => {
  expect([run(), run({ count: null }), run({ kind: 'callback' }), run({ kind: 'code' })].map(what)).toEqual([
    'In [7]',
    'a cell',
    "a widget's callback",
    'code of another interpreter'
  ]);
});

test('a run in the timeline says what, where, how long and how it ended', () => {
  expect(runLabel(run({ start: NOON - 2.34 }), NOON)).toBe('In [7] in alice, 2.3 s, running');
  expect(runLabel(run({ start: NOON - 20, end: NOON - 8, status: 'error' }), NOON)).toBe(
    'In [7] in alice, 12 s, error'
  );
});
