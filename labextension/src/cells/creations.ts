// Which interpreters the cells of a notebook create, read off their text: a name that a cell further up creates is no
// mistake, also while it does not exist yet.

import { routing } from '../targets';

/** What running a cell creates. */
export interface ICreations {
  names: readonly string[];
  /** It also creates some whose names are known only when it runs. */
  unread: boolean;
  /** It also creates some that have ids only. */
  numbered: boolean;
}

/** What the cells above a cell create. */
export type CreatedAbove = (target: string) => boolean;

const NOTHING: ICreations = { names: [], unread: false, numbered: false };
const LINE = /^[ \t]*(?:[\w ,]+= *)?%interp[ \t]+(create|rename)\b([^#\n]*)/gm;
const CALL = /\bxinterp\.create\(([^()]*)\)/g;
const NUMBERED_CALL = /\binterpreters\.create\(|\bInterpreterPoolExecutor\(/;

export function creations(source: string): ICreations {
  if (!/create|rename|InterpreterPoolExecutor/.test(source)) return NOTHING;
  const names = new Set<string>();
  let unread = false;
  let numbered = NUMBERED_CALL.test(source);
  const read = routing(source);
  if (read.kind === 'routed' && read.create) read.targets.forEach(target => names.add(target));
  for (const [, command, text = ''] of source.matchAll(LINE)) {
    const words = text.replace(/--preset(=|[ \t]+)\S+/, '').split(/[\s,]+/);
    if (words.some(word => /^-n/.test(word))) numbered = true;
    else if (/[{$]/.test(text)) unread = true;
    else words.filter(isName).forEach((word, index) => (command === 'create' || index === 1) && names.add(word));
  }
  for (const [, text = ''] of source.matchAll(CALL)) {
    const parts = text.split(',').map(part => part.trim());
    if (parts.some(part => /^n *=/.test(part))) numbered = true;
    for (const part of parts.filter(part => part !== '' && !/^\w+ *=/.test(part))) {
      const [, name] = /^(?:"(\w+)"|'\w+')$/.exec(part.replace(/'/g, '"')) ?? [];
      if (name) names.add(name);
      else unread = true;
    }
  }
  return { names: [...names], unread, numbered };
}

function isName(word: string): boolean {
  return /^[\p{Alphabetic}_]/u.test(word);
}

/** Whether one of those cells creates the target. */
export function creates(all: Iterable<ICreations>, target: string): boolean {
  for (const { names, unread, numbered } of all)
    if (/^\d/.test(target) ? numbered : unread || names.includes(target)) return true;
  return false;
}
