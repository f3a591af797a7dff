// The side panel: its sections below each other, with notices and a toolbar above them.
import { ReactWidget, SidePanel } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { AccordionPanel } from '@lumino/widgets';
import { createElement } from 'react';
import { Compare } from './compare';
import { interpretersIcon } from './icons';
import { List } from './list';
import { Notices } from './notices';
import { Section } from './section';
import type { PanelState } from './state';
import { Timeline } from './timeline';
import { Variables } from './variables';

export class InterpretersPanel extends SidePanel {
  constructor(state: PanelState, commands: CommandRegistry) {
    super();
    this.id = 'jp-xinterp-panel';
    this.addClass('jp-xinterp-Panel');
    this.title.icon = interpretersIcon;
    this.title.caption = 'Interpreters';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Interpreters');

    const notices = ReactWidget.create(createElement(Notices, { state }));
    notices.addClass('jp-xinterp-Notices');
    this.header.addWidget(notices);

    const { sections } = this;
    sections.list = new Section('Interpreters', () => createElement(List, { state, commands }));
    sections.timeline = new Section('Timeline', () => createElement(Timeline, { state }));
    sections.variables = new Section('Variables', () => createElement(Variables, { state }));
    sections.compare = new Section('Compare', () => createElement(Compare, { state }));
    for (const section of Object.values(sections)) {
      this.addWidget(section);
    }
    this._accordion.collapse(2);
    this._accordion.collapse(3);
  }

  /** Open one of the sections. */
  open(section: keyof InterpretersPanel['sections']): void {
    this._accordion.expand(this.widgets.indexOf(this.sections[section]));
  }

  readonly sections = {} as Record<'list' | 'timeline' | 'variables' | 'compare', Section>;

  private get _accordion(): AccordionPanel {
    return this.content as AccordionPanel;
  }
}
