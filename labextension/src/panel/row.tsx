// One interpreter of the list. It is drawn again only when something of it has changed, and its time while it runs.
import { addBelowIcon, Button, ellipsesIcon, type LabIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { Fragment, memo } from 'react';
import type { KernelModel } from '../model';
import type { Interpreter, Run } from '../protocol';
import { useSeconds } from './hooks';
import { Label } from './label';
import { Rename } from './rename';
import type { PanelState } from './state';
import { duration, facts, stateOf, what } from './texts';

interface Action {
  command: string;
  label: (name: string) => string;
  icon: LabIcon;
  shown?: (row: Interpreter) => boolean;
}

/** Those that a row has as buttons; all of them are in its menu. */
const ACTIONS: Action[] = [
  {
    command: 'xinterp:interrupt',
    label: name => `Interrupt ${name}`,
    icon: stopIcon,
    shown: row => row.state === 'running' || row.state === 'not stopping'
  },
  { command: 'xinterp:run-in', label: name => `Run the selected cell in ${name}`, icon: runIcon },
  { command: 'xinterp:insert-cell', label: name => `Insert a cell for ${name}`, icon: addBelowIcon }
];

export interface RowProps {
  state: PanelState;
  model: KernelModel;
  commands: CommandRegistry;
  row: Interpreter;
  run: Run | undefined;
  selected: boolean;
  /** Plain cells go there. */
  used: boolean;
  renaming: boolean;
}

export const Row = memo(function Row(props: RowProps): JSX.Element {
  const { state, row, selected, used, renaming } = props;
  return (
    <div
      role="row"
      className="jp-xinterp-Row"
      data-interpreter={row.id}
      data-state={row.asks ? 'asks' : row.state}
      aria-selected={selected}
      tabIndex={selected ? 0 : -1}
      onFocus={() => state.select(row.id)}
      onMouseDown={() => state.select(row.id)}
      onContextMenu={() => state.select(row.id)}
    >
      <div role="gridcell" className="jp-xinterp-Row-name">
        {renaming ? <Rename state={state} row={row} /> : <Label of={row} />}
        {used && (
          <span className="jp-xinterp-Row-use" title="Cells without %%interp run here">
            plain cells
          </span>
        )}
      </div>
      <Actions {...props} />
      <div role="gridcell" className="jp-xinterp-Row-state">
        <State {...props} />
      </div>
      <div role="gridcell" className="jp-xinterp-Row-facts">
        {facts(row).map(fact => (
          <Fragment key={fact}>
            <span>{fact}</span>{' '}
          </Fragment>
        ))}
      </div>
    </div>
  );
});

function State({ model, row, run }: RowProps): JSX.Element {
  return (
    <>
      <span className="jp-xinterp-Row-light" aria-hidden />
      {stateOf(row)}
      {run && (
        <>
          {row.state === 'running' && !row.asks ? ' ' : ', '}
          {what(run)} <Elapsed model={model} since={run.start} />
        </>
      )}
      {row.queued > 0 && <span className="jp-xinterp-Row-queued">{row.queued} queued</span>}
    </>
  );
}

function Elapsed({ model, since }: { model: KernelModel; since: number }): JSX.Element {
  useSeconds();
  return <span className="jp-xinterp-Elapsed">{duration(model.now() - since)}</span>;
}

function Actions({ commands, row, selected }: RowProps): JSX.Element {
  const tabIndex = selected ? 0 : -1;
  const args = { target: row.label };
  return (
    <div role="gridcell" className="jp-xinterp-Row-actions">
      {ACTIONS.filter(({ command, shown }) => commands.hasCommand(command) && (shown?.(row) ?? true)).map(
        ({ command, label, icon }) => (
          <Button
            key={command}
            minimal
            small
            tabIndex={tabIndex}
            title={label(row.label)}
            aria-label={label(row.label)}
            onClick={() => void commands.execute(command, args)}
          >
            <icon.react tag="span" />
          </Button>
        )
      )}
      <Button
        minimal
        small
        tabIndex={tabIndex}
        title="More actions"
        aria-label={`More actions for ${row.label}`}
        aria-haspopup="menu"
        onClick={openMenu}
      >
        <ellipsesIcon.react tag="span" />
      </Button>
    </div>
  );
}

/** The row's context menu, below its button: JupyterLab makes it of what the settings say. */
function openMenu({ currentTarget }: React.MouseEvent<HTMLElement>): void {
  const { left, bottom } = currentTarget.getBoundingClientRect();
  const at = { bubbles: true, cancelable: true, clientX: left, clientY: bottom };
  currentTarget.dispatchEvent(new MouseEvent('contextmenu', at));
}
