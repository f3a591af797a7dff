// Subshells, as JupyterLab uses them: consoles of their own, and one for each comm target.

import { type Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import { frontend, NotebookPage } from './page';

const lab = frontend('lab');

/** A console beside the notebook, for a subshell of its kernel. */
class SubshellConsole {
  static async open(notebook: NotebookPage): Promise<SubshellConsole> {
    const before = await subshells(notebook); // those of comm targets
    await notebook.command('notebook:create-subshell-console', { activate: true });
    const console = new SubshellConsole(notebook);
    await console.root.locator('.jp-CodeConsole-promptCell .cm-content').waitFor();
    await expect.poll(() => subshells(notebook).then(ids => ids.length)).toBe(before.length + 1);
    await notebook.page.waitForFunction(() => {
      // @ts-expect-error: exposeAppInBrowser
      return [...window.jupyterapp.shell.widgets('main')].some(
        widget =>
          widget.node.classList.contains('jp-ConsolePanel') && !!widget.sessionContext.session?.kernel?.subshellId
      );
    });
    return console;
  }

  private constructor(private readonly notebook: NotebookPage) {
    this.root = notebook.page.locator('.jp-CodeConsole');
  }

  readonly root: Locator;

  /** Type a cell and run it. */
  async start(code: string): Promise<void> {
    const prompt = this.root.locator('.jp-CodeConsole-promptCell .cm-content');
    await prompt.click();
    await this.notebook.page.keyboard.insertText(code);
    await this.notebook.page.keyboard.press('Shift+Enter');
  }

  /** Until a person reads that below its last cell. */
  async untilOutput(text: string): Promise<void> {
    const last = this.root.locator('.jp-CodeConsole-content .jp-CodeCell').last().locator('.jp-OutputArea-output');
    await expect.poll(async () => (await last.allInnerTexts()).join('\n')).toContain(text);
  }

  async close(): Promise<void> {
    await this.notebook.page.evaluate(() => {
      // @ts-expect-error: exposeAppInBrowser
      for (const widget of window.jupyterapp.shell.widgets('main')) {
        if (widget.node.classList.contains('jp-ConsolePanel')) {
          widget.close();
        }
      }
    });
  }
}

/** The ids of the kernel's subshells. */
async function subshells(notebook: NotebookPage): Promise<string[]> {
  return notebook.page.evaluate(async () => {
    // @ts-expect-error: exposeAppInBrowser
    for (const widget of window.jupyterapp.shell.widgets('main')) {
      if (widget.node.classList.contains('jp-NotebookPanel')) {
        const reply = await widget.sessionContext.session.kernel.requestListSubshell({}).done;
        return reply.content.subshell_id;
      }
    }
  });
}

test('a subshell console works beside a busy notebook', async () => {
  const notebook = await NotebookPage.open(lab, [
    'import threading\ngo = threading.Event()\ngo.wait()\n"the notebook"',
    'import time\nwhile threading.active_count() > 1: time.sleep(0.01)\nthreading.active_count()'
  ]);
  await notebook.start(0);
  await expect.poll(() => notebook.prompt(0)).toBe('[*]:');
  const others = await subshells(notebook);
  const console = await SubshellConsole.open(notebook);
  await console.start('threading.current_thread().name');
  await console.untilOutput("'subshell-");
  await console.start('print("printed"); 1/0');
  await console.untilOutput('ZeroDivisionError');
  await notebook.screenshot('subshell-console');
  await expect.poll(() => notebook.output(0)).toBe('');
  await console.start('go.set()');
  await notebook.untilOutput(0, 'the notebook');
  await console.close();
  await expect.poll(() => subshells(notebook)).toEqual(others);
  await notebook.run(1);
  await expect.poll(() => notebook.output(1)).toBe('1');
  expect(notebook.errors).toEqual([]);
});

test("a subshell console's badge and the status bar know where its plain cells go", async () => {
  const notebook = await NotebookPage.open(lab, ['%interp create alice']);
  await notebook.run(0);
  const console = await SubshellConsole.open(notebook);
  const prompt = console.root.locator('.jp-CodeConsole-promptCell .jp-xinterp-CellBadge');
  await expect.poll(() => prompt.innerText()).toBe('main');
  await console.start('%interp use alice');
  await expect.poll(() => prompt.innerText()).toBe('alice');
  await expect.poll(() => notebook.page.locator('.jp-xinterp-Status').innerText()).toContain('alice');
  await console.start('import _xinterp; _xinterp.interpreter');
  await console.untilOutput('1');
  await console.close();
});

test('the stop button stops a subshell console if nothing else runs', async () => {
  const notebook = await NotebookPage.open(lab, ['1']);
  const console = await SubshellConsole.open(notebook);
  await console.start('print("spins")\nwhile True: pass');
  await console.untilOutput('spins');
  await notebook.command('notebook:interrupt-kernel');
  await console.untilOutput('KeyboardInterrupt');
  await notebook.run(0);
  await expect.poll(() => notebook.output(0)).toBe('1');
});

test('a slider calls its interpreter in its own thread over the subshell of its comm target', async () => {
  const notebook = await NotebookPage.open(lab, [
    'import ipywidgets, threading\n@ipywidgets.interact(x=(0, 9))\ndef show(x=3):\n    print(threading.current_thread().name, "has", x)'
  ]);
  await notebook.run(0);
  await expect.poll(() => notebook.cell(0).innerText()).toContain('MainThread has 3');
  await notebook.cell(0).locator('.noUi-handle').focus();
  await notebook.page.keyboard.press('ArrowRight');
  await expect.poll(() => notebook.cell(0).innerText()).toContain('MainThread has 4');
  expect((await subshells(notebook)).length).toBeGreaterThan(0); // JupyterLab has asked for them
  expect(notebook.errors).toEqual([]);
});
