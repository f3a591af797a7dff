// The extension: its plugins, one a file.
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { cellsPlugin } from './cells/plugin';
import { commandsPlugin } from './commands';
import { inputsPlugin } from './inputs';
import { modelsPlugin } from './models';
import { panelPlugin } from './panel/plugin';
import { runningPlugin } from './running';
import { statusPlugin } from './status';

const plugins: JupyterFrontEndPlugin<any>[] = [
  modelsPlugin,
  panelPlugin,
  cellsPlugin,
  inputsPlugin,
  commandsPlugin,
  statusPlugin,
  runningPlugin
];

export default plugins;
