// A cell's text, changed where it differs and nowhere else: cursors stay, and it can be undone.

import type { ICellModel } from '@jupyterlab/cells';

/** Gives the text new contents. */
export function setText(shared: Pick<ICellModel['sharedModel'], 'getSource' | 'updateSource'>, text: string): void {
  const old = shared.getSource();
  if (text === old) return;
  const shorter = Math.min(old.length, text.length);
  let before = 0;
  while (before < shorter && old[before] === text[before]) ++before;
  if (isHighSurrogate(old, before - 1)) --before; // never between the halves of a sign
  let behind = 0;
  while (behind < shorter - before && old[old.length - 1 - behind] === text[text.length - 1 - behind]) ++behind;
  if (behind > 0 && isHighSurrogate(old, old.length - 1 - behind)) --behind;
  shared.updateSource(before, old.length - behind, text.slice(before, text.length - behind));
}

function isHighSurrogate(text: string, at: number): boolean {
  return /[\ud800-\udbff]/.test(text.charAt(at));
}
