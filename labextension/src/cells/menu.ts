// The menu that picks an interpreter for the active cell.

import { LabIcon, MenuSvg } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

import type { Interpreter } from '../protocol';
import { CommandIDs } from '../ids';
import { targetOf } from './edits';

/** An interpreter's dot, as an icon. */
export function dotIcon(colour: string | null): LabIcon | undefined {
  // It becomes part of a picture: nothing but a colour.
  if (colour === null || !/^#[0-9a-f]{6}$/i.test(colour)) return undefined;
  let icon = dots.get(colour);
  if (!icon) {
    const circle = `<circle cx="8" cy="8" r="4.5" fill="${colour}"/>`;
    icon = new LabIcon({
      name: `xinterp:dot-${colour.slice(1)}`,
      svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">${circle}</svg>`
    });
    dots.set(colour, icon);
  }
  return icon;
}

const dots = new Map<string, LabIcon>();

/** Each interpreter with a command that takes its `target`. */
function addInterpreters(menu: MenuSvg, command: string, interpreters: readonly Interpreter[]): void {
  for (const row of interpreters) menu.addItem({ command, args: { target: targetOf(row) } });
}

/** Where the active cell goes, whether it is detached. */
export function targetMenu(commands: CommandRegistry, interpreters: readonly Interpreter[]): MenuSvg {
  const menu = new MenuSvg({ commands });
  menu.addClass('xinterp-CellMenu');
  addInterpreters(menu, CommandIDs.setTarget, interpreters);
  if (interpreters.length > 2) menu.addItem({ command: CommandIDs.setTarget, args: { target: 'all' } });
  menu.addItem({ command: CommandIDs.newForCell });
  menu.addItem({ type: 'separator' });
  menu.addItem({ command: CommandIDs.setTarget, args: { target: null } });
  menu.addItem({ command: CommandIDs.toggleDetached });
  return menu;
}

/** Which interpreter a command is for. */
export function interpreterMenu(
  commands: CommandRegistry,
  command: string,
  interpreters: readonly Interpreter[]
): MenuSvg {
  const menu = new MenuSvg({ commands });
  menu.addClass('xinterp-CellMenu');
  addInterpreters(menu, command, interpreters);
  return menu;
}

/** Opens a menu below a part of the page; it is gone when it closes. */
export function openBelow(menu: MenuSvg, node: Element): void {
  const { left, bottom } = node.getBoundingClientRect();
  menu.aboutToClose.connect(() => {
    // Its command runs after it has closed.
    requestAnimationFrame(() => menu.dispose());
  });
  menu.open(left, bottom);
}
