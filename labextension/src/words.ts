// The `%%interp` line of a cell and its words: where each stands, so that one of them can be replaced.

/** The `%%interp` line. Offsets into the cell's text. */
export interface ILine {
  /** The words' text, and where it begins: behind the magic's name. */
  arguments: string;
  behind: number;
  /** Of the line; the end is that of its text. */
  start: number;
  end: number;
  /** Of the magic's name, behind the indentation. */
  magic: number;
  /** Of a comment's `#`; null if there is none. */
  comment: number | null;
}

/** A word without its quotes. Offsets into the cell's text. */
export interface IWord {
  value: string;
  start: number;
  end: number;
}

/** The cell's first line that is neither blank nor a comment, if that is a `%%interp` line. */
export function magicLine(source: string): ILine | null {
  const [before] = /^([ \t\r\f]*(#[^\n]*)?\n)*/.exec(source)!;
  const start = before.length;
  const newline = source.indexOf('\n', start);
  const end = newline < 0 ? source.length : newline;
  const found = /^([ \t\r\f]*)%%interp(?=[ \t\r\f]*$|[ \t#])/.exec(source.slice(start, end));
  if (!found) return null;
  const behind = start + found[0].length;
  const line = { arguments: source.slice(behind, end), behind, start, end, magic: start + found[1]!.length };
  return { ...line, comment: scan(line).comment };
}

/** Its words as a shell splits them; null if a quote is not closed. */
export function splitWords(line: ILine): IWord[] | null {
  return scan(line).words;
}

function scan({ arguments: text, behind }: Pick<ILine, 'arguments' | 'behind'>): {
  words: IWord[] | null;
  comment: number | null;
} {
  const words: IWord[] = [];
  let word: IWord | null = null;
  let quote = '';
  const trimmed = text.replace(/[ \t\r\f]+$/, '');
  for (let at = 0; at <= trimmed.length; ++at) {
    const sign = trimmed.charAt(at);
    if (quote !== '') {
      if (sign === '') return { words: null, comment: null };
      if (sign === quote) quote = '';
      else word!.value += sign;
      continue;
    }
    if (sign === '' || ' \t\r'.includes(sign)) {
      if (word) words.push({ ...word, end: behind + at });
      word = null;
      continue;
    }
    if (sign === '#' && !word) return { words, comment: behind + at };
    word ??= { value: '', start: behind + at, end: 0 };
    if (sign === '"' || sign === "'") quote = sign;
    else word.value += sign;
  }
  return { words, comment: null };
}
