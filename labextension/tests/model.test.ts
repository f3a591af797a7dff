import { beforeEach, expect, test, vi } from 'vitest';
import { KernelModel } from '../src/model';
import { alice, bob, event, FakeConnection, interpreter, NOON, run, snapshot } from './fakes';

let connection: FakeConnection;
let model: KernelModel;
let changes: number;

beforeEach(() => {
  vi.useFakeTimers({ now: NOON * 1000 });
  connection = new FakeConnection();
  model = new KernelModel(connection);
  changes = 0;
  model.changed.connect(() => (changes += 1));
  return () => vi.useRealTimers();
});

const labels = () => model.interpreters.map(row => row.label);

test('a snapshot is everything', () => {
  connection.tell(snapshot({ interpreters: [interpreter(), alice()], runs: [run()] }));
  connection.tell(snapshot({ interpreters: [interpreter(), bob()], runs: [run({ id: 6, interpreter: 2 })] }));
  expect(labels()).toEqual(['main', 'bob']);
  expect(model.runs.map(run => run.id)).toEqual([6]);
  expect(changes).toBe(2);
});

test('interpreters are in order, main first, and found by id and by name', () => {
  connection.tell(snapshot({ interpreters: [interpreter(), bob()] }));
  connection.tell(event(11, { interpreters: [alice({ state: 'closing' }), interpreter({ id: 3 })] }));
  expect(labels()).toEqual(['main', 'alice', 'bob', '3']);
  expect(model.get(2)?.label).toBe('bob');
  expect(['alice', '1', 'main', '0', '3', 'carol', '7', '__proto__'].map(target => model.find(target)?.id)).toEqual([
    1,
    1,
    0,
    0,
    3,
    undefined,
    undefined,
    undefined
  ]);
});

test('an event changes the rows that it has, and only those are new objects', () => {
  connection.tell(snapshot({ interpreters: [interpreter(), alice(), bob()] }));
  const [main, , before] = model.interpreters;
  connection.tell(event(11, { interpreters: [alice({ cells: 1 })] }));
  expect(model.interpreters[1]).toEqual(alice({ cells: 1 }));
  expect(model.interpreters[0]).toBe(main);
  expect(model.interpreters[2]).toBe(before);
  connection.tell(event(12, { gone: [1] }));
  expect(labels()).toEqual(['main', 'bob']);
  expect(model.get(1)).toBeUndefined();
});

test('what has not changed stays the same object, in snapshots too', () => {
  connection.tell(snapshot({ interpreters: [interpreter(), alice()], runs: [run()] }));
  const { interpreters, runs, running, use } = model;
  connection.tell(snapshot({ interpreters: [interpreter(), alice()], runs: [run()] }));
  connection.tell(event(11, { interpreters: [alice()], runs: [run()] }));
  expect(model.interpreters).toBe(interpreters);
  expect(model.runs).toBe(runs);
  expect(model.running).toBe(running);
  expect(model.use).toEqual(use);
});

test('runs are oldest first, and those that have not ended are running', () => {
  connection.tell(snapshot({ runs: [run({ id: 5 }), run({ id: 6 })] }));
  connection.tell(event(11, { runs: [run({ id: 5, end: NOON, status: 'ok' }), run({ id: 7 })] }));
  expect(model.runs.map(run => run.id)).toEqual([5, 6, 7]);
  expect(model.running.map(run => run.id)).toEqual([6, 7]);
  expect(model.run(5)?.status).toBe('ok');
});

test('runs that ended more than ten minutes ago are forgotten, those that run are not', () => {
  connection.tell(snapshot({ runs: [run({ id: 5, cell: null, end: NOON - 1, status: 'ok' }), run({ id: 6 })] }));
  vi.advanceTimersByTime(599_500);
  connection.tell(event(11, { time: NOON + 599.5 }));
  expect(model.runs.map(run => run.id)).toEqual([6]);
});

test('the last runs of a cell are remembered longer, and found by the cell', () => {
  const ended = (id: number, message: string) => run({ id, message, end: NOON - 1, status: 'ok' });
  connection.tell(snapshot({ runs: [ended(5, 'first'), ended(6, 'second'), ended(7, 'second')] }));
  const last = model.lastRuns('cell');
  expect(last.map(run => run.id)).toEqual([6, 7]);
  vi.advanceTimersByTime(599_500);
  connection.tell(event(11, { time: NOON + 599.5 }));
  expect(model.runs.map(run => run.id)).toEqual([6, 7]);
  expect(model.lastRuns('cell')).toBe(last);
  connection.tell(event(12, { runs: [run({ id: 8, message: 'third' })] }));
  expect(model.runs.map(run => run.id)).toEqual([8]);
  expect(model.lastRuns('cell').map(run => run.id)).toEqual([8]);
  expect(model.lastRuns('another cell')).toEqual([]);
});

test('a thousand runs are remembered', () => {
  const many = Array.from({ length: 1000 }, (_, id) => run({ id, end: id === 1 ? null : NOON, status: 'ok' }));
  connection.tell(snapshot({ runs: many }));
  connection.tell(event(11, { runs: [run({ id: 1000 }), run({ id: 1001 })] }));
  expect(model.runs).toHaveLength(1000);
  expect(model.runs.slice(0, 2).map(run => run.id)).toEqual([1, 3]);
});

test("this client's plain cells go where the kernel says, and to main if it says nothing", () => {
  connection.tell(snapshot({ interpreters: [interpreter(), alice(), bob()], uses: { another: [1] } }));
  expect(model.use.map(row => row.label)).toEqual(['main']);
  connection.tell(event(11, { uses: { me: [1, 2] } }));
  expect(model.use.map(row => row.label)).toEqual(['alice', 'bob']);
  connection.tell(event(12, { interpreters: [alice({ cells: 9 })] }));
  expect(model.use[0]).toEqual(alice({ cells: 9 }));
});

test("the kernel's clock is told by the least delayed message since the snapshot", () => {
  connection.tell(snapshot({ time: NOON + 100 }));
  expect(model.now()).toBe(NOON + 100);
  vi.advanceTimersByTime(1000);
  connection.tell(event(11, { time: NOON + 100.5 }));
  expect(model.now()).toBe(NOON + 101);
  connection.tell(event(12, { time: NOON + 101.25 }));
  expect(model.now()).toBe(NOON + 101.25);
  connection.tell(snapshot({ time: NOON }));
  expect(model.now()).toBe(NOON);
});

test('a kernel that restarts or goes takes all with it', () => {
  connection.tell(snapshot({ interpreters: [interpreter(), alice()], runs: [run()], uses: { me: [1] } }));
  connection.fails('The kernel is restarting.');
  expect(model.problem).toBe('The kernel is restarting.');
  expect(model.lost).toEqual([run()]);
  expect([model.interpreters, model.runs, model.running, model.use]).toEqual([[], [], [], []]);
  expect(model.find('alice')).toBeUndefined();
  connection.tell(snapshot());
  expect(model.use.map(row => row.label)).toEqual(['main']);
});

test('what was known stays while the connection is lost', () => {
  connection.tell(snapshot({ interpreters: [interpreter(), alice()] }));
  connection.fails('The connection to the kernel is lost.', true);
  expect(model.problem).toBe('The connection to the kernel is lost.');
  expect(labels()).toEqual(['main', 'alice']);
  expect(changes).toBe(2);
});

test('commands and wishes go to the kernel', async () => {
  connection.answers = () => ({ value: [1], text: 'created alice' });
  expect(await model.command({ command: 'create', names: ['alice'] })).toEqual({ value: [1], text: 'created alice' });
  expect(connection.requests).toEqual([{ command: 'create', names: ['alice'] }]);
  model.refresh();
  expect(connection.refreshed).toBe(1);
});

test('a model that is disposed of ends its connection and tells nothing', () => {
  model.dispose();
  connection.tell(snapshot());
  expect([changes, connection.isDisposed, model.isDisposed]).toEqual([0, true, true]);
});
