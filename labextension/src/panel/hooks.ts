// How components follow signals and clocks: a component is drawn again when the value that it reads is another one.
import type { ISignal } from '@lumino/signaling';
import { useCallback, useSyncExternalStore } from 'react';

/** A value that may have changed when the signal is emitted; the same object as long as it has not. */
export function useValue<S, T>(signal: ISignal<S, unknown> | undefined, value: () => T): T {
  const subscribe = useCallback(
    (listener: () => void) => {
      const slot = () => listener();
      signal?.connect(slot);
      return () => void signal?.disconnect(slot);
    },
    [signal]
  );
  return useSyncExternalStore(subscribe, value);
}

/** One timer for all that follow it, and none while nobody does. */
class Ticker {
  constructor(private readonly _interval: number) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    if (this._listeners.size === 0) {
      this._timer = setInterval(() => {
        this._ticks += 1;
        this._listeners.forEach(listener => listener());
      }, this._interval);
    }
    this._listeners.add(listener);
    return () => {
      this._listeners.delete(listener);
      if (this._listeners.size === 0) {
        clearInterval(this._timer);
      }
    };
  };

  readonly ticks = (): number => this._ticks;

  private readonly _listeners = new Set<() => void>();
  private _timer: ReturnType<typeof setInterval> | undefined;
  private _ticks = 0;
}

const seconds = new Ticker(1000);

/** The component is drawn again once a second. */
export function useSeconds(): void {
  useSyncExternalStore(seconds.subscribe, seconds.ticks);
}
