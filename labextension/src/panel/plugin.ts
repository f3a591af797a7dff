// Puts the panel into the right side bar.
import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { createToolbarFactory, IToolbarWidgetRegistry, setToolbar } from '@jupyterlab/apputils';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';
import { IKernelModels } from '../models';
import { addCommands } from './commands';
import { PanelState } from './state';
import { InterpretersPanel } from './widget';

const ID = 'jupyterlab-xinterp:panel';
/** What the settings call the panel's toolbar. */
const TOOLBAR = 'Interpreters';

export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: "The side panel with a kernel's interpreters.",
  autoStart: true,
  requires: [IKernelModels, IToolbarWidgetRegistry, ISettingRegistry, ITranslator],
  optional: [ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    models: IKernelModels,
    toolbars: IToolbarWidgetRegistry,
    settings: ISettingRegistry,
    translator: ITranslator,
    restorer: ILayoutRestorer | null
  ) => {
    const state = new PanelState(models);
    const panel = new InterpretersPanel(state, app.commands);
    const reveal = () => app.shell.activateById(panel.id);
    addCommands(app.commands, state, panel, reveal);
    state.calls.connect(() => {
      if (!panel.isVisible) {
        reveal();
      }
    });
    setToolbar(panel, createToolbarFactory(toolbars, settings, TOOLBAR, ID, translator));
    app.shell.add(panel, 'right', { rank: 300, type: 'Interpreters' });
    restorer?.add(panel, 'xinterp-panel');
    void app.restored.then(() => panel.afterRestore());
  }
};
