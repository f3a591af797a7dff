import type { Cell } from '@jupyterlab/cells';
import { Widget } from '@lumino/widgets';
import { beforeEach, expect, test } from 'vitest';
import { Inputs } from '../src/inputs';
import { KernelModel } from '../src/model';
import { alice, bob, event, FakeConnection, interpreter, run, snapshot } from './fakes';

let connection: FakeConnection;
let kernel: { hasPendingInput: boolean };
let field: Widget;
let answered: Widget;
let text: Widget;

beforeEach(() => {
  connection = new FakeConnection();
  kernel = { hasPendingInput: true };
  [field, answered, text] = [new Widget(), new Widget(), new Widget()];
  field.addClass('jp-OutputArea-stdin-item');
  answered.addClass('jp-OutputArea-stdin-item');
  answered.addClass('jp-OutputArea-stdin-hiding');
  const cells = [
    { model: { type: 'markdown', id: 'cell' } },
    { model: { type: 'code', id: 'cell' }, outputArea: { widgets: [text, answered, field] } }
  ];
  new Inputs(
    new KernelModel(connection),
    () => kernel,
    () => cells as unknown as Cell[]
  );
  connection.told.emit(
    snapshot({
      interpreters: [interpreter(), alice({ state: 'running', run: 5, asks: true }), bob()],
      runs: [run({ id: 5, cell: 'cell' }), run({ id: 6, interpreter: 2, cell: 'other' })]
    })
  );
});

test('while somebody asks, nothing is changed', () => {
  connection.told.emit(event(11, { interpreters: [bob({ queued: 1 })] }));
  expect(kernel.hasPendingInput).toBe(true);
  expect(field.isDisposed).toBe(false);
});

test('when the one that asked was interrupted, its field goes and cells run again', () => {
  connection.told.emit(event(11, { interpreters: [alice()], runs: [run({ id: 5, end: 1, status: 'error' })] }));
  expect(kernel.hasPendingInput).toBe(false);
  expect([text, answered, field].map(widget => widget.isDisposed)).toEqual([false, false, true]);
});

test('when it was closed, likewise', () => {
  connection.told.emit(event(11, { gone: [1] }));
  expect(kernel.hasPendingInput).toBe(false);
  expect(field.isDisposed).toBe(true);
});

test('while another one asks, the notebook still waits', () => {
  connection.told.emit(event(11, { interpreters: [alice(), bob({ state: 'running', run: 6, asks: true })] }));
  expect(kernel.hasPendingInput).toBe(true);
  expect(field.isDisposed).toBe(true);
  connection.told.emit(event(12, { interpreters: [bob()] }));
  expect(kernel.hasPendingInput).toBe(false);
});
