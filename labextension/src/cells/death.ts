// What a cell shows whose kernel has died: JupyterLab tells of it once, in a dialog, and leaves the cells without a word.

import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';

import type { KernelModel } from '../model';
import type { Run } from '../protocol';
import { listed } from './view';

/** Says below each cell that has not ended that the kernel has died, and in which interpreter the cell ran. */
export function tellOfDeath(cells: Iterable<Cell>, lost: readonly Run[]): void {
  for (const cell of cells) {
    const model = cell.model as ICodeCellModel;
    if (cell.model.type !== 'code' || model.executionState !== 'running') continue;
    const where = listed(lost.filter(run => run.cell === model.id).map(run => run.label));
    const when = where ? `while this cell ran in ${where}` : 'before this cell had ended';
    const text = `The kernel died ${when}. Its interpreters are gone, with all their variables.\n`;
    model.outputs.add({ output_type: 'stream', name: 'stderr', text });
  }
}

/** Does that in a notebook whenever its kernel dies. */
export function followDeaths(
  panel: Pick<NotebookPanel, 'content' | 'sessionContext'>,
  kernel: Pick<KernelModel, 'lost'>
): void {
  panel.sessionContext.statusChanged.connect((_, status) => {
    if ((status === 'autorestarting' || status === 'dead') && kernel.lost)
      tellOfDeath(panel.content.widgets, kernel.lost);
  });
}
