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

/** Of the sections, as parts of the whole. */
const HEIGHTS = [5, 3, 4, 6];

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
    this._share();
    this._accordion.expansionToggled.connect((_, index) => {
      if (!this.widgets[index]?.isHidden) {
        this._share();
      }
    });
  }

  /**
   * After the layout has been restored. JupyterLab remembers the sections of a panel that was not in sight as closed
   * ones: if all are, those that are open in a new panel are.
   */
  afterRestore(): void {
    if (this.widgets.every(section => section.isHidden)) {
      this._accordion.expand(0);
      this._accordion.expand(1);
    }
  }

  /** Open one of the sections. Variables and their comparison take each other's place. */
  open(section: keyof InterpretersPanel['sections']): void {
    const { variables, compare } = this.sections;
    const other = section === 'variables' ? compare : section === 'compare' ? variables : null;
    if (other) {
      this._accordion.collapse(this.widgets.indexOf(other));
    }
    this._accordion.expand(this.widgets.indexOf(this.sections[section]));
  }

  /** The open sections share the height: one that has been opened would have none. */
  private _share(): void {
    this._accordion.setRelativeSizes(this.widgets.map((section, index) => (section.isHidden ? 0 : HEIGHTS[index]!)));
  }

  readonly sections = {} as Record<'list' | 'timeline' | 'variables' | 'compare', Section>;

  private get _accordion(): AccordionPanel {
    return this.content as AccordionPanel;
  }
}
