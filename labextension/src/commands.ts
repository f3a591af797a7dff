// Commands that act on the active cell and on what runs for it.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import type { Cell } from '@jupyterlab/cells';
import { IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker } from '@jupyterlab/notebook';
import { addBelowIcon, addIcon, runIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { askKernel } from './ask';
import { detachedToggled, goesTo, picked, runsFor } from './cells/edits';
import { Front, type IFront } from './cells/front';
import { dotIcon, interpreterMenu, openBelow, targetMenu } from './cells/menu';
import { setText } from './cells/source';
import { CommandIDs } from './ids';
import { IKernelModels } from './models';
import { CommandIDs as PanelIDs } from './panel/commands';
import { askForInterpreter } from './panel/create';
import { routing } from './targets';

type Arguments = ReadonlyPartialJSONObject;

/** What is in front, with a code cell that is active in it. */
type FrontCell = IFront & { cell: Cell };

export function addCommands(
  commands: CommandRegistry,
  front: Pick<Front, 'now'>,
  activate: (id: string) => void
): void {
  const add = (id: string, options: CommandRegistry.ICommandOptions) =>
    commands.addCommand(id, { ...options, isVisible: () => front.now !== null });
  const active = (): FrontCell | null => {
    const now = front.now;
    return now?.cell ? { ...now, cell: now.cell } : null;
  };
  const editable = () => {
    const now = active();
    return now && !now.cell.readOnly ? now : null;
  };
  const rewrite = (change: (source: string, now: FrontCell) => string) => {
    const now = editable();
    if (!now) return;
    const { sharedModel } = now.cell.model;
    setText(sharedModel, change(sharedModel.getSource(), now));
  };
  /** Asks with a menu at the cell's badge for the target of a command. */
  const ask = (menu: (now: IFront) => ReturnType<typeof targetMenu>) => {
    const now = front.now;
    const node = now?.cell?.node ?? now?.notebook?.content.activeCell?.node;
    if (now && node) openBelow(menu(now), node.querySelector<HTMLElement>('.jp-xinterp-CellBadge') ?? node);
  };
  const askTarget = (id: string) => ask(now => interpreterMenu(commands, id, now.kernel.interpreters));
  const row = (args: Arguments) => front.now?.kernel.find(given(args) ?? '');
  const isPresent = (args: Arguments) => {
    const now = active();
    return now !== null && isTarget(now, args['target']);
  };
  const name = (args: Arguments) => row(args)?.label ?? given(args);

  add(CommandIDs.setTarget, {
    label: args => {
      if (args['target'] === null) return 'Follow the notebook (no %%interp line)';
      if (args['target'] === 'all') return 'All but main';
      return name(args) ?? 'Choose interpreter of the cell…';
    },
    caption: 'Where the code of the active cell runs',
    icon: args => dotIcon(row(args)?.colour, isPresent(args)),
    isToggleable: true,
    isToggled: isPresent,
    isEnabled: () => editable() !== null,
    execute: args => {
      if (args['target'] === undefined) ask(now => targetMenu(commands, now.kernel.interpreters));
      else rewrite((source, { kernel }) => picked(source, given(args) ?? null, kernel));
    }
  });
  add(CommandIDs.newForCell, {
    label: 'New interpreter for the cell…',
    caption: 'Makes a new interpreter, where the code of the active cell runs then',
    icon: addIcon,
    isEnabled: () => editable() !== null,
    execute: async () => {
      const now = editable();
      const request = now && (await askForInterpreter());
      const answer = request && (await askKernel(now.kernel, request));
      if (!answer || request.command !== 'create') return;
      const targets = request.names ?? [answer.value].flat().map(String);
      const { sharedModel } = now.cell.model;
      setText(sharedModel, picked(sharedModel.getSource(), targets.join(','), now.kernel));
    }
  });
  add(CommandIDs.toggleDetached, {
    label: 'Detached (&)',
    caption: 'The next cells do not wait for the active cell',
    isToggleable: true,
    isToggled: () => {
      const now = active();
      const read = now && routing(now.cell.model.sharedModel.getSource());
      return read?.kind === 'routed' && read.detached;
    },
    isEnabled: () => {
      const now = editable();
      const read = now && routing(now.cell.model.sharedModel.getSource());
      return read?.kind === 'routed' || read?.kind === 'plain';
    },
    execute: () => rewrite((source, { kernel }) => detachedToggled(source, kernel))
  });
  add(CommandIDs.insertCell, {
    label: args => (name(args) ? `Insert a cell for ${name(args)}` : 'Insert a cell for…'),
    caption: 'A code cell below the active one that runs in the interpreter',
    icon: args => (args['dot'] ? dotIcon(row(args)?.colour) : addBelowIcon),
    isEnabled: () => {
      const now = front.now;
      return !!now && !now.notebook?.content.model?.readOnly;
    },
    execute: async args => {
      const now = front.now;
      const target = given(args);
      if (target === undefined) askTarget(CommandIDs.insertCell);
      else if (now) await insertCell(now, target, activate);
    }
  });
  add(CommandIDs.runIn, {
    label: args => (name(args) ? `Run the selected cell in ${name(args)}` : 'Run the selected cell in…'),
    caption: 'Sends the active cell to the interpreter and runs it',
    icon: args => (args['dot'] ? dotIcon(row(args)?.colour) : runIcon),
    isEnabled: () => editable() !== null,
    execute: async args => {
      const target = given(args);
      const now = editable();
      if (target === undefined) return askTarget(CommandIDs.runIn);
      if (!now) return;
      rewrite((source, { kernel }) => picked(source, target, kernel));
      now.notebook?.content.deselectAll();
      await commands.execute(now.notebook ? 'notebook:run-cell' : 'console:run-forced');
    }
  });
  add(CommandIDs.interruptCurrent, {
    label: 'Interrupt what the cell runs in',
    caption: 'Interrupts the interpreters that run the active cell, or else those that it goes to',
    isEnabled: () => {
      const now = active();
      return now !== null && runs(now).length > 0;
    },
    execute: async () => {
      const now = active();
      const targets = now ? [...new Set(runs(now).map(run => run.interpreter))] : [];
      if (now && targets.length) await askKernel(now.kernel, { command: 'interrupt', targets });
    }
  });
}

/** The target in a command's arguments. */
function given(args: Arguments): string | undefined {
  const target = args['target'];
  return typeof target === 'string' || typeof target === 'number' ? String(target) : undefined;
}

function runs({ cell, kernel }: FrontCell) {
  return runsFor(cell.model.id, cell.model.sharedModel.getSource(), kernel);
}

/** Whether the menu has its mark there. */
function isTarget({ cell, kernel }: FrontCell, target: unknown): boolean {
  const source = cell.model.sharedModel.getSource();
  const read = routing(source);
  if (target === null) return read.kind === 'plain';
  const all = read.kind === 'routed' && read.targets[0] === 'all';
  if (target === 'all' || all) return target === 'all' && all;
  return goesTo(source, kernel).some(row => row.label === target);
}

async function insertCell(
  { kernel, cell, notebook }: IFront,
  target: string,
  activate: (id: string) => void
): Promise<void> {
  if (!notebook) {
    const shared = cell?.model.sharedModel;
    if (shared) setText(shared, picked(shared.getSource(), target, kernel));
    return;
  }
  const { content } = notebook;
  const at = content.activeCellIndex + 1;
  const source = picked('', target, kernel);
  content.model?.sharedModel.insertCell(at, { cell_type: 'code', source, metadata: { trusted: true } });
  content.activeCellIndex = at;
  content.deselectAll();
  activate(notebook.id);
  content.mode = 'edit';
  const inserted = content.activeCell;
  await inserted?.ready;
  inserted?.editor?.setCursorPosition({ line: source === '' ? 0 : 1, column: 0 });
}

/** In the palette; schema/cells.json has those in menus. */
const IN_PALETTE = [
  ...Object.values(CommandIDs),
  PanelIDs.show,
  PanelIDs.create,
  PanelIDs.use,
  PanelIDs.wait,
  PanelIDs.interrupt,
  PanelIDs.interruptAll,
  PanelIDs.reset,
  PanelIDs.rename,
  PanelIDs.close,
  PanelIDs.variables,
  PanelIDs.compare
];

export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-xinterp:commands',
  description: 'Commands that send cells to interpreters.',
  autoStart: true,
  requires: [IKernelModels],
  optional: [INotebookTracker, IConsoleTracker, ICommandPalette],
  activate: (
    { commands, shell }: JupyterFrontEnd,
    models: IKernelModels,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    palette: ICommandPalette | null
  ) => {
    addCommands(commands, new Front(shell, models, notebooks, consoles), id => shell.activateById(id));
    for (const command of IN_PALETTE) palette?.addItem({ command, category: 'Interpreters' });
  }
};
