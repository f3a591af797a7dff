// The extension: its plugins, one a file.
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { modelsPlugin } from './models';

const plugins: JupyterFrontEndPlugin<any>[] = [modelsPlugin];

export default plugins;
