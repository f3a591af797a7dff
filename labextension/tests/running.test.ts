import { Signal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';
import { beforeEach, expect, it, vi } from 'vitest';
import { RunningInterpreters } from '../src/running';
import { alice, bob, event, interpreter, modelOf } from './fakes';

const notified = vi.hoisted(() => vi.fn());
vi.mock('@jupyterlab/apputils', () => ({ Notification: { error: notified } }));
vi.mock('../src/panel/commands', () => ({ CommandIDs: {} }));
vi.mock('@jupyterlab/running', () => ({ IRunningSessionManagers: {} }));

const MAIN = interpreter();
const show = vi.fn();
let manager: RunningInterpreters;

beforeEach(() => {
  notified.mockReset();
  show.mockReset();
  manager = new RunningInterpreters(show);
});

/** Opens a document on a kernel. */
function open(title: string, kernel: string, ...interpreters: Parameters<typeof modelOf>) {
  const { model, connection } = modelOf(...interpreters);
  const disposed = new Signal<object, void>({});
  const document = { title: { label: title }, disposed, sessionContext: { session: { kernel: { id: kernel } } } };
  manager.add(document as unknown as Parameters<RunningInterpreters['add']>[0], model);
  return { document: document as unknown as Widget, connection, close: () => disposed.emit() };
}

function listed(): string[] {
  return manager.running().map(item => `${String(item.label())}, ${item.detail!()}`);
}

it('the interpreters of all documents are listed', () => {
  open('a.ipynb', 'k1', MAIN, alice({ state: 'running' }));
  open('b.ipynb', 'k2', MAIN);
  expect(listed()).toEqual(['main, idle · a.ipynb', 'alice, running · a.ipynb', 'main, idle · b.ipynb']);
});

it('those of a kernel that two documents share are listed once', () => {
  const first = open('a.ipynb', 'k1', MAIN, alice());
  open('Console 1', 'k1', MAIN, alice());
  const titles = () => manager.running().map(item => item.labelTitle!());
  expect(listed()).toEqual(['main, idle', 'alice, idle']);
  expect(titles()[1]).toBe('The interpreter alice of a.ipynb, idle');
  first.close();
  expect(listed()).toEqual(['main, idle', 'alice, idle']);
  expect(titles()[1]).toBe('The interpreter alice of Console 1, idle');
});

it('the list tells when it changes, and only then', () => {
  const changed = vi.fn();
  manager.runningChanged.connect(changed);
  const { connection, close } = open('a.ipynb', 'k1', MAIN);
  expect(changed).toHaveBeenCalledTimes(1);
  connection.tell(event(11, { interpreters: [alice()] }));
  expect(changed).toHaveBeenCalledTimes(2);
  connection.tell(event(12, { uses: { me: [1] } }));
  expect(changed).toHaveBeenCalledTimes(2);
  close();
  expect(changed).toHaveBeenCalledTimes(3);
});

it('one is closed by its name or id, main by nothing', () => {
  const { connection } = open('a.ipynb', 'k1', MAIN, alice(), interpreter({ id: 3 }));
  const [main, named, nameless] = manager.running();
  expect(main!.shutdown).toBe(undefined);
  named!.shutdown!();
  nameless!.shutdown!();
  expect(connection.requests).toEqual([
    { command: 'close', targets: ['alice'] },
    { command: 'close', targets: ['3'] }
  ]);
});

it('all are closed where there are any', () => {
  const first = open('a.ipynb', 'k1', MAIN, alice(), bob());
  const second = open('b.ipynb', 'k2', MAIN);
  manager.shutdownAll();
  expect(first.connection.requests).toEqual([{ command: 'close', targets: ['all'] }]);
  expect(second.connection.requests).toEqual([]);
});

it('what the kernel refuses to close is told', async () => {
  const { connection } = open('a.ipynb', 'k1', MAIN, alice());
  connection.answers = () => 'alice is running.';
  manager.running()[1]!.shutdown!();
  await vi.waitFor(() => expect(notified).toHaveBeenCalledExactlyOnceWith('alice is running.', { autoClose: 5000 }));
});

it('a click shows its document', () => {
  const { document } = open('a.ipynb', 'k1', MAIN);
  manager.running()[0]!.open!();
  expect(show).toHaveBeenCalledExactlyOnceWith(document);
});

it('a refresh asks the kernels', () => {
  const { connection } = open('a.ipynb', 'k1', MAIN);
  manager.refreshRunning();
  expect(connection.refreshed).toBe(1);
});
