// What a section asks the kernel for when it opens, and again when it is told to.
import { useCallback, useEffect, useState } from 'react';
import type { KernelModel } from '../model';
import type { Command } from '../protocol';

export interface Asked<T> {
  value: T | null;
  /** The kernel's sentence, if it has refused. */
  error: string | null;
  asking: boolean;
  again: () => void;
}

/** The value of a command that changes nothing. A newer question cancels the one before. */
export function useAnswer<T>(model: KernelModel, request: Command): Asked<T> {
  const question = JSON.stringify(request);
  const [answer, setAnswer] = useState<Omit<Asked<T>, 'again'> & { question: string }>({ ...UNASKED, question });
  const [times, setTimes] = useState(0);
  useEffect(() => {
    const aborter = new AbortController();
    const take = (value: T | null, error: string | null) => {
      if (!aborter.signal.aborted) {
        setAnswer({ value, error, asking: false, question });
      }
    };
    setAnswer(last => ({ ...(last.question === question ? last : UNASKED), asking: true, question }));
    model.command(JSON.parse(question) as Command, aborter.signal).then(
      ({ value }) => take(value as T, null),
      (error: unknown) => take(null, error instanceof Error ? error.message : String(error))
    );
    return () => aborter.abort();
  }, [model, question, times]);
  const again = useCallback(() => setTimes(times => times + 1), []);
  return { ...(answer.question === question ? answer : UNASKED), again };
}

const UNASKED = { value: null, error: null, asking: true } as const;
