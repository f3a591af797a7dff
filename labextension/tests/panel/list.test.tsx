import { act, fireEvent, render, screen, within } from '@testing-library/react';
import { CommandRegistry } from '@lumino/commands';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { List } from '../../src/panel/list';
import { alice, bob, event, interpreter, run, snapshot } from '../fakes';
import { type Fixture, panelOf } from './fixtures';

let panel: Fixture;
let commands: CommandRegistry;
let executed: [string, unknown][];

beforeEach(() => {
  commands = new CommandRegistry();
  executed = [];
  const ids = ['interrupt', 'run-in', 'insert-cell', 'rename', 'close', 'variables'];
  for (const id of ids.map(id => `xinterp:${id}`)) {
    commands.addCommand(id, { execute: args => void executed.push([id, args]) });
  }
});
afterEach(() => vi.useRealTimers());

function show(fixture: Fixture): void {
  panel = fixture;
  render(<List state={panel.state} commands={commands} />);
}

const rows = () => screen.getAllByRole('row');
/** What a row says, by its cells; the buttons' one is left out. */
const texts = (index: number) =>
  within(rows()[index]!)
    .getAllByRole('gridcell')
    .map(cell => cell.textContent)
    .filter(text => text !== '');

describe('the list', () => {
  test('shows each interpreter, main first, with what it is and what it has done', () => {
    show(panelOf(interpreter({ cells: 4 }), alice({ cells: 2 })));
    expect(texts(0)).toEqual(['mainplain cells', 'idle', '4 cells 3.0 MB ']);
    expect(texts(1)).toEqual(['alice', 'idle', 'notebook 2 cells 3.0 MB %interp ']);
  });

  test('shows what runs and for how long, and what is queued', () => {
    vi.useFakeTimers({ now: 5000 });
    show(panelOf(interpreter(), alice()));
    const running = alice({ state: 'running', run: 5, queued: 2 });
    act(() => panel.connection.tell(event(11, { time: 5, interpreters: [running], runs: [run({ start: -7 })] })));
    expect(texts(1)[1]).toBe('running In [7] 12 s2 queued');
    act(() => void vi.advanceTimersByTime(3000));
    expect(texts(1)[1]).toBe('running In [7] 15 s2 queued');
    act(() => panel.connection.tell(event(12, { time: 8, interpreters: [{ ...running, state: 'not stopping' }] })));
    expect(texts(1)[1]).toBe('not stopping, In [7] 15 s2 queued');
    act(() => panel.connection.tell(event(13, { time: 8, interpreters: [{ ...running, asks: true }] })));
    expect(texts(1)[1]).toBe('waits for input, In [7] 15 s2 queued');
  });

  test('ticks only while something runs', () => {
    vi.useFakeTimers();
    show(panelOf());
    expect(vi.getTimerCount()).toBe(0);
    const running = alice({ state: 'running', run: 5 });
    act(() =>
      panel.connection.tell(event(11, { interpreters: [running, bob({ state: 'running', run: 5 })], runs: [run()] }))
    );
    expect(vi.getTimerCount()).toBe(1);
    act(() => panel.connection.tell(event(12, { interpreters: [alice(), bob()] })));
    expect(vi.getTimerCount()).toBe(0);
  });

  test('marks where plain cells go', () => {
    show(panelOf());
    act(() => panel.connection.tell(event(11, { uses: { me: [1, 2] } })));
    expect(rows().map(row => within(row).queryByText('plain cells') !== null)).toEqual([false, true, true]);
  });

  test('draws only the row that has changed', () => {
    show(panelOf());
    const before = rows().map(row => row.innerHTML);
    const observer = new MutationObserver(() => undefined);
    observer.observe(screen.getByRole('grid'), {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true
    });
    act(() => panel.connection.tell(event(11, { interpreters: [alice({ cells: 9 })] })));
    const touched = new Set(observer.takeRecords().map(({ target }) => target.parentElement!.closest('[role=row]')));
    expect([...touched]).toEqual([rows()[1]]);
    expect(rows()[0]!.innerHTML).toBe(before[0]);
  });

  test('shows a hostile name as the text that it is', () => {
    const name = '<img src=x onerror=alert(1)>';
    show(panelOf(interpreter(), alice({ label: name, colour: 'url(javascript:alert(1))' })));
    expect(texts(1)[0]).toBe(name);
    expect(document.querySelector('img')).toBeNull();
  });

  test('says in a sentence why there is nothing', () => {
    show(panelOf());
    act(() => panel.connection.fails('The kernel is restarting.'));
    expect(screen.getByRole('status').textContent).toBe('The kernel is restarting.');
    expect(screen.queryByRole('grid')).toBeNull();
    act(() => {
      panel.connection.problem = null;
      panel.connection.tell(snapshot());
    });
    expect(rows()).toHaveLength(1);
    act(() => panel.models.show(null));
    expect(screen.getByRole('status').textContent).toBe('No notebook or console is in front.');
  });

  test('keeps what was known while the connection is lost', () => {
    show(panelOf());
    act(() => panel.connection.fails('The connection to the kernel is lost.', true));
    expect(screen.getByRole('status').textContent).toBe('The connection to the kernel is lost.');
    expect(rows()).toHaveLength(3);
  });
});

describe('the rows', () => {
  const press = (key: string) => fireEvent.keyDown(document.activeElement!, { key });
  const focused = () => document.activeElement!.getAttribute('data-interpreter');

  test('are one stop of the Tab key, with the buttons of the selected one', () => {
    show(panelOf());
    expect(rows().map(row => row.tabIndex)).toEqual([0, -1, -1]);
    expect(
      within(rows()[1]!)
        .getAllByRole('button')
        .map(button => button.tabIndex)
    ).toEqual([-1, -1, -1]);
    act(() => rows()[1]!.focus());
    expect(rows().map(row => row.getAttribute('aria-selected'))).toEqual(['false', 'true', 'false']);
    expect(
      within(rows()[1]!)
        .getAllByRole('button')
        .map(button => button.tabIndex)
    ).toEqual([0, 0, 0]);
  });

  test('are reached with the arrow keys, Home and End', () => {
    show(panelOf());
    act(() => rows()[0]!.focus());
    const reached = ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowUp', 'Home', 'ArrowUp', 'End'].map(key => {
      press(key);
      return focused();
    });
    expect(reached).toEqual(['1', '2', '2', '1', '0', '0', '2']);
  });

  test('have keys for renaming, closing and variables', () => {
    show(panelOf());
    act(() => rows()[1]!.focus());
    ['F2', 'Delete', 'Enter', 'x'].forEach(press);
    expect(executed).toEqual([
      ['xinterp:rename', { target: 'alice' }],
      ['xinterp:close', { target: 'alice' }],
      ['xinterp:variables', { target: 'alice' }]
    ]);
  });

  test('have buttons with names, and one to interrupt only while they run', () => {
    show(panelOf(interpreter(), alice({ state: 'running', run: null })));
    const names = (index: number) =>
      within(rows()[index]!)
        .getAllByRole('button')
        .map(button => button.getAttribute('aria-label'));
    expect(names(0)).toEqual(['Run the selected cell in main', 'Insert a cell for main', 'More actions for main']);
    expect(names(1)[0]).toBe('Interrupt alice');
    fireEvent.click(screen.getByRole('button', { name: 'Interrupt alice' }));
    fireEvent.click(screen.getByRole('button', { name: 'Insert a cell for alice' }));
    expect(executed).toEqual([
      ['xinterp:interrupt', { target: 'alice' }],
      ['xinterp:insert-cell', { target: 'alice' }]
    ]);
  });

  test('open their context menu from a button too', () => {
    show(panelOf());
    const opened = vi.fn();
    document.addEventListener('contextmenu', opened, { once: true });
    fireEvent.click(screen.getByRole('button', { name: 'More actions for bob' }));
    expect(opened.mock.lastCall![0].target.closest('[role=row]')).toBe(rows()[2]);
    expect(panel.state.selected?.label).toBe('bob');
  });

  test('give the focus to main when the one that has it is gone', () => {
    show(panelOf());
    act(() => rows()[1]!.focus());
    act(() => panel.connection.tell(event(11, { gone: [1] })));
    expect(focused()).toBe('0');
  });
});

describe('renaming', () => {
  const field = () => screen.getByRole<HTMLInputElement>('textbox', { name: 'New name of alice' });

  beforeEach(() => {
    show(panelOf());
    act(() => (panel.state.renaming = 1));
  });

  test('asks the kernel when Enter is pressed', () => {
    expect(field().value).toBe('alice');
    expect(document.activeElement).toBe(field());
    fireEvent.change(field(), { target: { value: ' carol ' } });
    fireEvent.keyDown(field(), { key: 'Enter' });
    expect(panel.connection.requests).toEqual([{ command: 'rename', target: 1, name: 'carol' }]);
    expect(screen.queryByRole('textbox')).toBeNull();
  });

  test('leaves the name when Escape is pressed, or when it is the same', () => {
    fireEvent.change(field(), { target: { value: 'carol' } });
    fireEvent.keyDown(field(), { key: 'Escape' });
    act(() => (panel.state.renaming = 1));
    fireEvent.keyDown(field(), { key: 'Enter' });
    expect(panel.connection.requests).toEqual([]);
    expect(screen.queryByRole('textbox')).toBeNull();
  });

  test('is not disturbed by the keys of the list', () => {
    fireEvent.keyDown(field(), { key: 'Delete' });
    fireEvent.keyDown(field(), { key: 'Home' });
    expect(executed).toEqual([]);
  });
});
