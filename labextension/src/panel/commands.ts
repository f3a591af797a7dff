// The panel's commands. Their argument `target` is an interpreter's name or id; without it, the person is asked which one.
import { InputDialog } from '@jupyterlab/apputils';
import { addIcon, closeIcon, editIcon, refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { Interpreter } from '../protocol';
import { confirmEnd } from './confirm';
import { askForInterpreter, createCommand } from './create';
import { interpretersIcon } from './icons';
import type { PanelState } from './state';
import type { InterpretersPanel } from './widget';

export namespace CommandIDs {
  export const show = 'xinterp:show-panel';
  /** Another command, for the interpreter whose row is selected: the row's menu is made of it. */
  export const forSelected = 'xinterp:for-selected';
  export const create = 'xinterp:create';
  export const refresh = 'xinterp:refresh';
  export const interrupt = 'xinterp:interrupt';
  export const interruptAll = 'xinterp:interrupt-all';
  export const use = 'xinterp:use';
  export const wait = 'xinterp:wait';
  export const rename = 'xinterp:rename';
  export const reset = 'xinterp:reset';
  export const close = 'xinterp:close';
  export const variables = 'xinterp:variables';
  export const compare = 'xinterp:compare';
}

type Args = ReadonlyPartialJSONObject;

interface ForOne {
  id: string;
  label: (name: string) => string;
  icon?: typeof addIcon;
  does: (row: Interpreter, args: Args) => void | Promise<void>;
}

export function addCommands(
  commands: CommandRegistry,
  state: PanelState,
  panel: InterpretersPanel,
  reveal: () => void
): void {
  const isEnabled = () => state.model !== null && state.model.problem === null;
  follow(state, isEnabled, () => Object.values(CommandIDs).forEach(id => commands.notifyCommandChanged(id)));

  commands.addCommand(CommandIDs.show, { label: 'Interpreters', icon: interpretersIcon, execute: reveal });
  commands.addCommand(CommandIDs.create, {
    label: 'New interpreter…',
    caption: 'Make a new interpreter',
    icon: addIcon,
    isEnabled,
    execute: async ({ name, preset }) => {
      const request =
        typeof name === 'string'
          ? createCommand(name, typeof preset === 'string' ? preset : 'notebook')
          : await askForInterpreter();
      const answer = request && (await state.ask(request));
      const made = answer && madeIds(answer.value).at(0);
      if (typeof made === 'number') {
        state.select(made);
      }
    }
  });
  commands.addCommand(CommandIDs.refresh, {
    label: 'Refresh interpreters',
    caption: 'Ask the kernel for everything once more',
    icon: refreshIcon,
    isEnabled,
    execute: () => state.model?.refresh()
  });
  commands.addCommand(CommandIDs.interruptAll, {
    label: 'Interrupt all interpreters',
    caption: 'Interrupt whatever runs, in all interpreters',
    icon: stopIcon,
    isEnabled,
    execute: () => interrupt(state, state.model?.running.map(run => run.interpreter) ?? [])
  });

  const selected = ({ command }: Args): [string, Args] => [
    String(command),
    { target: state.selected?.label ?? 'main' }
  ];
  commands.addCommand(CommandIDs.forSelected, {
    label: args => (commands.hasCommand(String(args.command)) ? commands.label(...selected(args)) : ''),
    icon: args => (commands.hasCommand(String(args.command)) ? commands.icon(...selected(args)) : undefined),
    isEnabled: args => commands.isEnabled(...selected(args)),
    isVisible: args => commands.hasCommand(String(args.command)),
    execute: args => commands.execute(...selected(args))
  });

  const forOne: ForOne[] = [
    {
      id: CommandIDs.interrupt,
      label: name => `Interrupt ${name}`,
      icon: stopIcon,
      does: row => interrupt(state, [row.id])
    },
    {
      id: CommandIDs.use,
      label: name => `Run plain cells in ${name}`,
      does: async row => void (await state.ask({ command: 'use', targets: [row.id] }))
    },
    {
      id: CommandIDs.wait,
      label: name => `Wait for ${name}`,
      does: row => wait(state, row)
    },
    {
      id: CommandIDs.rename,
      label: name => `Rename ${name}…`,
      icon: editIcon,
      does: async (row, { name }) => {
        if (typeof name === 'string') {
          await state.ask({ command: 'rename', target: row.id, name });
          return;
        }
        reveal();
        panel.open('list');
        state.select(row.id);
        state.renaming = row.id;
      }
    },
    {
      id: CommandIDs.reset,
      label: name => `Reset ${name}…`,
      icon: refreshIcon,
      does: row => end(state, row, 'Reset')
    },
    {
      id: CommandIDs.close,
      label: name => `Close ${name}…`,
      icon: closeIcon,
      does: row => end(state, row, 'Close')
    },
    {
      id: CommandIDs.variables,
      label: name => `Show variables of ${name}`,
      does: row => {
        state.variablesOf = row.id;
        reveal();
        panel.open('variables');
      }
    },
    {
      id: CommandIDs.compare,
      label: name => `Compare ${name} with…`,
      does: async row => {
        const other = await choose(state, `Compare ${row.label} with`, row);
        if (other) {
          state.compared = [row.id, other.id];
          reveal();
          panel.open('compare');
        }
      }
    }
  ];
  for (const { id, label, icon, does } of forOne) {
    commands.addCommand(id, {
      label: args => label(args.target === undefined ? 'an interpreter' : String(args.target)),
      icon,
      isEnabled,
      execute: async args => {
        const row = await find(state, args, label('which interpreter').replace('…', ''));
        if (row) {
          await does(row, args);
        }
      }
    });
  }
}

/** Tells when there begins to be, or ceases to be, a kernel that can be asked. */
function follow(state: PanelState, isEnabled: () => boolean, changed: () => void): void {
  let model = state.model;
  let enabled = isEnabled();
  const look = () => {
    if (enabled !== isEnabled()) {
      enabled = !enabled;
      changed();
    }
  };
  const turn = () => {
    if (model !== state.model) {
      model?.changed.disconnect(look);
      model = state.model;
      model?.changed.connect(look);
    }
    look();
  };
  model?.changed.connect(look);
  state.changed.connect(turn);
}

async function find(state: PanelState, args: Args, question: string): Promise<Interpreter | undefined> {
  if (args.target === undefined) {
    return choose(state, `${question}?`);
  }
  const row = state.model?.find(String(args.target));
  if (!row) {
    state.notify({ kind: 'error', text: `There is no interpreter ${args.target}.` });
  }
  return row;
}

/** Asks for an interpreter; another one than `but`. */
async function choose(state: PanelState, title: string, but?: Interpreter): Promise<Interpreter | undefined> {
  const labels = (state.model?.interpreters ?? []).filter(row => row.id !== but?.id).map(row => row.label);
  if (labels.length === 0) {
    state.notify({ kind: 'error', text: 'There is one interpreter. Create another one first.' });
    return undefined;
  }
  const { button, value } = await InputDialog.getItem({ title, items: labels });
  return button.accept && value !== null ? state.model?.find(value) : undefined;
}

async function interrupt(state: PanelState, targets: number[]): Promise<void> {
  if (targets.length > 0) {
    await state.ask({ command: 'interrupt', targets });
  }
}

async function wait(state: PanelState, row: Interpreter): Promise<void> {
  const aborter = new AbortController();
  const text = `Waiting until ${row.label} is idle.`;
  const notice = state.notify({ kind: 'waiting', text, cancel: () => aborter.abort() });
  await state.ask({ command: 'wait', targets: [row.id] }, aborter.signal);
  state.dismiss(notice);
}

async function end(state: PanelState, row: Interpreter, verb: 'Close' | 'Reset'): Promise<void> {
  const { model } = state;
  const sure = row.id !== 0 && model ? await confirmEnd(model, row, verb) : { force: false };
  if (sure) {
    const command = verb === 'Close' ? 'close' : 'reset';
    await state.ask({ command, targets: [row.id], ...(sure.force ? { force: true } : {}) });
  }
}

/** The ids of what `create` has made: a list of rows or of ids. */
function madeIds(value: unknown): unknown[] {
  const made: unknown[] = Array.isArray(value) ? value : [value];
  return made.map(each => (typeof each === 'object' && each !== null && 'id' in each ? each.id : each));
}
