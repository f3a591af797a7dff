// The menu that picks an interpreter for the active cell.

import { LabIcon, MenuSvg } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Menu } from '@lumino/widgets';

import type { Interpreter } from '../protocol';
import { CommandIDs } from '../ids';

/** An interpreter's dot as an icon, with a mark in it if it is the present one. */
export function dotIcon(colour: string | undefined, marked = false): LabIcon | undefined {
  // It becomes part of a picture: nothing but a colour.
  if (!/^#[0-9a-f]{6}$/i.test(colour ?? '')) return undefined;
  const name = `xinterp:dot-${colour!.slice(1)}${marked ? '-marked' : ''}`;
  let icon = dots.get(name);
  if (!icon) {
    const circle = `<circle cx="8" cy="8" r="${marked ? 7 : 4.5}" fill="${colour}"/>`;
    const mark = marked ? '<path d="M4.5 8.2l2.4 2.4 4.6-4.9" fill="none" stroke="#fff" stroke-width="1.8"/>' : '';
    const svgstr = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 16 16">${circle}${mark}</svg>`;
    icon = new LabIcon({ name, svgstr });
    dots.set(name, icon);
  }
  return icon;
}

const dots = new Map<string, LabIcon>();

/** Shows the icons of marked items, in the place of a mark. */
class Renderer extends MenuSvg.Renderer {
  override renderIcon(data: Menu.IRenderData): ReturnType<MenuSvg.Renderer['renderIcon']> {
    const marked = data.item.isToggled && data.item.icon;
    const item: Menu.IItem = marked ? Object.create(data.item, { isToggled: { value: false } }) : data.item;
    return super.renderIcon({ ...data, item });
  }
}

const renderer = new Renderer();

/** Each interpreter with a command that takes its `target`. */
function addInterpreters(menu: MenuSvg, command: string, interpreters: readonly Interpreter[]): void {
  for (const row of interpreters) menu.addItem({ command, args: { target: row.label, dot: true } });
}

/** Where the active cell goes, whether it is detached. */
export function targetMenu(commands: CommandRegistry, interpreters: readonly Interpreter[]): MenuSvg {
  const menu = new MenuSvg({ commands, renderer });
  menu.addClass('jp-xinterp-CellMenu');
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
  const menu = new MenuSvg({ commands, renderer });
  menu.addClass('jp-xinterp-CellMenu');
  addInterpreters(menu, command, interpreters);
  return menu;
}

/** Opens a menu below a part of the page, which gets the focus again. The menu is gone when it closes. */
export function openBelow(menu: MenuSvg, node: HTMLElement): void {
  const { left, bottom } = node.getBoundingClientRect();
  const focused = document.activeElement;
  node.setAttribute('aria-expanded', 'true');
  menu.aboutToClose.connect(() => {
    node.removeAttribute('aria-expanded');
    // Its command runs after it has closed, and may move the focus itself.
    requestAnimationFrame(() => {
      menu.dispose();
      if (document.activeElement === document.body && focused instanceof HTMLElement) focused.focus();
    });
  });
  menu.open(left, bottom);
}
