// A part of the panel that can be opened and closed. What is not in sight is not there: it costs nothing.
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { createElement, type FunctionComponent } from 'react';

export class Section extends ReactWidget {
  constructor(
    label: string,
    private readonly _content: FunctionComponent
  ) {
    super();
    this.title.label = label;
    this.addClass('jp-xinterp-Section');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', label);
  }

  protected override render(): JSX.Element | null {
    return this.isVisible ? createElement(this._content) : null;
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.update();
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.update();
  }
}
