// A field in the place of an interpreter's name: Enter gives the new one to the kernel, Escape leaves the old one.
import { InputGroup } from '@jupyterlab/ui-components';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import type { Interpreter } from '../protocol';
import type { PanelState } from './state';

export function Rename({ state, row }: { state: PanelState; row: Interpreter }): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);

  const ended = useRef(false);
  const end = (name: string) => {
    if (ended.current) {
      return; // the field has lost the focus because it goes
    }
    ended.current = true;
    state.renaming = null;
    if (name && name !== row.name) {
      void state.ask({ command: 'rename', target: row.id, name });
    }
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    event.stopPropagation(); // the list's keys
    if (event.key === 'Enter' || event.key === 'Escape') {
      const target = event.currentTarget.closest<HTMLElement>('[role=row]');
      end(event.key === 'Enter' ? event.currentTarget.value.trim() : '');
      target?.focus();
    }
  };
  return (
    <InputGroup
      className="jp-xinterp-Rename"
      inputRef={input}
      aria-label={`New name of ${row.label}`}
      defaultValue={row.name ?? ''}
      onKeyDown={onKeyDown}
      onBlur={event => end(event.currentTarget.value.trim())}
    />
  );
}
