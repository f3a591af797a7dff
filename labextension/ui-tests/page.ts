// What a person does and sees in a notebook's page, of JupyterLab or Notebook 7: they are made of the same parts.

import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import {
  chromium,
  type Browser,
  type BrowserContext,
  type Locator,
  type Page,
  type WebSocketRoute
} from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import { JupyterServer, REPOSITORY, type App } from './jupyter';

const SCREENSHOTS = join(REPOSITORY, 'build/screenshots');
const PATIENCE = 30_000;

interface Frontend {
  server: JupyterServer;
  browser: Browser;
}

/** For a file of tests: a server and a browser, which end with it. */
export function frontend(app: App): Frontend {
  const all = {} as Frontend;
  beforeAll(async () => {
    all.server = await JupyterServer.start(app);
    const folders = (process.env['PATH'] ?? '').split(delimiter);
    const chromiums = folders.map(folder => join(folder, 'chromium')).filter(file => existsSync(file));
    all.browser = await chromium.launch({
      executablePath: chromiums[0],
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-dev-shm-usage'
      ]
    });
  });
  afterAll(async () => {
    await all.browser?.close();
    await all.server?.close();
  });
  return all;
}

/** One notebook in a window of its own. */
export class NotebookPage {
  static async open(
    { server, browser }: Frontend,
    cells: string[],
    options: { kernel?: string; width?: number; height?: number } = {}
  ): Promise<NotebookPage> {
    const context = await browser.newContext({
      viewport: { width: options.width ?? 1400, height: options.height ?? 950 },
      reducedMotion: 'reduce'
    });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const notebook = new NotebookPage(server, context, page, server.write(cells, options.kernel));
    onTestFinished(async ({ task }) => {
      if (task.result?.state === 'fail') {
        await notebook.screenshot(`failed-${task.name.replace(/\W+/g, '-')}`);
        console.error(notebook.errors.join('\n'), server.log());
      }
      await context.close();
    });
    await page.routeWebSocket(/\/channels/, socket => notebook._route(socket));
    await page.goto(server.url(notebook.name));
    await notebook.waitUntilOpen();
    return notebook;
  }

  private constructor(
    readonly server: JupyterServer,
    readonly context: BrowserContext,
    readonly page: Page,
    readonly name: string
  ) {
    page.on('pageerror', error => this.errors.push(String(error.stack ?? error)));
    // Nothing but this machine is asked for anything.
    page.on('request', request => {
      const host = new URL(request.url()).hostname;
      if (request.url().startsWith('http') && host !== '127.0.0.1') {
        this.errors.push(`a request went to ${request.url()}`);
      }
    });
  }

  /** What went wrong in the page, and what it should not have done. */
  readonly errors: string[] = [];

  async waitUntilOpen(): Promise<void> {
    await this.page.locator('.jp-Notebook .jp-CodeCell').first().waitFor();
    await this._waitUntilConnected();
    await this.waitUntilIdle();
  }

  /** Until the front end knows what the kernel can do. It is told that it is idle before. */
  private async _waitUntilConnected(): Promise<void> {
    await this.page.waitForFunction(() => {
      // @ts-expect-error: exposeAppInBrowser
      const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
      return kernel?.connectionStatus === 'connected';
    });
    // @ts-expect-error: exposeAppInBrowser
    await this.page.evaluate(() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.info);
  }

  /** Until the front end knows that the kernel is idle. */
  async waitUntilIdle(): Promise<void> {
    await this.page.waitForFunction(
      // @ts-expect-error: exposeAppInBrowser
      () => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'
    );
  }

  /** As the page's reload button. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.page.locator('.jp-Notebook .jp-CodeCell').first().waitFor();
    await this._waitUntilConnected(); // idle it may not be: what ran before goes on
  }

  private _route(socket: WebSocketRoute): void {
    if (this._connected) {
      socket.connectToServer();
      this._sockets.push(socket);
    } else {
      void socket.close({ code: 1013 });
    }
  }

  /** As a network that fails: what the page sends to the kernel does not get there. */
  async disconnect(): Promise<void> {
    this._connected = false;
    await Promise.all(this._sockets.splice(0).map(socket => socket.close({ code: 1013 })));
  }

  /** The network is there again. */
  connect(): void {
    this._connected = true;
  }

  private readonly _sockets: WebSocketRoute[] = [];
  private _connected = true;

  /** A command of the front end, without waiting for its end. */
  async command(id: string, args: object = {}): Promise<void> {
    // @ts-expect-error: exposeAppInBrowser
    await this.page.evaluate(([id, args]) => void window.jupyterapp.commands.execute(id, args), [id, args] as const);
  }

  cell(index: number): Locator {
    return this.page.locator('.jp-Notebook .jp-CodeCell').nth(index);
  }

  /** The cursor in a cell. */
  async select(index: number): Promise<void> {
    await this._focus(index);
    await this.cell(index).locator('.cm-focused').waitFor();
  }

  private async _focus(index: number): Promise<void> {
    await this.page.evaluate(index => {
      // @ts-expect-error: exposeAppInBrowser
      const { content } = window.jupyterapp.shell.currentWidget;
      content.activeCellIndex = index;
      content.mode = 'edit';
      content.activeCell.editor.focus();
    }, index);
  }

  /** Run a cell, as Control+Enter does, without waiting for its end. */
  async start(index: number): Promise<void> {
    await this._focus(index);
    // JupyterLab takes the cursor out of the editor when it hears that what was stopped goes on, which it hears twice:
    // the key means the same then.
    await this.cell(index).and(this.page.locator('.jp-mod-active:focus-within')).waitFor();
    await this.page.keyboard.press('Control+Enter');
    // JupyterLab scrolls to the cell, for a tenth of a second, and gives the notebook the focus once more.
    await this.page.waitForFunction(() => {
      // @ts-expect-error: exposeAppInBrowser
      return !window.jupyterapp.shell.currentWidget?.content?._scrollToItem;
    });
  }

  /** Run a cell and wait until it has its number again. */
  async run(index: number): Promise<void> {
    await this.start(index);
    await this.untilRun(index);
  }

  async untilRun(index: number): Promise<void> {
    await expect.poll(() => this.prompt(index)).toMatch(/^\[\d+\]:$/);
  }

  prompt(index: number): Promise<string> {
    return this.cell(index).locator('.jp-InputPrompt').innerText();
  }

  /** What a person reads below a cell. */
  async output(index: number): Promise<string> {
    return (await this.cell(index).locator('.jp-OutputArea-output').allInnerTexts()).join('\n').trim();
  }

  async untilOutput(index: number, text: string): Promise<void> {
    await expect.poll(() => this.output(index)).toContain(text);
  }

  async source(index: number): Promise<string> {
    return this.page.evaluate(
      // @ts-expect-error: exposeAppInBrowser
      index => window.jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.getSource(),
      index
    );
  }

  /** A picture, build/screenshots/NAME.png. */
  async screenshot(name: string, locator?: Locator): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await (locator ?? this.page).screenshot({ path: join(SCREENSHOTS, `${name}.png`), animations: 'disabled' });
  }
}
