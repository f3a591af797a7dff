import { Signal } from '@lumino/signaling';
import { beforeEach, expect, test } from 'vitest';
import { type Document, followDocuments, KernelModels } from '../src/models';
import { FakeContext } from './fakes';

class FakeDocument {
  readonly disposed = new Signal<this, void>(this);
  readonly context = new FakeContext();
  readonly sessionContext = this.context.it;
  isVisible = true;

  get it(): Document {
    return this as unknown as Document;
  }
}

let models: KernelModels;
let changes: number;
let notebook: FakeDocument;
let console: FakeDocument;

beforeEach(() => {
  models = new KernelModels();
  changes = 0;
  models.currentChanged.connect(() => (changes += 1));
  notebook = new FakeDocument();
  console = new FakeDocument();
});

test('there is no model when there is no notebook', () => {
  expect(models.current).toBeNull();
  models.show(null);
  expect(changes).toBe(0);
});

test('the current model is that of the notebook or console in front', () => {
  models.show(notebook.it);
  expect(models.current).toBe(models.of(notebook.sessionContext));
  models.show(console.it);
  expect(models.current).toBe(models.of(console.sessionContext));
  models.show(console.it);
  expect(changes).toBe(2);
});

test('each session has one model, which goes with it', () => {
  const model = models.of(notebook.sessionContext);
  expect(models.of(notebook.sessionContext)).toBe(model);
  expect(models.of(console.sessionContext)).not.toBe(model);
  notebook.context.disposed.emit();
  expect(model.isDisposed).toBe(true);
});

test('a notebook that stays in sight beside a text stays current', () => {
  models.show(notebook.it);
  models.show(null);
  expect(models.current).toBe(models.of(notebook.sessionContext));
  notebook.isVisible = false;
  models.show(null);
  expect(models.current).toBeNull();
});

test('a notebook that is closed is not current', () => {
  models.show(notebook.it);
  notebook.disposed.emit();
  expect(models.current).toBeNull();
  expect(changes).toBe(2);
});

test('documents are followed that are open, and that are opened later', () => {
  const tracker = (...open: FakeDocument[]) => {
    const widgetAdded = new Signal<object, FakeDocument>({});
    return { widgetAdded, forEach: (each: (document: FakeDocument) => void) => open.forEach(each) };
  };
  const followed: [string, unknown][] = [];
  const notebooks = tracker(notebook);
  const follow = followDocuments as unknown as (...of: unknown[]) => void;
  const note = (kind: string) => (document: unknown) => followed.push([kind, document]);
  follow(notebooks, null, note('notebook'), note('console'));
  const consoles = tracker();
  follow(null, consoles, note('notebook'), note('console'));
  consoles.widgetAdded.emit(console);
  expect(followed).toEqual([
    ['notebook', notebook],
    ['console', console]
  ]);
});
