import { Dialog } from '@jupyterlab/apputils';
import { CommandRegistry } from '@lumino/commands';
import { configure, fireEvent, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { addCommands, CommandIDs } from '../../src/panel/commands';
import { createCommand } from '../../src/panel/create';
import { InterpretersPanel } from '../../src/panel/widget';
import { alice, event, interpreter, run } from '../fakes';
import { type Fixture, panelOf } from './fixtures';

configure({ defaultHidden: true }); // jsdom knows no open <dialog>

let panel: Fixture;
let commands: CommandRegistry;
let widget: InterpretersPanel;
const reveal = vi.fn();

beforeEach(() => {
  panel = panelOf();
  commands = new CommandRegistry();
  widget = new InterpretersPanel(panel.state, commands);
  reveal.mockReset();
  addCommands(commands, panel.state, widget, reveal);
});
afterEach(() => Dialog.flush());

const texts = () => panel.state.notices.map(notice => notice.text);

test.each([
  [CommandIDs.interrupt, { command: 'interrupt', targets: [1] }],
  [CommandIDs.use, { command: 'use', targets: [1] }],
  [CommandIDs.wait, { command: 'wait', targets: [1] }]
])('%s asks the kernel for it', async (id, request) => {
  await commands.execute(id, { target: 'alice' });
  await commands.execute(id, { target: '1' });
  expect(panel.connection.requests).toEqual([request, request]);
});

test('an interpreter that is not there is told', async () => {
  await commands.execute(CommandIDs.use, { target: 'carol' });
  expect(texts()).toEqual(['There is no interpreter carol.']);
  expect(panel.connection.requests).toEqual([]);
});

test("the kernel's refusal is told", async () => {
  panel.connection.answers = () => 'alice does not run anything.';
  await commands.execute(CommandIDs.interrupt, { target: 'alice' });
  expect(texts()).toEqual(['alice does not run anything.']);
});

test('all that run are interrupted at once, and nothing is asked if none does', async () => {
  await commands.execute(CommandIDs.interruptAll);
  expect(panel.connection.requests).toEqual([]);
  panel.connection.tell(event(11, { runs: [run(), run({ id: 6, interpreter: 2 })] }));
  await commands.execute(CommandIDs.interruptAll);
  expect(panel.connection.requests).toEqual([{ command: 'interrupt', targets: [1, 2] }]);
});

test('waiting is shown until it ends, and can be given up', async () => {
  panel.connection.answers = () => new Promise(() => undefined);
  void commands.execute(CommandIDs.wait, { target: 'alice' });
  await vi.waitFor(() => expect(texts()).toEqual(['Waiting until alice is idle.']));
  panel.state.notices[0]!.cancel!();
  expect(panel.connection.signals[0]!.aborted).toBe(true);
});

test('the person is asked which one when it is not said', async () => {
  const done = commands.execute(CommandIDs.interrupt);
  const choice = await screen.findByRole('combobox');
  expect([...choice.querySelectorAll('option')].map(option => option.textContent)).toEqual(['main', 'alice', 'bob']);
  fireEvent.change(choice, { target: { value: 'bob' } });
  screen.getByRole('button', { name: 'Ok' }).click();
  await done;
  expect(panel.connection.requests).toEqual([{ command: 'interrupt', targets: [2] }]);
});

describe('creating', () => {
  test('is done at once when the name is told, and the new one is selected', async () => {
    panel.connection.answers = () => ({ value: [{ id: 2, name: 'bob' }], text: '' });
    await commands.execute(CommandIDs.create, { name: 'bob', preset: 'shared' });
    expect(panel.connection.requests).toEqual([{ command: 'create', names: ['bob'], preset: 'shared' }]);
    expect(panel.state.selected?.label).toBe('bob');
  });

  test('asks for name and preset, and says what each preset is', async () => {
    const done = commands.execute(CommandIDs.create);
    const name = await screen.findByRole('textbox', { name: /^Name/ });
    fireEvent.change(name, { target: { value: 'carol' } });
    const preset = screen.getByRole('combobox', { name: /^Preset/ });
    expect(preset.getAttribute('aria-describedby')).toBe('jp-xinterp-create-preset');
    fireEvent.change(preset, { target: { value: 'shared' } });
    expect(document.getElementById('jp-xinterp-create-preset')!.textContent).toContain("Main's GIL");
    screen.getByRole('button', { name: 'Create' }).click();
    await done;
    expect(panel.connection.requests).toEqual([{ command: 'create', names: ['carol'], preset: 'shared' }]);
  });

  test('makes several of several names, and one that has a number of none', () => {
    expect(createCommand(' carol, dave ', 'notebook')).toEqual({
      command: 'create',
      names: ['carol', 'dave'],
      preset: 'notebook'
    });
    expect(createCommand('', 'isolated')).toEqual({ command: 'create', n: 1, preset: 'isolated' });
  });
});

describe('closing and resetting', () => {
  test('is done without a question if nothing is lost', async () => {
    panel.connection.answers = () => ({ value: [], text: '' });
    await commands.execute(CommandIDs.close, { target: 'alice' });
    await commands.execute(CommandIDs.reset, { target: 'bob' });
    expect(panel.connection.requests.filter(request => request.command !== 'vars')).toEqual([
      { command: 'close', targets: [1] },
      { command: 'reset', targets: [2] }
    ]);
  });

  test('is forced when the person agrees', async () => {
    panel.connection.tell(event(11, { interpreters: [alice({ state: 'running', run: 5 })], runs: [run()] }));
    const done = commands.execute(CommandIDs.close, { target: 'alice' });
    expect((await screen.findByRole('dialog')).textContent).toContain('It runs In [7].');
    screen.getByRole('button', { name: 'Close' }).click();
    await done;
    expect(panel.connection.requests).toEqual([{ command: 'close', targets: [1], force: true }]);
  });

  test('of main is refused by the kernel without a question', async () => {
    panel.connection.answers = () => 'main cannot be closed.';
    await commands.execute(CommandIDs.close, { target: 'main' });
    expect(texts()).toEqual(['main cannot be closed.']);
  });
});

describe('the sections of the panel', () => {
  test('open for the variables and for the comparison', async () => {
    const open = vi.spyOn(widget, 'open');
    await commands.execute(CommandIDs.variables, { target: 'bob' });
    expect([panel.state.variablesOf, open.mock.lastCall, reveal.mock.calls.length]).toEqual([2, ['variables'], 1]);
    const done = commands.execute(CommandIDs.compare, { target: 'bob' });
    const choice = await screen.findByRole('combobox');
    expect([...choice.querySelectorAll('option')].map(option => option.textContent)).toEqual(['main', 'alice']);
    screen.getByRole('button', { name: 'Ok' }).click();
    await done;
    expect([panel.state.compared, open.mock.lastCall, reveal.mock.calls.length]).toEqual([[2, 0], ['compare'], 2]);
  });

  test('hide each other if they are these two, and both are closed at first', () => {
    const hidden = () => widget.widgets.filter(section => section.isHidden).map(section => section.title.label);
    expect(hidden()).toEqual(['Variables', 'Compare']);
    widget.open('variables');
    expect(hidden()).toEqual(['Compare']);
    widget.open('compare');
    expect(hidden()).toEqual(['Variables']);
  });

  test('open for renaming, which the row does', async () => {
    await commands.execute(CommandIDs.rename, { target: 'alice' });
    expect([panel.state.renaming, panel.state.selected?.label]).toEqual([1, 'alice']);
    await commands.execute(CommandIDs.rename, { target: 'alice', name: 'carol' });
    expect(panel.connection.requests).toEqual([{ command: 'rename', target: 1, name: 'carol' }]);
  });
});

test('commands are enabled while there is a kernel that can be asked, and say when that changes', () => {
  const changed = vi.fn();
  const enabled = () => commands.isEnabled(CommandIDs.create);
  commands.commandChanged.connect((_, { id }) => id === CommandIDs.create && changed());
  expect(enabled()).toBe(true);
  panel.connection.fails('The kernel is restarting.');
  expect([enabled(), changed.mock.calls.length]).toEqual([false, 1]);
  panel.connection.tell(event(11, { interpreters: [alice({ cells: 3 })] }));
  panel.connection.fails(null);
  expect([enabled(), changed.mock.calls.length]).toEqual([true, 2]);
  panel.models.show(null);
  expect([enabled(), changed.mock.calls.length]).toEqual([false, 3]);
});

test("a row's menu is made of commands for the selected interpreter, and of those that are there", async () => {
  panel.state.select(2);
  const use = { command: CommandIDs.use };
  expect(commands.label(CommandIDs.forSelected, use)).toBe('Run plain cells in bob');
  expect(commands.isVisible(CommandIDs.forSelected, use)).toBe(true);
  expect(commands.isVisible(CommandIDs.forSelected, { command: 'xinterp:none' })).toBe(false);
  await commands.execute(CommandIDs.forSelected, use);
  expect(panel.connection.requests).toEqual([{ command: 'use', targets: [2] }]);
});

test('the panel of a kernel with one interpreter has nothing to compare', async () => {
  panel.connection.tell(event(11, { interpreters: [interpreter()], gone: [1, 2] }));
  await commands.execute(CommandIDs.compare, { target: 'main' });
  expect(texts()).toEqual(['There is one interpreter. Create another one first.']);
});
