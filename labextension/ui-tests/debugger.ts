// JupyterLab's own debugger, as a person works with it: the bug button, the gutters of cells, the panel on the right.

import { type Locator } from 'playwright-core';
import { expect } from 'vitest';
import type { NotebookPage } from './page';

/** The buttons above the call stack. */
type Button = 'continue' | 'terminate' | 'next' | 'stepIn' | 'stepOut' | 'evaluate';

export class Debugger {
  /** Presses the bug button of the notebook's toolbar. */
  static async switchOn(notebook: NotebookPage): Promise<Debugger> {
    const debug = new Debugger(notebook);
    await debug.button('Enable Debugger').click();
    await debug.untilOn();
    return debug;
  }

  /** Of a page where it may be on already. */
  constructor(private readonly _notebook: NotebookPage) {}

  /** The bug button, when it says so. */
  button(title: 'Enable Debugger' | 'Disable Debugger'): Locator {
    return this._notebook.page.locator(`.jp-NotebookPanel-toolbar .jp-DebuggerBugButton[title="${title}"]`);
  }

  /** Brings the debugger's panel to the front. */
  async show(): Promise<void> {
    await this._notebook.command('debugger:show-panel');
    await this.root.locator('.jp-DebuggerCallstack').waitFor();
  }

  /** On, with the gutters that take breakpoints. */
  async untilOn(): Promise<void> {
    await this.button('Disable Debugger').waitFor();
    await this._notebook.cell(0).locator('.cm-breakpoint-gutter').waitFor();
  }

  async switchOff(): Promise<void> {
    await this.button('Disable Debugger').click();
    await this.untilOff();
  }

  async untilOff(): Promise<void> {
    await this.button('Enable Debugger').waitFor();
    await this._notebook.cell(0).locator('.cm-breakpoint-gutter').waitFor({ state: 'detached' });
  }

  /** The debugger's panel. */
  get root(): Locator {
    return this._notebook.page.locator('#jp-debugger-sidebar');
  }

  /** A click beside a line of a cell, which sets a breakpoint there or takes it away; lines count from 1. */
  async clickGutter(cell: number, line: number): Promise<void> {
    // The first element keeps the gutter's width.
    await this._notebook.cell(cell).locator('.cm-breakpoint-gutter .cm-gutterElement').nth(line).click();
  }

  /** Sets a breakpoint and waits until the panel lists it. */
  async breakAt(cell: number, line: number): Promise<void> {
    const before = (await this.breakpoints()).length;
    await this.clickGutter(cell, line);
    await expect.poll(() => this.breakpoints()).toHaveLength(before + 1);
    await expect.poll(() => this.dots(cell)).toContain(line);
  }

  /** The lines of the breakpoints that the panel lists, cell by cell. */
  async breakpoints(): Promise<number[]> {
    return (await this.root.locator('.jp-DebuggerBreakpoint-line').allInnerTexts()).map(Number);
  }

  /** The lines of a cell with a breakpoint's dot beside them. */
  async dots(cell: number): Promise<number[]> {
    const gutter = await this._notebook.cell(cell).locator('.cm-breakpoint-gutter .cm-gutterElement').allInnerTexts();
    return gutter.map((text, line) => (line > 0 && text.includes('●') ? line : 0)).filter(line => line > 0);
  }

  /** Where the notebook shows that it has stopped: a cell and a line of it. */
  async stoppedAt(): Promise<{ cell: number; line: number }[]> {
    return this._notebook.page.locator('.jp-Notebook .jp-DebuggerEditor-highlight').evaluateAll(lines =>
      lines.map(line => ({
        cell: [...document.querySelectorAll('.jp-Notebook .jp-CodeCell')].indexOf(line.closest('.jp-CodeCell')!),
        line: [...line.parentElement!.querySelectorAll('.cm-line')].indexOf(line) + 1
      }))
    );
  }

  /** Until it has stopped at a line, which the cell and the panel show. */
  async untilStoppedAt(cell: number, line: number): Promise<void> {
    await expect.poll(() => this.stoppedAt()).toEqual([{ cell, line }]);
    await expect.poll(async () => (await this.frames())[0]?.line).toBe(line);
  }

  /** Until the panel has that frame at the top of its call stack. */
  async untilFrame(name: string, line: number): Promise<void> {
    await expect.poll(async () => (await this.frames())[0]).toEqual({ name, line });
  }

  /** Until nothing is stopped any more. */
  async untilContinued(): Promise<void> {
    await expect.poll(() => this.frames()).toEqual([]);
    await expect.poll(() => this.stoppedAt()).toEqual([]);
  }

  /** The call stack, the innermost frame first. */
  async frames(): Promise<{ name: string; line: number }[]> {
    return this.root.locator('.jp-DebuggerCallstackFrame').evaluateAll(frames =>
      frames.map(frame => ({
        name: frame.querySelector('.jp-DebuggerCallstackFrame-name')!.textContent!,
        line: Number(frame.querySelector('.jp-DebuggerCallstackFrame-location')!.textContent!.split(':').at(-1))
      }))
    );
  }

  /** Looks at another frame of the call stack. */
  async selectFrame(name: string): Promise<void> {
    const named = this._notebook.page.locator('.jp-DebuggerCallstackFrame-name', { hasText: exactly(name) });
    await this.root.locator('.jp-DebuggerCallstackFrame').filter({ has: named }).first().click();
  }

  /** Presses a button above the call stack. */
  async press(button: Button): Promise<void> {
    await this.root.locator(`[data-command="debugger:${button}"]`).click();
  }

  /** The variables of a scope: those of the frame, or those that all cells see. */
  async choose(scope: 'Locals' | 'Globals'): Promise<void> {
    await this.root.getByLabel('Scope').selectOption(scope);
  }

  /** A variable in the tree, or an element of one that is open. */
  variable(name: string): Locator {
    const named = this._notebook.page.locator(':scope > .jp-DebuggerVariables-name', { hasText: exactly(name) });
    return this.root.locator('.jp-DebuggerVariables-body .jp-TreeItem').filter({ has: named });
  }

  /** What the tree says of a variable: its type, or the value of a number or a string. */
  detail(name: string): Promise<string> {
    return this.variable(name).locator(':scope > .jp-DebuggerVariables-detail').innerText();
  }

  async untilDetail(name: string, detail: string): Promise<void> {
    await this.variable(name).waitFor();
    await expect.poll(() => this.detail(name)).toBe(detail);
  }

  /** Opens a list or a dictionary in the tree. */
  async open(name: string): Promise<void> {
    await this.variable(name).locator(':scope > .jp-DebuggerVariables-name').click();
  }

  /** An item of a variable's menu. */
  async act(name: string, action: 'Render Variable' | 'Copy Variable to Globals'): Promise<void> {
    await this.variable(name).locator(':scope > .jp-DebuggerVariables-name').click({ button: 'right' });
    await this._notebook.page.locator('.lm-Menu-item', { hasText: action }).click();
  }

  /** What the panel of a rendered variable shows. */
  get rendered(): Locator {
    return this._notebook.page.locator('.jp-VariableRendererPanel-renderer');
  }

  /** Evaluates an expression where it has stopped. Its value goes to the log. */
  async evaluate(expression: string): Promise<void> {
    await this.press('evaluate');
    const dialog = this._notebook.page.locator('.jp-Dialog');
    await dialog.locator('.cm-content').click();
    await this._notebook.page.keyboard.type(expression);
    await dialog.locator('.jp-mod-accept').click();
    await dialog.waitFor({ state: 'detached' });
  }

  /** Opens the notebook's log. */
  async openLog(): Promise<Locator> {
    await this._notebook.command('logconsole:open');
    const log = this._notebook.page.locator('.jp-LogConsole');
    await log.waitFor();
    return log;
  }

  /** Switches one of the kinds of exceptions that it stops at: "raised", "uncaught", "userUnhandled". */
  async toggleExceptions(filter: string): Promise<void> {
    await this.root.locator('.jp-debugger-pauseOnExceptions jp-button').click();
    await this._notebook.page.locator('.lm-Menu-item', { hasText: exactly(filter) }).click();
  }

  /** Opens the source of one of the kernel's modules. */
  async openModule(name: string): Promise<Locator> {
    await this.root.locator('.jp-DebuggerKernelSource-source', { hasText: exactly(name) }).click();
    const source = this._notebook.page.locator('.lm-DockPanel > .jp-MainAreaWidget:not(.jp-NotebookPanel) .cm-content');
    await source.waitFor();
    return source;
  }

  /** The source that the panel shows of where it has stopped. */
  source(): Promise<string> {
    return this.root.locator('.jp-DebuggerSources-body .cm-content').innerText();
  }
}

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}
