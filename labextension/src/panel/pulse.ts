// When the timeline is drawn: a quarter of a second after the last time at the earliest, and only while something runs
// or has changed.
import { useEffect, useState } from 'react';
import type { KernelModel } from '../model';

const INTERVAL = 250;

/** The kernel's clock at the time of this drawing. */
export function usePulse(model: KernelModel): number {
  const [now, setNow] = useState(() => model.now());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let drawn = 0;
    const draw = () => {
      timer = undefined;
      drawn = Date.now();
      setNow(model.now());
      if (model.running.length > 0) {
        schedule();
      }
    };
    const schedule = () => {
      timer ??= setTimeout(draw, Math.max(0, drawn + INTERVAL - Date.now()));
    };
    schedule();
    model.changed.connect(schedule);
    return () => {
      model.changed.disconnect(schedule);
      clearTimeout(timer);
    };
  }, [model]);
  return now;
}
