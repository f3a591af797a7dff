// Where a code cell goes, from its text: its `%%interp TARGET...` line, read as the kernel reads it.
// src/magics/cell_magic.cpp decides; tests/cases/cell_magic.json keeps the two readers together.

import { ILine, IWord, magicLine, splitWords } from './words';

/** A cell with a `%%interp` line that names where it goes. */
export interface IRouted {
  kind: 'routed';
  /** Names and ids as typed, each once; or the one word "all". */
  targets: string[];
  detached: boolean;
  create: boolean;
  preset: string | null;
  /** In seconds. */
  timeout: number | null;
  /** Variables that go there and come back. */
  in: string[];
  out: string[];
}

/**
 * `plain`: no `%%interp` line. `commands`: nothing but `%interp` lines, which the kernel answers itself. `help`: `%%interp` alone.
 * `invalid`: the kernel refuses the line.
 */
export type Routing = IRouted | { kind: 'plain' | 'commands' | 'help' | 'invalid' };

/** Where the code of a cell goes. */
export function routing(source: string): Routing {
  const line = magicLine(source);
  if (line) return readLine(line).routing;
  return { kind: isCommands(source) ? 'commands' : 'plain' };
}

/**
 * The cell with another target: nothing but the targets of its `%%interp` line changes, or such a line is put in front.
 * With null the line goes, but for a comment on it.
 */
export function withTarget(source: string, target: string | null): string {
  const line = magicLine(source);
  if (!line) return target === null ? source : `%%interp ${target}\n${source}`;
  if (target === null) return withoutLine(source, line);
  const { targets, words } = readLine(line);
  // "all" stands for interpreters that exist.
  const gone = words.filter(word => targets.includes(word) || (target === 'all' && isCreation(word)));
  const ampersand = gone.some(word => word.ampersand) ? '&' : '';
  const [first] = targets;
  const edits = gone.map(word => ({ start: beforeSpace(source, word.start), end: word.end, text: '' }));
  if (first) edits[gone.indexOf(first)] = { start: first.start, end: first.end, text: target + ampersand };
  else edits.push(insertion(source, line.behind, ` ${target}`));
  const changed = edited(source, edits);
  if (routing(changed).kind === 'routed') return changed;
  // Its mistake is not in the targets: a line that says no more than the target.
  const end = beforeSpace(source, line.comment ?? line.end);
  return edited(source, [{ ...insertion(source, end, ` ${target}`), start: line.behind }]);
}

/** The cell detached or not; one whose line names no target stays as it is. */
export function withDetached(source: string, detached: boolean): string {
  const line = magicLine(source);
  if (!line) return source;
  const { routing, targets, words } = readLine(line);
  if (routing.kind !== 'routed' || routing.detached === detached) return source;
  if (detached) return edited(source, [insertion(source, targets.at(-1)!.end, ' &')]);
  const edits = words.map(word =>
    word.role === '&'
      ? { start: beforeSpace(source, word.start), end: word.end, text: '' }
      : { start: word.start, end: word.end, text: word.ampersand ? word.value : source.slice(word.start, word.end) }
  );
  return edited(source, edits);
}

/** A word of the line and what it is there for. */
interface IRead extends IWord {
  /** A target, `&`, or the option that it is, or belongs to. */
  role: string;
  /** Written with the `&` behind it, which `value` lacks. */
  ampersand: boolean;
}

interface ILineRead {
  routing: Routing;
  words: IRead[];
  targets: IRead[];
}

const INVALID: Routing = { kind: 'invalid' };
/** What a flag may be told to be: `--create=no`. */
const FALSE = /^(false|off|no|disable|[0fn-])$/i;
const PRESETS = ['isolated', 'notebook', 'shared'];
const KEYWORDS = new Set(
  `False None True and as assert async await break class continue def del elif else except finally for from global if import in is
   lambda nonlocal not or pass raise return try while with yield`.split(/\s+/)
);

/** As the kernel's parser does it: cell_magic.cpp and arguments.cpp. */
function readLine(line: ILine): ILineRead {
  const split = splitWords(line);
  if (!split) return { routing: INVALID, words: [], targets: [] };
  const words = split.map((word): IRead => ({ ...word, role: word.value === '&' ? '&' : '', ampersand: false }));
  const rest = words.filter(word => word.role !== '&');
  takeAmpersand(rest.at(-1));
  const options = new Map<string, string[]>();
  const sound = assignRoles(rest, options);
  const targets = rest.filter(word => word.role === 'target');
  takeAmpersand(targets.at(-1));
  return { routing: sound ? judged(words, targets, options) : INVALID, words, targets };
}

/** `alice&`, as shells allow. */
function takeAmpersand(word: IRead | undefined): void {
  if (!word || !/[^]&$/.test(word.value)) return;
  word.value = word.value.slice(0, -1);
  word.ampersand = true;
}

/** Tells options, their values and targets apart; false if there is a mistake in them. */
function assignRoles(words: IRead[], options: Map<string, string[]>): boolean {
  let sound = true;
  const left = [...words];
  for (let word = left.shift(); word; word = left.shift()) {
    const [, option, , value = ''] = /^(--[^-\s!][^=]*)(=([^]*))?$/.exec(word.value) ?? [];
    word.role = option ?? (isValue(word.value) ? 'target' : 'wrong');
    /** The next word, as a value of the option. */
    const taken = (): string => {
      const next = left.shift();
      if (!next) return '';
      next.role = word!.role;
      return next.value;
    };
    if (option === undefined) {
      sound &&= word.role === 'target';
    } else if (option === '--create' || option === '--help') {
      options.set(option, [value]);
      sound &&= /^(|true|on|yes|enable|[1-9ty+])$/i.test(value) || FALSE.test(value);
    } else if (option === '--preset' || option === '--timeout') {
      sound &&= !options.has(option) && (value !== '' || left.length > 0);
      options.set(option, [value || taken()]);
    } else if (option === '--in' || option === '--out') {
      const given = options.get(option) ?? [];
      options.set(option, given);
      if (value) given.push(value);
      else sound &&= left[0] !== undefined && !left[0].value.startsWith('-');
      while (left[0] && isValue(left[0].value)) given.push(taken());
      if (left[0]?.value === '--') taken(); // ends the names
    } else {
      sound = false;
    }
  }
  return sound;
}

/** Neither an option nor the `--` that ends options; numbers below zero are values. */
function isValue(word: string): boolean {
  return word !== '--' && (/^-\.?\d/.test(word) || !/^--?[^-\s!]/.test(word));
}

function judged(words: IRead[], targetWords: IRead[], options: Map<string, string[]>): Routing {
  const flag = (name: string) => options.has(name) && !FALSE.test(options.get(name)![0]!);
  const value = (name: string) => options.get(name)?.[0] ?? null;
  const routed: IRouted = {
    kind: 'routed',
    targets: names(targetWords.map(word => word.value)),
    detached: words.some(word => word.role === '&' || word.ampersand),
    create: flag('--create'),
    preset: value('--preset'),
    timeout: options.has('--timeout') ? seconds(value('--timeout')!) : null,
    in: names(options.get('--in') ?? []),
    out: names(options.get('--out') ?? [])
  };
  const variables = [...routed.in, ...routed.out];
  const named = (option: string, list: string[]) => !options.has(option) || list.length > 0;
  if (!named('--in', routed.in) || !named('--out', routed.out) || !variables.every(isIdentifier)) return INVALID;
  if (routed.preset !== null && !PRESETS.includes(routed.preset)) return INVALID;
  if (routed.timeout !== null && !(routed.timeout > 0 && routed.timeout <= 1e9)) return INVALID;
  const bare = !routed.detached && !routed.create && !routed.preset && !routed.timeout && !variables.length;
  if (flag('--help') || (!routed.targets.length && bare)) return { kind: 'help' };
  const all = routed.targets.includes('all');
  if (!routed.targets.length || (routed.preset && !routed.create)) return INVALID;
  if (all && (routed.create || routed.targets.length > 1)) return INVALID;
  return routed;
}

/** `a,b`, `a, b` and `a b`, each once. */
function names(words: string[]): string[] {
  return [...new Set(words.flatMap(word => word.split(',')).filter(name => name !== ''))];
}

function seconds(text: string): number {
  return /^\s*\+?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(e[+-]?\d+)?\s*$/i.test(text) ? Number(text.replace(/_/g, '')) : NaN;
}

function isIdentifier(name: string): boolean {
  return /^(?!\d)[\p{Alphabetic}\p{Nd}_]+$/u.test(name) && !KEYWORDS.has(name);
}

function isCreation(word: IRead): boolean {
  return word.role === '--create' || word.role === '--preset';
}

/** Nothing but `%interp` lines, none of which needs Python to expand it. */
function isCommands(source: string): boolean {
  const lines = source.split('\n').filter(line => !/^[ \t\r\f]*(#|$)/.test(line));
  return lines.length > 0 && lines.every(line => /^[ \t\r\f]*%interp(?=[ \t\r\f]*$|[ \t#])[^{$\\]*$/.test(line));
}

function withoutLine(source: string, line: ILine): string {
  if (line.comment !== null) return source.slice(0, line.magic) + source.slice(line.comment);
  return source.slice(0, line.start) + source.slice(line.end + 1);
}

interface IEdit {
  start: number;
  end: number;
  text: string;
}

/** The edits are in order and apart. */
function edited(source: string, edits: IEdit[]): string {
  let at = 0;
  let result = '';
  for (const { start, end, text } of [...edits].sort((a, b) => a.start - b.start)) {
    result += source.slice(at, start) + text;
    at = end;
  }
  return result + source.slice(at);
}

/** Apart from a comment that follows at once. */
function insertion(source: string, at: number, text: string): IEdit {
  return { start: at, end: at, text: source[at] === '#' ? `${text} ` : text };
}

function beforeSpace(source: string, at: number): number {
  while (at > 0 && ' \t\r'.includes(source.charAt(at - 1))) --at;
  return at;
}
