// The list of interpreters: a grid whose rows are reached with the arrow keys, and their buttons with Tab.
import type { CommandRegistry } from '@lumino/commands';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import type { KernelModel } from '../model';
import type { Interpreter } from '../protocol';
import { useValue } from './hooks';
import { Row } from './row';
import type { PanelState } from './state';

interface Props {
  state: PanelState;
  commands: CommandRegistry;
}

export function List({ state, commands }: Props): JSX.Element {
  const model = useValue(state.changed, () => state.model);
  const problem = useValue(model?.changed, () => (model ? model.problem : 'No notebook or console is in front.'));
  const rows = useValue(model?.changed, () => model?.interpreters ?? NONE);
  return (
    <>
      {problem !== null && (
        <p className="jp-xinterp-Sentence" role="status">
          {problem}
        </p>
      )}
      {model && rows.length > 0 && <Grid {...{ state, commands, model, rows, stale: problem !== null }} />}
    </>
  );
}

const NONE: ReadonlyArray<Interpreter> = [];

interface GridProps extends Props {
  model: KernelModel;
  rows: ReadonlyArray<Interpreter>;
  /** The connection is lost: they may have changed. */
  stale: boolean;
}

function Grid({ state, commands, model, rows, stale }: GridProps): JSX.Element {
  const grid = useRef<HTMLDivElement>(null);
  const selected = useValue(state.changed, () => state.selected?.id) ?? 0;
  const renaming = useValue(state.changed, () => state.renaming);
  const used = useValue(model.changed, () => model.use);
  const shown = rows.some(row => row.id === selected) ? selected : 0;

  const row = (id: number) => grid.current?.querySelector<HTMLElement>(`[data-interpreter="${id}"]`);
  const hadFocus = useRef(false);
  useEffect(() => {
    // The row that had the focus is gone.
    if (hadFocus.current && document.activeElement === document.body) {
      row(shown)?.focus();
    }
  }, [rows]);
  useEffect(() => {
    row(shown)?.scrollIntoView({ block: 'nearest' }); // gives a promise, which is no clean-up
  }, [shown]);

  const onKeyDown = (event: KeyboardEvent) => {
    const index = rows.findIndex(row => row.id === shown);
    const page = Math.max(1, Math.floor((grid.current?.parentElement?.clientHeight ?? 0) / 64));
    const steps: Record<string, number> = {
      ArrowUp: index - 1,
      ArrowDown: index + 1,
      PageUp: index - page,
      PageDown: index + page,
      Home: 0,
      End: rows.length - 1
    };
    const keys: Record<string, string> = {
      F2: 'xinterp:rename',
      Delete: 'xinterp:close',
      Enter: 'xinterp:variables'
    };
    const step = steps[event.key];
    const command = keys[event.key];
    if (step !== undefined) {
      const next = rows[Math.min(rows.length - 1, Math.max(0, step))]!;
      state.select(next.id);
      row(next.id)?.focus();
    } else if (command && event.target === row(shown) && commands.hasCommand(command)) {
      void commands.execute(command, { target: rows[index]!.label });
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div
      ref={grid}
      role="grid"
      aria-label="Interpreters"
      aria-rowcount={rows.length}
      className="jp-xinterp-List"
      data-stale={stale}
      onKeyDown={onKeyDown}
      onFocus={() => (hadFocus.current = true)}
      onBlur={event => (hadFocus.current = event.relatedTarget === null)}
    >
      {rows.map(row => (
        <Row
          key={row.id}
          {...{ state, commands, model, row }}
          run={row.run === null ? undefined : model.run(row.run)}
          selected={row.id === shown}
          used={used.includes(row)}
          renaming={row.id === renaming}
        />
      ))}
    </div>
  );
}
