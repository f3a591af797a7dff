// Cells and notebooks as JupyterLab has them, as far as badges and commands look at them.
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';

/** The text of a cell. */
export class FakeText {
  readonly changed = new Signal<this, { sourceChange?: unknown }>(this);
  edits = 0;

  constructor(private _source: string) {}

  getSource(): string {
    return this._source;
  }

  updateSource(start: number, end: number, value = ''): void {
    this._source = this._source.slice(0, start) + value + this._source.slice(end);
    this.edits += 1;
    this.changed.emit({ sourceChange: [] });
  }
}

export class FakeCell {
  readonly node = document.createElement('div');
  readonly disposed = new Signal<this, void>(this);
  readonly model: {
    readonly id: string;
    readonly type: string;
    readonly sharedModel: FakeText;
    readonly stateChanged: Signal<object, void>;
    isDirty: boolean;
  };
  readonly ready: Promise<void>;
  readonly editor = { cursor: {}, setCursorPosition: (position: object) => void (this.editor.cursor = position) };
  readOnly = false;
  /** Makes its parts, as when it comes into sight. */
  show!: () => void;
  private _isPlaceholder: boolean;

  constructor(source = '', { id = 'cell', type = 'code', placeholder = false } = {}) {
    const stateChanged = new Signal<object, void>({});
    this.model = { id, type, sharedModel: new FakeText(source), stateChanged, isDirty: false };
    this._isPlaceholder = placeholder;
    this.ready = new Promise(resolve => {
      this.show = () => {
        this._isPlaceholder = false;
        this.node.innerHTML = '<div class="jp-Cell-inputWrapper"></div>';
        resolve();
      };
    });
    if (!placeholder) this.show();
  }

  get it(): Cell {
    return this as unknown as Cell;
  }

  get source(): string {
    return this.model.sharedModel.getSource();
  }

  set source(source: string) {
    this.model.sharedModel.updateSource(0, this.source.length, source);
  }

  /** It runs, or not; the texts of the outputs that it gets from now on. */
  runs(running: boolean): string[] {
    const texts: string[] = [];
    const outputs = { add: ({ text }: { text: string }) => texts.push(text) };
    Object.assign(this.model, { executionState: running ? 'running' : 'idle', outputs });
    return texts;
  }

  /** Its text is another one than that which ran. */
  set edited(edited: boolean) {
    this.model.isDirty = edited;
    this.model.stateChanged.emit();
  }

  get badge(): HTMLButtonElement | null {
    return this.node.querySelector('.jp-Cell-inputWrapper > button');
  }

  isPlaceholder(): boolean {
    return this._isPlaceholder;
  }

  /** JupyterLab's cells have no model any more when they say so. */
  dispose(): void {
    (this as { model: unknown }).model = null;
    this.disposed.emit();
  }
}

/** A notebook; its first cell is active. */
export class FakeNotebook {
  readonly disposed = new Signal<this, void>(this);
  readonly id = 'notebook';
  readonly content: FakeContent;

  constructor(
    cells: FakeCell[],
    readonly sessionContext = {}
  ) {
    this.content = new FakeContent(cells);
  }

  get it(): NotebookPanel {
    return this as unknown as NotebookPanel;
  }
}

class FakeContent {
  readonly modelChanged = new Signal<this, void>(this);
  readonly activeCellChanged = new Signal<this, FakeCell | null>(this);
  readonly model = {
    readOnly: false,
    cells: { changed: new Signal<object, void>({}) },
    sharedModel: {
      insertCell: (at: number, { source }: { source: string }) => this.insert(at, new FakeCell(source, { id: 'new' }))
    }
  };
  mode = 'command';
  deselected = 0;
  private _active = 0;

  constructor(readonly widgets: FakeCell[]) {}

  get activeCellIndex(): number {
    return this._active;
  }

  set activeCellIndex(index: number) {
    this._active = index;
    this.activeCellChanged.emit(this.activeCell);
  }

  get activeCell(): FakeCell | null {
    return this.widgets[this._active] ?? null;
  }

  insert(at: number, cell: FakeCell): void {
    this.widgets.splice(at, 0, cell);
    this.model.cells.changed.emit();
  }

  deselectAll(): void {
    this.deselected += 1;
  }
}
