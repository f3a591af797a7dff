// The extension: its plugins, one a file.
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { modelsPlugin } from './models';
import { panelPlugin } from './panel/plugin';

const plugins: JupyterFrontEndPlugin<any>[] = [modelsPlugin, panelPlugin];

export default plugins;
