import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { routing, withDetached, withTarget } from '../src/targets';

type Case = { code: string; kind: string } & Record<string, unknown>;

// The kernel's own reader is checked with the same table: tests/cpp/test_cell_magic.cpp.
const cases: Case[] = JSON.parse(readFileSync('../tests/cases/cell_magic.json', 'utf8'));

/** What is off or absent is left out of the table. */
const OFF = { detached: false, create: false, preset: null, timeout: null, in: [], out: [] };

describe('a cell is read as the kernel reads it', () => {
  it.each(cases.map(({ code, ...expected }) => [code, expected] as const))('%j', (code, expected) => {
    expect(routing(code)).toEqual(expected.kind === 'routed' ? { ...OFF, ...expected } : expected);
  });
});

describe('another target', () => {
  it.each([
    ['%%interp alice\nx = 1', '%%interp bob\nx = 1'],
    ['%%interp alice', '%%interp bob'],
    [
      '\n# why\n  %%interp\talice & --in x,y  # heavy\r\nx = 1\r\n',
      '\n# why\n  %%interp\tbob & --in x,y  # heavy\r\nx = 1\r\n'
    ],
    ['%%interp alice,carol --timeout 5', '%%interp bob --timeout 5'],
    ['%%interp alice , 2 carol  &', '%%interp bob  &'],
    ['%%interp alice --create carol --preset shared', '%%interp bob --create --preset shared'],
    ['%%interp --create alice', '%%interp --create bob'],
    ['%%interp "alice" &', '%%interp bob &'],
    ['%%interp alice& --create', '%%interp bob& --create'],
    ['%%interp alice, carol&', '%%interp bob&'],
    ['%%interp alice --in alice', '%%interp bob --in alice'],
    ['%%interp all', '%%interp bob']
  ])('takes the place of the one in the line: %j', (source, expected) => {
    expect(withTarget(source, 'bob')).toBe(expected);
  });

  it.each([
    ['%%interp', '%%interp bob'],
    ['%%interp # what was it?\nx', '%%interp bob # what was it?\nx'],
    ['%%interp#', '%%interp bob #'],
    ['%%interp &', '%%interp bob &'],
    ['%%interp --in x alice', '%%interp bob --in x alice']
  ])('goes into a line that has none: %j', (source, expected) => {
    expect(withTarget(source, 'bob')).toBe(expected);
  });

  it.each([
    ['%%interp alice --wibble # a comment\nx', '%%interp bob # a comment\nx'],
    ["  %%interp it's alice\r\nx", '  %%interp bob\r\nx'],
    ['%%interp --help', '%%interp bob']
  ])('is all that stays of a line whose mistake is elsewhere: %j', (source, expected) => {
    expect(withTarget(source, 'bob')).toBe(expected);
  });

  it('makes the first line of a plain cell', () => {
    expect(withTarget('# why\nx = 1', 'bob')).toBe('%%interp bob\n# why\nx = 1');
    expect(withTarget('%%time\nx', 'bob')).toBe('%%interp bob\n%%time\nx');
    expect(withTarget('', 'bob')).toBe('%%interp bob\n');
  });

  it('does not ask to create what stands for those that exist', () => {
    expect(withTarget('%%interp alice --create --preset shared & --timeout 5', 'all')).toBe(
      '%%interp all & --timeout 5'
    );
    expect(withTarget('%%interp alice --create&', 'all')).toBe('%%interp all&');
  });
});

describe('no target', () => {
  it.each([
    ['%%interp alice\nx = 1', 'x = 1'],
    ['%%interp alice & --timeout 5\n\nx = 1', '\nx = 1'],
    ['\n# why\n%%interp alice\nx = 1', '\n# why\nx = 1'],
    ['%%interp alice\r\nx = 1\r\n', 'x = 1\r\n'],
    ['%%interp alice', ''],
    ['  %%interp alice & # heavy\nx = 1', '  # heavy\nx = 1'],
    ['%%interp "alice\nx = 1', 'x = 1'],
    ['x = 1', 'x = 1']
  ])('takes the line away, but for its comment: %j', (source, expected) => {
    expect(withTarget(source, null)).toBe(expected);
  });
});

describe('the ampersand', () => {
  it.each([
    ['%%interp alice\nx = 1', '%%interp alice &\nx = 1'],
    ['%%interp alice, bob --create # both', '%%interp alice, bob & --create # both'],
    ['%%interp --in x -- alice', '%%interp --in x -- alice &']
  ])('comes and goes: %j', (source, expected) => {
    expect(withDetached(source, true)).toBe(expected);
    expect(withDetached(expected, true)).toBe(expected);
    expect(withDetached(expected, false)).toBe(source);
    expect(withDetached(source, false)).toBe(source);
  });

  it.each([
    ['%%interp & alice', '%%interp alice'],
    ['%%interp alice& --create', '%%interp alice --create'],
    ['%%interp alice& &', '%%interp alice'],
    ['%%interp alice --in x& # all', '%%interp alice --in x # all']
  ])('goes from wherever it stands: %j', (source, expected) => {
    expect(withDetached(source, false)).toBe(expected);
  });

  it.each(['x = 1', '%%interp', '%interp list', '%%interp "alice'])(
    'does not come where there is no target: %j',
    source => {
      expect(withDetached(source, true)).toBe(source);
    }
  );
});
