// Badges on the code cells of notebooks and consoles.

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { Cell } from '@jupyterlab/cells';
import { type ConsolePanel, IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';

import { CommandIDs } from '../ids';
import { followDocuments, IKernelModels } from '../models';
import { Badges } from './badges';
import { followDeaths } from './death';
import type { Kernel } from './view';

/** Gives the cells of a notebook their badges; `choose` opens the menu of the active cell. */
export function followNotebook(
  panel: Pick<NotebookPanel, 'content' | 'disposed'>,
  kernel: Kernel,
  choose: () => void
): void {
  const { content } = panel;
  const open = (cell: Cell) => {
    content.activeCellIndex = content.widgets.indexOf(cell);
    choose();
  };
  const badges = new Badges<Cell>(kernel, open, () => content.widgets);
  const addAll = () => {
    content.widgets.forEach(cell => badges.add(cell));
    badges.reachable = content.activeCell;
    badges.update();
  };
  const followModel = () => {
    content.model?.cells.changed.connect(addAll);
    addAll();
  };
  content.modelChanged.connect(followModel);
  content.activeCellChanged.connect((_, cell) => (badges.reachable = cell));
  panel.disposed.connect(() => badges.dispose());
  followModel();
}

/** Gives the prompt of a console its badge, which it keeps when it has become one of the cells above the prompt. */
export function followConsole(
  panel: Pick<ConsolePanel, 'console' | 'disposed'>,
  kernel: Kernel,
  choose: () => void
): void {
  const { console } = panel;
  const badges = new Badges<Cell>(kernel, cell => {
    if (cell === console.promptCell) choose();
  });
  const add = (cell: Cell | null) => {
    if (cell) badges.add(cell);
    badges.reachable = cell;
  };
  console.promptCellCreated.connect((_, cell) => add(cell));
  panel.disposed.connect(() => badges.dispose());
  add(console.promptCell);
}

export const cellsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlab-xinterp:cells',
  description: 'Shows on each code cell which interpreters it goes to, and below it if the kernel has died.',
  autoStart: true,
  requires: [IKernelModels],
  optional: [INotebookTracker, IConsoleTracker],
  activate: (
    app: JupyterFrontEnd,
    models: IKernelModels,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null
  ) => {
    const choose = () => void app.commands.execute(CommandIDs.setTarget);
    const ofNotebook = (panel: NotebookPanel) => {
      const kernel = models.of(panel.sessionContext);
      followNotebook(panel, kernel, choose);
      followDeaths(panel, kernel);
    };
    const ofConsole = (panel: ConsolePanel) => followConsole(panel, models.of(panel.sessionContext), choose);
    followDocuments(notebooks, consoles, ofNotebook, ofConsole);
  }
};
