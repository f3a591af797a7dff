// JupyterLab and Notebook as a person starts them, with nothing of the person's own in them.

import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const REPOSITORY = resolve(import.meta.dirname, '../..');
const PATIENCE = 60_000;

export type App = 'lab' | 'notebook';

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : 0;
      server.close(() => done(port));
    });
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise(done => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}

/** A server on a port of its own, for a folder of its own. Its kernels end with it. */
export class JupyterServer {
  static async start(app: App): Promise<JupyterServer> {
    const server = new JupyterServer(app, await freePort());
    const deadline = Date.now() + PATIENCE;
    while (!(await listens(server.port))) {
      if (server.process.exitCode !== null || Date.now() > deadline) {
        throw new Error(`jupyter ${app} does not start:\n${server.log()}`);
      }
      await new Promise(done => setTimeout(done, 50));
    }
    return server;
  }

  private constructor(
    readonly app: App,
    readonly port: number
  ) {
    this.folder = join(this.home, 'notebooks');
    const labconfig = join(this.home, 'config/labconfig');
    mkdirSync(this.folder);
    mkdirSync(labconfig, { recursive: true });
    writeFileSync(join(labconfig, 'page_config.json'), JSON.stringify({ exposeAppInBrowser: true }));
    if (app === 'notebook') {
      // Notebook 7.4 hangs now and then, with any kernel, when it moves the toolbar of the active cell.
      const overrides = { '@jupyterlab/cell-toolbar-extension:plugin': { showToolbar: false } };
      writeFileSync(join(labconfig, 'default_setting_overrides.json'), JSON.stringify(overrides));
    }
    const log = openSync(this.logFile, 'w');
    this.process = spawn(
      'jupyter',
      [
        app,
        '--no-browser',
        '--allow-root',
        `--port=${port}`,
        '--ServerApp.port_retries=0',
        `--IdentityProvider.token=${this.token}`,
        '--LabApp.extension_manager=readonly',
        '--',
        this.folder
      ],
      {
        stdio: ['ignore', log, log],
        env: {
          ...process.env,
          HOME: this.home,
          IPYTHONDIR: join(this.home, 'ipython'),
          JUPYTER_CONFIG_DIR: join(this.home, 'config'),
          JUPYTER_CONFIG_PATH: join(REPOSITORY, 'tools/jupyter'),
          JUPYTER_DATA_DIR: join(this.home, 'data'),
          JUPYTER_RUNTIME_DIR: join(this.home, 'runtime')
        }
      }
    );
    closeSync(log);
  }

  /** A notebook's page. In JupyterLab in a workspace of its own: nothing else is opened again beside it. */
  url(notebook: string): string {
    const place =
      this.app === 'notebook'
        ? `notebooks/${notebook}`
        : `lab/workspaces/${notebook.replace('.ipynb', '')}/tree/${notebook}`;
    return `http://127.0.0.1:${this.port}/${place}?token=${this.token}`;
  }

  /** Makes a notebook of code cells; its file's name. */
  write(cells: string[], kernel = 'xinterp'): string {
    const name = `test-${randomBytes(4).toString('hex')}.ipynb`;
    const notebook = {
      nbformat: 4,
      nbformat_minor: 5,
      metadata: { kernelspec: { name: kernel, display_name: kernel, language: 'python' } },
      cells: cells.map((source, i) => ({
        cell_type: 'code',
        id: `cell-${i}`,
        execution_count: null,
        metadata: {},
        outputs: [],
        source
      }))
    };
    writeFileSync(join(this.folder, name), JSON.stringify(notebook));
    return name;
  }

  /** The sources of a notebook's cells, as they were saved. */
  read(name: string): string[] {
    const notebook = JSON.parse(readFileSync(join(this.folder, name), 'utf8'));
    return notebook.cells.map((cell: { source: string | string[] }) => [cell.source].flat().join(''));
  }

  log(): string {
    return readFileSync(this.logFile, 'utf8').slice(-5000);
  }

  async close(): Promise<void> {
    const ended = new Promise(done => this.process.once('exit', done));
    if (this.process.exitCode === null) {
      this.process.kill('SIGTERM');
      const late = setTimeout(() => this.process.kill('SIGKILL'), 20_000);
      await ended;
      clearTimeout(late);
    }
    rmSync(this.home, { recursive: true, force: true });
  }

  readonly folder: string;
  private readonly home = mkdtempSync(join(tmpdir(), 'xinterp-jupyter-'));
  private readonly logFile = join(this.home, 'log');
  private readonly token = randomBytes(16).toString('hex');
  private readonly process: ChildProcess;
}
