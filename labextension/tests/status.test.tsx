import { act, fireEvent } from '@testing-library/react';
import { MessageLoop } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { KernelModel } from '../src/model';
import type { IKernelModels } from '../src/models';
import { StatusItem, statusText } from '../src/status';
import { alice, bob, event, interpreter, modelOf, run } from './fakes';

const MAIN = interpreter();

vi.mock('../src/panel/commands', () => ({ CommandIDs: {} }));

// jsdom has none.
vi.stubGlobal('requestIdleCallback', (callback: () => void) => (callback(), 0));

describe('the status bar says', () => {
  it('where plain cells go', () => {
    const { model, connection } = modelOf(MAIN, alice(), bob());
    expect(statusText(model)).toBe('main');
    connection.tell(event(11, { uses: { me: [1, 2] } }));
    expect(statusText(model)).toBe('alice, bob');
  });

  it('how many interpreters run', () => {
    const { model, connection } = modelOf(MAIN, alice(), bob());
    connection.tell(event(11, { runs: [run(), run({ id: 6, kind: 'code' }), run({ id: 7, interpreter: 2 })] }));
    expect(statusText(model)).toBe('main · 2 running');
    connection.tell(event(12, { runs: [run({ end: 1, status: 'ok' }), run({ id: 7, end: 1, status: 'ok' })] }));
    expect(statusText(model)).toBe('main · 1 running');
  });
});

describe('the item of the status bar', () => {
  class Models {
    readonly currentChanged = new Signal<IKernelModels, void>(this as unknown as IKernelModels);
    constructor(public current: KernelModel | null) {}

    show(model: KernelModel | null): void {
      this.current = model;
      this.currentChanged.emit();
    }
  }

  const items: StatusItem[] = [];

  afterEach(() => act(() => items.splice(0).forEach(item => item.dispose())));

  function shown(models: Models, showPanel = () => undefined as void): StatusItem {
    const item = new StatusItem(models, showPanel);
    items.push(item);
    act(() => Widget.attach(item, document.body));
    settle();
    return item;
  }

  function settle(): void {
    act(() => MessageLoop.flush());
  }

  it('follows the kernel in front', () => {
    const first = modelOf(MAIN);
    const models = new Models(first.model);
    const item = shown(models);
    expect(item.node.textContent).toBe('main');
    first.connection.tell(event(11, { interpreters: [alice()], uses: { me: [1] } }));
    settle();
    expect(item.node.textContent).toBe('alice');
    expect(item.node.querySelector<HTMLElement>('.jp-xinterp-Status-dot')!.style.background).toBe('rgb(10, 123, 194)');
    models.show(modelOf(MAIN).model);
    settle();
    expect(item.node.textContent).toBe('main');
    first.connection.tell(event(12, { uses: {} }));
    settle();
    expect(item.node.textContent).toBe('main');
  });

  it('is there for xinterp kernels alone', () => {
    const models = new Models(null);
    const item = shown(models);
    const changed = vi.fn();
    item.activeChanged.connect(changed);
    expect([item.isActive, item.node.textContent]).toEqual([false, '']);
    const { model, connection } = modelOf(MAIN);
    models.show(model);
    settle();
    expect([item.isActive, changed.mock.calls.length]).toEqual([true, 1]);
    connection.fails('The kernel is restarting.');
    settle();
    expect([item.isActive, changed.mock.calls.length, item.node.textContent]).toEqual([false, 2, '']);
  });

  it('shows the panel when it is pressed', () => {
    const showPanel = vi.fn();
    const item = shown(new Models(modelOf(MAIN).model), showPanel);
    const button = item.node.querySelector('[role=button]')!;
    expect(button.getAttribute('aria-label')).toBe('Interpreter of plain cells: main');
    fireEvent.click(button);
    fireEvent.keyDown(button, { key: 'Enter' });
    fireEvent.keyDown(button, { key: ' ' });
    fireEvent.keyDown(button, { key: 'a' });
    expect(showPanel).toHaveBeenCalledTimes(3);
  });
});
