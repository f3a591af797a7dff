import { Signal } from '@lumino/signaling';
import { describe, expect, it, vi } from 'vitest';
import { creates, creations } from '../src/cells/creations';
import { followDeaths } from '../src/cells/death';
import { followNotebook } from '../src/cells/plugin';
import { setText } from '../src/cells/source';
import { badgeView, type ICellState } from '../src/cells/view';
import type { Run } from '../src/protocol';
import { routing } from '../src/targets';
import { FakeCell, FakeNotebook, FakeText } from './fake_cells';
import { alice, bob, event, interpreter, modelOf, run } from './fakes';

const MAIN = interpreter();

const UNRUN: ICellState = { running: [], ran: [], createdAbove: () => false };

function view(source: string, ...others: Parameters<typeof modelOf>) {
  return badgeView(routing(source), modelOf(MAIN, ...others).model, UNRUN);
}

describe('a badge says where a cell goes', () => {
  it('by name and colour', () => {
    expect(view('%%interp alice\nx', alice(), bob())).toEqual({
      rows: [{ dots: ['#0a7bc2'], text: 'alice' }],
      mark: '',
      kind: 'known',
      state: 'idle',
      quiet: false,
      title: 'This cell goes to alice.',
      label: 'Interpreter alice'
    });
  });

  it('an id as well as a name', () => {
    expect(view('%%interp 1', alice()).rows[0]!.text).toBe('alice');
    expect(view('%%interp 0', alice()).rows[0]!.text).toBe('main');
  });

  it('two, one below the other', () => {
    expect(view('%%interp alice, bob', alice(), bob())).toMatchObject({
      rows: [
        { dots: ['#0a7bc2'], text: 'alice' },
        { dots: ['#c2570a'], text: 'bob' }
      ],
      title: 'This cell goes to alice and bob.',
      label: 'Interpreters alice and bob'
    });
  });

  it('of more than two, the first one and how many more', () => {
    expect(view('%%interp alice, bob, main', alice(), bob())).toMatchObject({
      rows: [
        { dots: ['#0a7bc2'], text: 'alice' },
        { dots: ['#c2570a', '#6e7681'], text: '+2' }
      ],
      title: 'This cell goes to alice, bob and main.',
      label: 'Interpreters alice, bob and main'
    });
    const many = [1, 2, 3, 4, 5].map(id => interpreter({ id }));
    expect(view('%%interp 1,2,3,4,5', ...many).rows[1]).toEqual({ dots: Array(3).fill('#6e7681'), text: '+4' });
  });

  it('all, which is all but main', () => {
    expect(view('%%interp all', alice(), bob())).toMatchObject({
      rows: [{ dots: ['#0a7bc2', '#c2570a'], text: 'all' }],
      title: 'This cell goes to every interpreter but main.'
    });
  });

  it('that it is detached', () => {
    expect(view('%%interp alice &', alice()).title).toBe(
      'This cell goes to alice. It is detached: the next cells do not wait for it.'
    );
  });

  it('that there is no such interpreter', () => {
    expect(view('%%interp alice')).toMatchObject({
      rows: [{ dots: [], text: 'alice' }],
      mark: '?',
      kind: 'unknown',
      title: 'There is no interpreter alice. It is created by %interp create alice',
      label: 'Interpreter alice, unknown'
    });
    expect(view('%%interp 7')).toMatchObject({ mark: '?', title: 'There is no interpreter 7.' });
    expect(view('%%interp alice, bob', alice())).toMatchObject({
      rows: [
        { dots: ['#0a7bc2'], text: 'alice' },
        { dots: [], text: 'bob' }
      ],
      mark: '?',
      kind: 'unknown'
    });
  });

  it('that the cell creates it', () => {
    expect(view('%%interp alice --create')).toMatchObject({
      rows: [{ dots: [], text: 'alice' }],
      mark: '+',
      kind: 'new',
      title: 'This cell creates alice.'
    });
    expect(view('%%interp alice --create', alice())).toMatchObject({ mark: '', kind: 'known' });
  });

  it('that a cell above creates it, which is no mistake', () => {
    const createdAbove = (target: string) => target === 'alice';
    const below = (source: string) => badgeView(routing(source), modelOf(MAIN).model, { ...UNRUN, createdAbove });
    expect(below('%%interp alice')).toMatchObject({
      rows: [{ dots: [], text: 'alice' }],
      mark: '',
      kind: 'later',
      title: 'There is no interpreter alice yet: a cell above creates it.',
      label: 'Interpreter alice, not created yet'
    });
    expect(below('%%interp alice,bob')).toMatchObject({ mark: '?', kind: 'unknown' });
  });

  it('that the kernel answers it, or refuses it', () => {
    expect(view('%interp list')).toMatchObject({ rows: [{ dots: [], text: 'kernel' }], kind: 'kernel' });
    expect(view('%%interp')).toMatchObject({ rows: [{ dots: [], text: 'kernel' }], kind: 'kernel' });
    expect(view('%%interp alice --wibble')).toMatchObject({
      rows: [],
      mark: '?',
      kind: 'unknown',
      label: 'Interpreter unknown'
    });
  });

  it('where plain cells go', () => {
    const { model, connection } = modelOf(MAIN, alice());
    const plain = () => badgeView(routing('x = 1'), model, UNRUN);
    expect(plain()).toMatchObject({ rows: [{ text: 'main' }], quiet: false, title: 'Plain cells go to main.' });
    connection.tell(event(11, { uses: { me: [1], somebody: [0] } }));
    expect(plain()).toMatchObject({ rows: [{ dots: ['#0a7bc2'], text: 'alice' }], title: 'Plain cells go to alice.' });
  });

  it('quietly, if there is nothing but main', () => {
    expect(view('x = 1').quiet).toBe(true);
    expect(view('%%interp main').quiet).toBe(false);
  });

  it('that it runs, and where, whatever its text says by now', () => {
    const { model } = modelOf(MAIN, alice({ run: 5 }), bob());
    expect(badgeView(routing('%%interp bob'), model, { ...UNRUN, running: [run()] })).toMatchObject({
      rows: [{ text: 'bob' }],
      state: 'running',
      title: 'Runs in alice. This cell goes to bob.',
      label: 'Runs in alice'
    });
  });

  it('where it ran, wherever it would go now', () => {
    const { model, connection } = modelOf(MAIN, alice(), bob());
    const ran = [run({ end: 1, interpreter: 0, label: 'main', colour: '#6e7681', status: 'ok' })];
    const plain = () => badgeView(routing('x = 1'), model, { ...UNRUN, ran });
    expect(plain()).toMatchObject({ label: 'Interpreter main', title: 'Ran in main. Plain cells go to main.' });
    connection.tell(event(11, { uses: { me: [1] } }));
    expect(plain()).toMatchObject({
      rows: [{ dots: ['#6e7681'], text: 'main' }],
      kind: 'known',
      title: 'Ran in main. Plain cells go to alice.',
      label: 'Ran in main'
    });
    const routed = badgeView(routing('%%interp carol'), model, { ...UNRUN, ran: [run({ end: 1, label: 'carol' })] });
    expect(routed).toMatchObject({ rows: [{ text: 'carol' }], mark: '', kind: 'known' });
    expect(routed.title).toMatch(/^Ran in carol. There is no interpreter carol./);
    const all = badgeView(routing('%%interp all'), model, { ...UNRUN, ran: [run({ end: 1 })] });
    expect(all).toMatchObject({ rows: [{ dots: ['#0a7bc2'], text: 'all' }], label: 'Ran in alice' });
  });

  it('that it waits for input', () => {
    const { model } = modelOf(MAIN, alice({ run: 5, asks: true }));
    expect(badgeView(routing('%%interp alice'), model, { ...UNRUN, running: [run()] })).toMatchObject({
      state: 'asks',
      label: 'Waits for input in alice'
    });
    expect(badgeView(routing('%%interp alice'), model, { ...UNRUN, running: [run({ id: 4 })] }).state).toBe('running');
  });
});

/** A notebook whose cells have badges. */
function shown(sources: (string | FakeCell)[], ...others: Parameters<typeof modelOf>) {
  const cells = sources.map((cell, index) =>
    typeof cell === 'string' ? new FakeCell(cell, { id: `c${index}` }) : cell
  );
  const notebook = new FakeNotebook(cells);
  const choose = vi.fn();
  const { model, connection } = modelOf(MAIN, ...others);
  followNotebook(notebook.it, model, choose);
  return { notebook, cells, choose, model, connection };
}

/** How often the page changes while that happens. */
async function changes(cells: FakeCell[], happening: () => void): Promise<number> {
  const records: MutationRecord[] = [];
  const observer = new MutationObserver(more => records.push(...more));
  cells.forEach(cell => observer.observe(cell.node, { subtree: true, childList: true, attributes: true }));
  happening();
  await Promise.resolve();
  observer.disconnect();
  return new Set(records.map(record => (record.target as Element).closest('button'))).size;
}

describe('the badges of a notebook', () => {
  it('are on code cells', () => {
    const { cells } = shown(['%%interp alice', new FakeCell('# text', { type: 'markdown' })], alice());
    expect(cells.map(cell => cell.badge?.textContent)).toEqual(['alice', undefined]);
    const badge = cells[0]!.badge!;
    expect([badge.title, badge.getAttribute('aria-label'), badge.getAttribute('aria-haspopup')]).toEqual([
      'This cell goes to alice.',
      'Interpreter alice',
      'menu'
    ]);
    expect(badge.querySelector<HTMLElement>('.jp-xinterp-CellBadge-dot')!.style.color).toBe('rgb(10, 123, 194)');
  });

  it('follow what is typed', () => {
    const { cells } = shown(['x'], alice());
    cells[0]!.source = '%%interp alice\nx';
    expect(cells[0]!.badge!.textContent).toBe('alice');
    cells[0]!.source = '%%interp ali\nx';
    expect(cells[0]!.badge!.className).toBe('jp-xinterp-CellBadge jp-mod-unknown jp-mod-idle');
  });

  it('follow the kernel', () => {
    const { cells, connection } = shown(['%%interp alice', 'x']);
    expect(cells.map(cell => cell.badge!.textContent)).toEqual(['alice?', 'main']);
    connection.tell(event(11, { interpreters: [alice()], uses: { me: [1] } }));
    expect(cells.map(cell => cell.badge!.textContent)).toEqual(['alice', 'alice']);
    connection.tell(event(12, { interpreters: [alice({ name: 'carol', label: 'carol' })] }));
    expect(cells.map(cell => cell.badge!.textContent)).toEqual(['alice?', 'carol']);
    connection.tell(event(13, { gone: [1], uses: {} }));
    expect(cells.map(cell => cell.badge!.textContent)).toEqual(['alice?', 'main']);
  });

  it('keep where the cell ran until it is edited or runs again', () => {
    const { cells, connection } = shown(['x', 'y'], alice());
    const ran = (more: object) => run({ cell: 'c0', end: 1, status: 'ok', ...more });
    connection.tell(event(11, { runs: [ran({ id: 5, interpreter: 0, label: 'main' })] }));
    connection.tell(event(12, { uses: { me: [1] } }));
    expect(cells.map(cell => cell.badge!.textContent)).toEqual(['main', 'alice']);
    cells[0]!.edited = true;
    expect(cells[0]!.badge!.textContent).toBe('alice');
    cells[0]!.edited = false;
    expect(cells[0]!.badge!.textContent).toBe('main');
    connection.tell(event(13, { runs: [ran({ id: 6, message: 'again' })] }));
    connection.tell(event(14, { uses: {} }));
    expect(cells.map(cell => cell.badge!.textContent)).toEqual(['alice', 'main']);
  });

  it('know which interpreters the cells above create', async () => {
    const { notebook, cells } = shown(['x', '%%interp alice', '%%interp bob']);
    const kinds = async () => {
      await Promise.resolve();
      return cells.map(cell => /jp-mod-(known|later|unknown|kernel)/.exec(cell.badge!.className)![1]);
    };
    expect(await kinds()).toEqual(['known', 'unknown', 'unknown']);
    cells[0]!.source = '%interp create alice';
    expect(await kinds()).toEqual(['kernel', 'later', 'unknown']);
    notebook.content.insert(0, new FakeCell('%interp create bob', { id: 'new' }));
    expect(await kinds()).toEqual(['kernel', 'kernel', 'later', 'later']);
    notebook.content.widgets.reverse();
    notebook.content.model.cells.changed.emit();
    expect(await kinds()).toEqual(['unknown', 'unknown', 'kernel', 'kernel']);
  });

  it('show names as text', () => {
    const { cells } = shown(['%%interp 1'], interpreter({ id: 1, name: '<img>', label: '<img src=x>' }));
    expect(cells[0]!.badge!.querySelector('img')).toBe(null);
    expect(cells[0]!.badge!.textContent).toBe('<img src=x>');
  });

  it('show what runs, by the id of the cell', () => {
    const { cells, connection } = shown(['%%interp alice &', '%%interp alice'], alice());
    connection.tell(event(11, { runs: [run({ cell: 'c0', detached: true })] }));
    expect(cells.map(cell => cell.badge!.classList.contains('jp-mod-running'))).toEqual([true, false]);
    expect(cells[0]!.badge!.getAttribute('aria-label')).toBe('Runs in alice');
    connection.tell(event(12, { interpreters: [alice({ run: 5, asks: true })] }));
    expect(cells[0]!.badge!.classList.contains('jp-mod-asks')).toBe(true);
    expect(cells[0]!.badge!.querySelectorAll('.jp-xinterp-CellBadge-asks > svg').length).toBe(1);
    connection.tell(event(13, { runs: [run({ cell: 'c0', end: 1, status: 'ok' })] }));
    expect(cells[0]!.badge!.classList.contains('jp-mod-idle')).toBe(true);
  });

  it('show what runs already when the page is loaded', () => {
    const { model } = modelOf(MAIN, alice());
    Object.defineProperty(model, 'running', { value: [run({ cell: 'c0' })] });
    const cell = new FakeCell('%%interp alice &', { id: 'c0' });
    followNotebook(new FakeNotebook([cell]).it, model, () => undefined);
    expect(cell.badge!.classList.contains('jp-mod-running')).toBe(true);
  });

  it('are not there if the kernel is no xinterp, or none is there yet', () => {
    const { cells, connection } = shown(['%%interp alice', 'x'], alice());
    connection.fails('Python 3 (ipykernel) is no xinterp kernel: it has one interpreter.');
    expect(cells.map(cell => cell.badge)).toEqual([null, null]);
  });

  it('stay as they were while the connection is lost', () => {
    const { cells, connection } = shown(['%%interp alice'], alice());
    connection.fails('The connection to the kernel is lost.', true);
    expect(cells[0]!.badge!.textContent).toBe('alice');
  });

  it('come to cells that come into sight later', async () => {
    const hidden = new FakeCell('%%interp alice', { placeholder: true });
    shown([hidden], alice());
    expect(hidden.badge).toBe(null);
    hidden.show();
    await hidden.ready;
    expect(hidden.badge!.textContent).toBe('alice');
  });

  it('come to new cells and go with old ones', () => {
    const { notebook, cells, connection } = shown(['x'], alice());
    const added = new FakeCell('%%interp alice', { id: 'added' });
    notebook.content.insert(1, added);
    expect(added.badge!.textContent).toBe('alice');
    const first = cells[0]!;
    const text = first.model.sharedModel;
    first.dispose();
    expect(first.badge).toBe(null);
    connection.tell(event(11, { uses: { me: [1] } }));
    text.updateSource(0, 0, '%%interp alice');
    expect(first.badge).toBe(null);
  });

  it('go with the notebook', () => {
    const { notebook, cells, connection } = shown(['x'], alice());
    notebook.disposed.emit();
    connection.tell(event(11, { uses: { me: [1] } }));
    expect(cells[0]!.badge).toBe(null);
  });

  it('are reached by Tab in the active cell alone', () => {
    const { notebook, cells } = shown(['x', 'y'], alice());
    expect(cells.map(cell => cell.badge!.tabIndex)).toEqual([0, -1]);
    notebook.content.activeCellIndex = 1;
    expect(cells.map(cell => cell.badge!.tabIndex)).toEqual([-1, 0]);
  });

  it('make their cell active when pressed, and ask', () => {
    const { notebook, cells, choose } = shown(['x', 'y'], alice());
    cells[1]!.badge!.click();
    expect(notebook.content.activeCellIndex).toBe(1);
    expect(choose).toHaveBeenCalledOnce();
  });

  it('leave the keys that press them to the browser', () => {
    const { cells } = shown(['x'], alice());
    expect(cells[0]!.badge!.hasAttribute('data-lm-suppress-shortcuts')).toBe(true);
  });
});

describe('what a cell creates', () => {
  it.each<[string, string[], string]>([
    ['%interp create alice bob', ['alice', 'bob'], ''],
    ['# two\n  %interp create alice,bob --preset shared --fresh # now', ['alice', 'bob'], ''],
    ['%interp create --preset=shared alice', ['alice'], ''],
    ['import x\nids = %interp create alice', ['alice'], ''],
    ['%interp rename alice carol', ['carol'], ''],
    ['%%interp alice,bob --create\nx', ['alice', 'bob'], ''],
    ['xinterp.create("alice", \'bob\', preset="shared")', ['alice', 'bob'], ''],
    ['for name in names:\n    %interp create {name}', [], 'unread'],
    ['xinterp.create(*names)', [], 'unread'],
    ['%interp create -n 4', [], 'numbered'],
    ['interpreters.create()', [], 'numbered'],
    ['xinterp.create(n=2)', [], 'numbered'],
    ['# %interp create alice', [], ''],
    ['%interp close alice', [], ''],
    ['%%interp alice\ncreate(x)', [], '']
  ])('is read off its text: %j', (source, names, more) => {
    const read = { names, unread: more === 'unread', numbered: more === 'numbered' };
    expect(creations(source)).toEqual(read);
  });

  it('of names that are known when it runs, any may be one', () => {
    const unread = [creations('%interp create {name}')];
    expect([creates(unread, 'alice'), creates(unread, '1')]).toEqual([true, false]);
    const numbered = [creations('%interp create -n 4')];
    expect([creates(numbered, 'alice'), creates(numbered, '1')]).toEqual([false, true]);
  });
});

describe('a kernel that dies', () => {
  function dies(status: string, lost: Run[] | null) {
    const cells = ['c0', 'c1', 'c2'].map(id => new FakeCell('x', { id }));
    const outputs = cells.map(cell => cell.runs(cell.model.id !== 'c1'));
    const sessionContext = { statusChanged: new Signal<object, string>({}) };
    followDeaths(new FakeNotebook(cells, sessionContext).it, { lost });
    sessionContext.statusChanged.emit(status);
    return outputs.map(texts => texts.join(''));
  }

  it('is told of below the cells that had not ended, with where they ran', () => {
    const lost = [run({ cell: 'c0' }), run({ cell: 'c0', id: 6, label: 'bob' })];
    const gone = 'Its interpreters are gone, with all their variables.\n';
    expect(dies('autorestarting', lost)).toEqual([
      `The kernel died while this cell ran in alice and bob. ${gone}`,
      '',
      `The kernel died before this cell had ended. ${gone}`
    ]);
  });

  it('is not one that is restarted, nor one of another kind', () => {
    expect(dies('restarting', [])).toEqual(['', '', '']);
    expect(dies('autorestarting', null)).toEqual(['', '', '']);
  });
});

describe('of 500 badges', () => {
  const sources = Array.from({ length: 500 }, (_, index) => (index % 2 ? 'x' : '%%interp alice'));

  it('none changes when what happens in the kernel does not concern it', async () => {
    const { cells, connection } = shown(sources, alice(), bob());
    expect(
      await changes(cells, () => connection.tell(event(11, { interpreters: [alice({ cells: 9, state: 'running' })] })))
    ).toBe(0);
  });

  it('one changes when its cell runs', async () => {
    const { cells, connection } = shown(sources, alice());
    expect(await changes(cells, () => connection.tell(event(11, { runs: [run({ cell: 'c3' })] })))).toBe(1);
    expect(await changes(cells, () => connection.tell(event(12, { interpreters: [alice({ run: 5 })] })))).toBe(0);
  });

  it('one changes when its first line does, and none when the code below does', async () => {
    const { cells } = shown(sources, alice(), bob());
    expect(await changes(cells, () => (cells[0]!.source = '%%interp bob'))).toBe(1);
    expect(await changes(cells, () => (cells[0]!.source = '%%interp bob\nx = 1'))).toBe(0);
  });

  it('those of plain cells change when they go elsewhere', async () => {
    const { cells, connection } = shown(sources, alice());
    expect(await changes(cells, () => connection.tell(event(11, { uses: { me: [1] } })))).toBe(250);
  });
});

describe('a text that is replaced', () => {
  it.each([
    ['%%interp alice\nx', '%%interp bob\nx'],
    ['', '%%interp bob\n'],
    ['%%interp bob\n', ''],
    ['aaa', 'aa'],
    ['%%interp 𝐚', '%%interp 𝐛'],
    ['𝐚b', '𐀀b']
  ])('changes at one place: %j, %j', (old, now) => {
    const text = new FakeText(old);
    setText(text, now);
    expect([text.getSource(), text.edits]).toEqual([now, 1]);
  });

  it('does not change where it stays the same', () => {
    const text = new FakeText('%%interp alice\nx = 1');
    const update = vi.spyOn(text, 'updateSource');
    setText(text, '%%interp bob\nx = 1');
    expect(update).toHaveBeenCalledWith(9, 14, 'bob');
    setText(text, '%%interp bob\nx = 1');
    expect(update).toHaveBeenCalledOnce();
  });

  it('is never cut between the halves of a sign', () => {
    const text = new FakeText('𝐚');
    const update = vi.spyOn(text, 'updateSource');
    setText(text, '𝐛');
    expect(update).toHaveBeenCalledWith(0, 2, '𝐛');
  });
});
