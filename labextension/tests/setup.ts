// What JupyterLab's packages want of a browser and jsdom does not have.
import { cleanup } from '@testing-library/react';
import { afterEach } from 'vitest';

class DragEvent extends MouseEvent {}

class ResizeObserver {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
}

class MediaQueryList extends EventTarget {
  readonly matches = false;
  addListener(): void {}
  removeListener(): void {}
}

Object.assign(globalThis, { DragEvent, ResizeObserver });
window.requestIdleCallback ??= work => Number(setTimeout(() => work({ didTimeout: false, timeRemaining: () => 50 })));
window.matchMedia ??= () => new MediaQueryList() as unknown as ReturnType<typeof window.matchMedia>;
Element.prototype.scrollIntoView ??= () => undefined;
afterEach(cleanup);
