import { CommandRegistry } from '@lumino/commands';
import { MessageLoop } from '@lumino/messaging';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Front } from '../src/cells/front';
import { addCommands } from '../src/commands';
import type { KernelModel } from '../src/model';
import type { IKernelModels } from '../src/models';
import { FakeCell, FakeNotebook } from './fake_cells';
import { alice, bob, event, type FakeConnection, interpreter, modelOf, run } from './fakes';

const notified = vi.hoisted(() => vi.fn());
vi.mock('@jupyterlab/apputils', () => ({ Notification: { error: notified }, ICommandPalette: {} }));

/** What the dialog for a new interpreter gives. */
const asked = vi.hoisted(() => vi.fn());
vi.mock('../src/panel/create', () => ({ askForInterpreter: asked }));
vi.mock('../src/panel/commands', () => ({ CommandIDs: {} }));

let commands: CommandRegistry;
let cell: FakeCell;
let notebook: FakeNotebook;
let model: KernelModel;
let connection: FakeConnection;
let prompt: FakeCell;
/** In front. */
let shown: object | null;
const activate = vi.fn();
const ran = vi.fn();

/** JupyterLab with a notebook of that one cell and a console. */
function open(source: string, placed = {}): void {
  cell = new FakeCell(source, placed);
  prompt = new FakeCell('', { id: 'prompt' });
  notebook = new FakeNotebook([cell]);
  const panel = { sessionContext: {}, console: { promptCell: prompt } };
  shown = notebook;
  ({ model, connection } = modelOf(interpreter(), alice(), bob()));
  const console = modelOf(interpreter(), alice()).model;
  const shell = {
    get currentWidget() {
      return shown;
    }
  };
  const models = {
    get current() {
      return shown === panel ? console : shown && model;
    },
    of: (context: object) => (context === panel.sessionContext ? console : model)
  };
  const notebooks = { currentWidget: notebook, has: (widget: object) => widget === notebook };
  const consoles = { currentWidget: panel, has: (widget: object) => widget === panel };
  commands = new CommandRegistry();
  const front = new Front(
    shell as ConstructorParameters<typeof Front>[0],
    models as unknown as IKernelModels,
    notebooks as unknown as ConstructorParameters<typeof Front>[2],
    consoles as unknown as ConstructorParameters<typeof Front>[3]
  );
  addCommands(commands, front, activate);
  for (const id of ['notebook:run-cell', 'console:run-forced']) commands.addCommand(id, { execute: () => ran(id) });
  toConsole = () => (shown = panel);
}

let toConsole: () => void;

beforeEach(() => {
  document.body.replaceChildren();
  [notified, asked, activate, ran].forEach(spy => spy.mockReset());
  open('x = 1');
});

/** The labels of the menu that is open; those that have the mark with an asterisk. */
function menu(): string[] {
  MessageLoop.flush();
  return [...document.querySelectorAll('.lm-Menu-item:not([data-type=separator]):not(.lm-mod-hidden)')].map(
    item =>
      item.querySelector('.lm-Menu-itemLabel')!.textContent + (item.getAttribute('aria-checked') === 'true' ? '*' : '')
  );
}

describe('another target for the active cell', () => {
  it('is written into its first line', async () => {
    await commands.execute('xinterp:set-target', { target: 'alice' });
    expect(cell.source).toBe('%%interp alice\nx = 1');
    await commands.execute('xinterp:set-target', { target: 'bob' });
    expect(cell.source).toBe('%%interp bob\nx = 1');
    await commands.execute('xinterp:set-target', { target: null });
    expect(cell.source).toBe('x = 1');
  });

  it('needs no line if it is main and plain cells go there', async () => {
    open('%%interp alice\nx = 1');
    await commands.execute('xinterp:set-target', { target: 'main' });
    expect(cell.source).toBe('x = 1');
  });

  it('is main by name if plain cells go elsewhere', async () => {
    open('x = 1');
    connection.tell(event(11, { uses: { me: [1] } }));
    await commands.execute('xinterp:set-target', { target: 'main' });
    expect(cell.source).toBe('%%interp main\nx = 1');
  });

  it('is main by name if the line says more', async () => {
    open('%%interp alice & --timeout 5\nx = 1');
    await commands.execute('xinterp:set-target', { target: 'main' });
    expect(cell.source).toBe('%%interp main & --timeout 5\nx = 1');
  });

  it('is asked for with a menu that marks the present one', async () => {
    open('%%interp alice, bob &\nx = 1');
    await commands.execute('xinterp:set-target');
    expect(menu()).toEqual([
      'main',
      'alice*',
      'bob*',
      'All but main',
      'New interpreter for the cell…',
      'Follow the notebook (no %%interp line)',
      'Detached (&)*'
    ]);
  });

  it('is marked for a plain cell and for all', async () => {
    await commands.execute('xinterp:set-target');
    expect(menu()).toContain('main*');
    expect(menu()).toContain('Follow the notebook (no %%interp line)*');
    document.body.replaceChildren();
    open('%%interp all');
    await commands.execute('xinterp:set-target');
    expect(menu().filter(label => label.endsWith('*'))).toEqual(['All but main*']);
  });

  it('is refused by a cell that cannot be edited and by what is no code', () => {
    cell.readOnly = true;
    expect(commands.isEnabled('xinterp:set-target', { target: 'alice' })).toBe(false);
    open('x', { type: 'markdown' });
    expect(commands.isEnabled('xinterp:set-target', { target: 'alice' })).toBe(false);
  });

  it('goes into the prompt of a console', async () => {
    toConsole();
    await commands.execute('xinterp:set-target', { target: 'alice' });
    expect([prompt.source, cell.source]).toEqual(['%%interp alice\n', 'x = 1']);
  });
});

describe('a new interpreter for the active cell', () => {
  const create = { command: 'create', preset: 'notebook' } as const;

  it('is its target', async () => {
    open('%%interp alice &\nx = 1');
    asked.mockResolvedValue({ ...create, names: ['carol'] });
    connection.answers = () => ({ value: 3, text: 'created carol (id 3, notebook).' });
    await commands.execute('xinterp:create-for-cell');
    expect(connection.requests).toEqual([{ ...create, names: ['carol'] }]);
    expect(cell.source).toBe('%%interp carol &\nx = 1');
  });

  it('is its target by id if it has no name, and with others', async () => {
    asked.mockResolvedValue({ ...create, n: 1 });
    connection.answers = () => ({ value: [3], text: 'created interpreter 3 (notebook).' });
    await commands.execute('xinterp:create-for-cell');
    expect(cell.source).toBe('%%interp 3\nx = 1');
    asked.mockResolvedValue({ ...create, names: ['carol', 'dan'] });
    await commands.execute('xinterp:create-for-cell');
    expect(cell.source).toBe('%%interp carol,dan\nx = 1');
  });

  it('leaves the cell alone if it is not made', async () => {
    asked.mockResolvedValue(null);
    await commands.execute('xinterp:create-for-cell');
    expect(connection.requests).toEqual([]);
    asked.mockResolvedValue({ ...create, names: ['alice'] });
    connection.answers = () => 'alice exists already.';
    await commands.execute('xinterp:create-for-cell');
    expect(cell.source).toBe('x = 1');
    expect(notified).toHaveBeenCalledExactlyOnceWith('alice exists already.', { autoClose: 5000 });
  });
});

describe('the ampersand', () => {
  it('comes and goes', async () => {
    open('%%interp alice\nx = 1');
    expect(commands.isToggled('xinterp:toggle-detached')).toBe(false);
    await commands.execute('xinterp:toggle-detached');
    expect(cell.source).toBe('%%interp alice &\nx = 1');
    expect(commands.isToggled('xinterp:toggle-detached')).toBe(true);
    await commands.execute('xinterp:toggle-detached');
    expect(cell.source).toBe('%%interp alice\nx = 1');
  });

  it('takes a plain cell where it went already', async () => {
    await commands.execute('xinterp:toggle-detached');
    expect(cell.source).toBe('%%interp main &\nx = 1');
    open('x = 1');
    connection.tell(event(11, { uses: { me: [1, 2] } }));
    await commands.execute('xinterp:toggle-detached');
    expect(cell.source).toBe('%%interp alice,bob &\nx = 1');
  });

  it('is not for cells that the kernel answers', () => {
    open('%interp list');
    expect(commands.isEnabled('xinterp:toggle-detached')).toBe(false);
  });
});

describe('a cell for an interpreter', () => {
  it('comes below the active one, with the cursor on its second line', async () => {
    await commands.execute('xinterp:insert-cell', { target: 'alice' });
    const { widgets, activeCellIndex, mode, deselected } = notebook.content;
    expect(widgets.map(each => each.source)).toEqual(['x = 1', '%%interp alice\n']);
    expect([activeCellIndex, mode, deselected]).toEqual([1, 'edit', 1]);
    expect(widgets[1]!.editor.cursor).toEqual({ line: 1, column: 0 });
    expect(activate).toHaveBeenCalledWith('notebook');
  });

  it('is plain if plain cells go there', async () => {
    await commands.execute('xinterp:insert-cell', { target: 'main' });
    expect(notebook.content.widgets[1]!.source).toBe('');
    expect(notebook.content.widgets[1]!.editor.cursor).toEqual({ line: 0, column: 0 });
  });

  it('is asked for with a menu', async () => {
    await commands.execute('xinterp:insert-cell');
    expect(menu()).toEqual(['Insert a cell for main', 'Insert a cell for alice', 'Insert a cell for bob']);
  });

  it('does not come into a notebook that cannot be edited', () => {
    notebook.content.model.readOnly = true;
    expect(commands.isEnabled('xinterp:insert-cell', { target: 'alice' })).toBe(false);
  });
});

describe('the active cell', () => {
  it('runs in an interpreter, alone', async () => {
    await commands.execute('xinterp:run-in', { target: 'alice' });
    expect(cell.source).toBe('%%interp alice\nx = 1');
    expect(ran).toHaveBeenCalledExactlyOnceWith('notebook:run-cell');
    expect(notebook.content.deselected).toBe(1);
  });

  it('runs in an interpreter of a console', async () => {
    toConsole();
    await commands.execute('xinterp:run-in', { target: 'alice' });
    expect(ran).toHaveBeenCalledExactlyOnceWith('console:run-forced');
  });

  it('runs where a menu says', async () => {
    await commands.execute('xinterp:run-in');
    expect(menu()).toEqual([
      'Run the selected cell in main',
      'Run the selected cell in alice',
      'Run the selected cell in bob'
    ]);
    expect(ran).not.toHaveBeenCalled();
  });
});

describe('an interrupt', () => {
  it('is for the interpreters that run the active cell, not for those that it names', async () => {
    open('%%interp bob');
    expect(commands.isEnabled('xinterp:interrupt-current')).toBe(false);
    connection.tell(event(11, { runs: [run({ cell: 'other', id: 6, interpreter: 2 }), run()] }));
    await commands.execute('xinterp:interrupt-current');
    expect(connection.requests).toEqual([{ command: 'interrupt', targets: [1] }]);
  });

  it('is for those where it goes if it does not run itself', async () => {
    open('%%interp all');
    connection.tell(event(11, { runs: [run({ cell: 'other' }), run({ id: 6, interpreter: 0, cell: null })] }));
    await commands.execute('xinterp:interrupt-current');
    expect(connection.requests).toEqual([{ command: 'interrupt', targets: [1] }]);
  });

  it('shows what the kernel has against it', async () => {
    open('%%interp alice');
    connection.tell(event(11, { runs: [run()] }));
    connection.answers = () => 'alice is closing.';
    await commands.execute('xinterp:interrupt-current');
    expect(notified).toHaveBeenCalledExactlyOnceWith('alice is closing.', { autoClose: 5000 });
  });
});

describe('no command is there', () => {
  const ids = ['set-target', 'toggle-detached', 'insert-cell', 'run-in', 'interrupt-current'].map(
    id => `xinterp:${id}`
  );
  const available = () => ids.filter(id => commands.isVisible(id) || commands.isEnabled(id, { target: 'alice' }));

  it('if neither a notebook nor a console is in front', () => {
    shown = null;
    expect(available()).toEqual([]);
  });

  it('if the kernel is no xinterp', () => {
    connection.fails('Python 3 (ipykernel) is no xinterp kernel: it has one interpreter.');
    expect(available()).toEqual([]);
  });
});

it('what is opened beside the notebook does not take the commands away', async () => {
  shown = {};
  await commands.execute('xinterp:set-target', { target: 'alice' });
  expect(cell.source).toBe('%%interp alice\nx = 1');
});
