import { beforeEach, describe, expect, test } from 'vitest';
import { CommandError, Connection } from '../src/connection';
import type { Event, FromKernel, Snapshot } from '../src/protocol';
import { event, FakeContext, FakeKernel, snapshot } from './fakes';

let context: FakeContext;
let kernel: FakeKernel;
let connection: Connection;
let told: (Snapshot | Event)[];

beforeEach(async () => {
  context = new FakeContext();
  kernel = new FakeKernel();
  connection = new Connection(context.it);
  told = [];
  connection.told.connect((_, message) => told.push(message));
  await context.replaceKernel(kernel);
});

/** The sequence numbers of what has been told. */
const numbers = () => told.map(message => `${message.type} ${message.sequence}`);

describe('a connection', () => {
  test('says hello with its version, and has no problem when the snapshot has come', () => {
    expect(kernel.sent).toEqual([{ type: 'comm_open', data: { version: 1, colours: true } }]);
    expect(connection.problem).toBe('Waiting for the kernel.');
    kernel.says(snapshot());
    expect(connection.problem).toBeNull();
    expect(connection.client).toBe('me');
    expect(told).toEqual([snapshot()]);
  });

  test('tells events in order, and passes over those that the snapshot has', () => {
    kernel.says(event(10));
    kernel.says(snapshot());
    [9, 10, 11, 12].forEach(sequence => kernel.says(event(sequence)));
    expect(numbers()).toEqual(['snapshot 10', 'event 11', 'event 12']);
  });

  test('asks for a snapshot when an event is missing, and tells nothing until it comes', () => {
    kernel.says(snapshot());
    kernel.says(event(12));
    kernel.says(event(13));
    expect(kernel.sent.slice(1)).toEqual([{ type: 'comm_msg', data: { type: 'snapshot' } }]);
    kernel.says(snapshot({ sequence: 13 }));
    kernel.says(event(14));
    expect(numbers()).toEqual(['snapshot 10', 'snapshot 13', 'event 14']);
    expect(connection.problem).toBeNull();
  });

  test('asks for a snapshot when it is told to', () => {
    connection.refresh();
    expect(kernel.sent).toHaveLength(1);
    kernel.says(snapshot());
    connection.refresh();
    expect(kernel.sent[1]).toEqual({ type: 'comm_msg', data: { type: 'snapshot' } });
  });

  test('passes over other comms, and what it does not know', () => {
    kernel.says(snapshot(), 'another');
    kernel.says({ type: 'poem' } as unknown as FromKernel);
    kernel.says(snapshot({ version: 2 }));
    expect(told).toEqual([]);
  });

  test('shows the sentence of a kernel that does not speak its version', () => {
    kernel.says({ type: 'refusal', session: 'another', error: 'not for me' });
    expect(connection.problem).toBe('Waiting for the kernel.');
    kernel.says({ type: 'refusal', session: 'me', error: 'This kernel speaks version 2.' });
    expect(connection.problem).toBe('This kernel speaks version 2.');
  });

  test('says that a kernel without the comm is too old', () => {
    kernel.knowsNoSuchComm('of another');
    expect(connection.problem).toBe('Waiting for the kernel.');
    kernel.knowsNoSuchComm();
    expect(connection.problem).toBe(
      'This xinterp kernel is older than the panel, and does not know it. Update xinterp.'
    );
  });

  test('says what another kernel is, and sends it nothing', async () => {
    const foreign = new FakeKernel('ipython');
    context.kernelDisplayName = 'Python 3 (ipykernel)';
    await context.replaceKernel(foreign);
    expect(connection.problem).toBe('Python 3 (ipykernel) is no xinterp kernel: it has one interpreter.');
    expect(foreign.sent).toEqual([]);
  });

  test('says that there is no kernel, or that it starts', async () => {
    await context.replaceKernel(null);
    expect(connection.problem).toBe('The kernel is starting.');
    context.hasNoKernel = true;
    context.sessionChanged.emit();
    expect(connection.problem).toBe('There is no kernel. Choose one from the Kernel menu.');
  });

  test.each([
    ['dead', 'The kernel has died. Restart it from the Kernel menu.'],
    ['restarting', 'The kernel is restarting.'],
    ['autorestarting', 'The kernel is restarting.'],
    ['terminating', 'The kernel is shutting down.'],
    ['starting', 'The kernel is starting.']
  ] as const)('says in a sentence that the kernel is %s', (status, sentence) => {
    kernel.says(snapshot());
    context.kernelIs(status);
    expect(connection.problem).toBe(sentence);
    expect(connection.lost).toBe(false);
  });

  test('says hello again when the kernel has restarted, and hears nothing of the old one', () => {
    kernel.says(snapshot());
    context.kernelIs('restarting');
    kernel.says(event(11));
    context.kernelIs('unknown', 'connecting');
    expect(connection.problem).toBe('Connecting to the kernel.');
    expect(kernel.sent).toHaveLength(1);
    context.kernelIs('idle');
    expect(kernel.sent.map(message => message.type)).toEqual(['comm_open', 'comm_open']);
    kernel.says(snapshot({ sequence: 0 }));
    kernel.says(event(1));
    expect(numbers()).toEqual(['snapshot 10', 'snapshot 0', 'event 1']);
    expect(connection.problem).toBeNull();
  });

  test('says that a connection is lost until a snapshot has come over the new one', () => {
    kernel.says(snapshot());
    context.kernelIs('unknown', 'connecting');
    expect([connection.problem, connection.lost]).toEqual(['The connection to the kernel is lost.', true]);
    context.kernelIs('busy');
    expect(connection.lost).toBe(true);
    expect(kernel.sent.map(message => message.type)).toEqual(['comm_open', 'comm_open']);
    kernel.says(snapshot({ sequence: 20 }));
    expect([connection.problem, connection.lost]).toEqual([null, false]);
  });

  test('follows the session to another kernel', async () => {
    kernel.says(snapshot());
    const other = new FakeKernel('xinterp', 'me too');
    await context.replaceKernel(other);
    expect(connection.client).toBe('me too');
    kernel.says(event(11));
    other.says(snapshot({ sequence: 3 }));
    expect(numbers()).toEqual(['snapshot 10', 'snapshot 3']);
  });

  test('of a console with a subshell is another client than its session, and asks through the subshell', async () => {
    kernel.subshellId = 'sub';
    await context.replaceKernel(null);
    await context.replaceKernel(kernel);
    expect(connection.client).toBe('me/sub');
    expect(kernel.sentThrough).toBe('sub');
  });

  test('hears nothing when it has been disposed of', () => {
    connection.dispose();
    kernel.says(snapshot());
    context.kernelIs('restarting');
    expect(told).toEqual([]);
  });
});

describe('a command', () => {
  beforeEach(() => kernel.says(snapshot()));

  /** The id that the connection has given its last command. */
  const id = () => (kernel.sent.at(-1)!.data as { id: string }).id;
  const create = { command: 'create', names: ['alice'] } as const;

  test('is sent as it is, and gives the value and the text of its result', async () => {
    const answer = connection.command({ ...create, names: ['alice'] });
    expect(kernel.sent.at(-1)!.data).toEqual({ type: 'command', id: id(), request: create });
    kernel.says({ type: 'result', id: 'of another client', ok: true, value: 0, text: '' });
    kernel.says({ type: 'result', id: id(), ok: true, value: [1], text: 'created alice (1)' });
    expect(await answer).toEqual({ value: [1], text: 'created alice (1)' });
  });

  test('that the kernel refuses fails with its sentence', async () => {
    const answer = connection.command({ ...create, names: ['alice'] });
    kernel.says({ type: 'result', id: id(), ok: false, error: 'alice exists.' });
    await expect(answer).rejects.toEqual(new CommandError('alice exists.'));
  });

  test('that is aborted is cancelled', async () => {
    const aborter = new AbortController();
    const answer = connection.command({ command: 'wait', targets: [1] }, aborter.signal);
    const asked = id();
    aborter.abort('enough');
    await expect(answer).rejects.toBe('enough');
    expect(kernel.sent.at(-1)!.data).toEqual({ type: 'cancel', id: asked });
    kernel.says({ type: 'result', id: asked, ok: true });
  });

  test('that was aborted before is not sent', async () => {
    await expect(connection.command({ command: 'wait' }, AbortSignal.abort('enough'))).rejects.toBe('enough');
    expect(kernel.sent).toHaveLength(1);
  });

  test.each([
    ['restarts', () => context.kernelIs('restarting'), 'It was not answered: The kernel is restarting.'],
    [
      'dies',
      () => context.kernelIs('dead'),
      'It was not answered: The kernel has died. Restart it from the Kernel menu.'
    ],
    ['is replaced', () => void context.replaceKernel(new FakeKernel()), 'The kernel was replaced before it answered.'],
    [
      'cannot be reached',
      () => context.kernelIs('unknown', 'connecting'),
      'The connection to the kernel is lost. The command may have been done.'
    ],
    ['is closed', () => connection.dispose(), 'It was closed before the kernel answered.']
  ])('fails with a sentence when the kernel %s', async (_, happens, sentence) => {
    const answer = connection.command({ command: 'wait' });
    happens();
    await expect(answer).rejects.toEqual(new CommandError(sentence));
  });

  test('fails at once while there is a problem', async () => {
    context.kernelIs('restarting');
    await expect(connection.command({ command: 'wait' })).rejects.toEqual(
      new CommandError('The kernel is restarting.')
    );
  });
});
