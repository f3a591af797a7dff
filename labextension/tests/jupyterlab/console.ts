// In the place of @jupyterlab/console, as notebook.ts is.
import { Token } from '@lumino/coreutils';

export const IConsoleTracker = new Token('@jupyterlab/console:IConsoleTracker');
