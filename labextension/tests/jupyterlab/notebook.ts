// In the place of @jupyterlab/notebook, which takes seconds to load and wants more of a browser than jsdom has.
import { Token } from '@lumino/coreutils';

export const INotebookTracker = new Token('@jupyterlab/notebook:INotebookTracker');
