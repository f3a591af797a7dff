import { CommandRegistry } from '@lumino/commands';
import type { AccordionPanel } from '@lumino/widgets';
import { beforeEach, expect, test } from 'vitest';
import { InterpretersPanel } from '../../src/panel/widget';
import { panelOf } from './fixtures';

let widget: InterpretersPanel;
let accordion: AccordionPanel;

const open = () => widget.widgets.filter(section => !section.isHidden).map(section => section.title.label);

beforeEach(() => {
  widget = new InterpretersPanel(panelOf().state, new CommandRegistry());
  accordion = widget.content as AccordionPanel;
});

test('the list and the timeline are open at first', () => {
  expect(open()).toEqual(['Interpreters', 'Timeline']);
});

test('a layout in which all sections are closed was saved while the panel was out of sight', () => {
  widget.widgets.forEach((_, index) => accordion.collapse(index));
  widget.afterRestore();
  expect(open()).toEqual(['Interpreters', 'Timeline']);
});

test('any other layout is restored as it was', () => {
  accordion.collapse(1);
  accordion.expand(3);
  widget.afterRestore();
  expect(open()).toEqual(['Interpreters', 'Compare']);
});
