// The panel, as a person sees it.

import { type Locator } from 'playwright-core';
import { expect } from 'vitest';
import type { NotebookPage } from './page';

export class Panel {
  static async show(notebook: NotebookPage): Promise<Panel> {
    await notebook.command('xinterp:show-panel');
    const panel = new Panel(notebook);
    await panel.root.waitFor();
    return panel;
  }

  constructor(private readonly _notebook: NotebookPage) {}

  get root(): Locator {
    return this._notebook.page.locator('.jp-xinterp-Panel');
  }

  get rows(): Locator {
    return this.root.getByRole('grid', { name: 'Interpreters' }).getByRole('row');
  }

  /** The row of the interpreter of that name. */
  row(name: string): Locator {
    return this.rows.filter({
      has: this._notebook.page.locator('.jp-xinterp-Label-text', { hasText: new RegExp(`^${name}$`) })
    });
  }

  names(): Promise<string[]> {
    return this.rows.locator('.jp-xinterp-Label-text').allInnerTexts();
  }

  async untilNames(...names: string[]): Promise<void> {
    await expect.poll(() => this.names()).toEqual(names);
  }

  /** What the row says of what its interpreter does: "running In [2] 3 s". */
  async state(name: string): Promise<string> {
    return (await this.row(name).locator('.jp-xinterp-Row-state').innerText()).replace(/\s+/g, ' ').trim();
  }

  async untilState(name: string, state: RegExp | string): Promise<void> {
    const expected = typeof state === 'string' ? new RegExp(`^${state}$`) : state;
    await expect.poll(() => this.state(name)).toMatch(expected);
  }

  /** An action of a row's menu. */
  async choose(name: string, action: string): Promise<void> {
    await this.row(name)
      .getByRole('button', { name: `More actions for ${name}` })
      .click();
    await this._notebook.page.locator('.lm-Menu-item', { hasText: action }).first().click();
  }

  /** The sentences at its top. */
  notices(): Promise<string[]> {
    return this.root.locator('.jp-xinterp-Notice-text').allInnerTexts();
  }

  async create(name: string, preset = 'notebook'): Promise<void> {
    await this.root.locator('[data-jp-item-name="new"] jp-button').click();
    const dialog = this._notebook.page.getByRole('dialog');
    await dialog.getByLabel('Name').fill(name);
    await dialog.getByLabel('Preset').selectOption(preset);
    await dialog.getByRole('button', { name: 'Create' }).click();
    await dialog.waitFor({ state: 'detached' });
  }
}
