/**
 * Where in a text-format file something stands.
 *
 * Problem: the parser says what is wrong and not where.
 *
 * Approach: it stops at the first error, so every prefix of the file that contains the offending
 * token fails with the same message, and one that ends before it does not. Halving finds the shortest
 * prefix that fails alike. Prefixes end between tokens only: one that ended inside a sound string
 * could fail alike by chance. What is missing at the end of the file is a case of its own: there
 * every prefix may lack the same.
 *
 * Cost: one parse per doubling of the number of tokens, so that a file of any length is told at once.
 */

/** Where in a file: both count from 1; the column counts UTF-16 units. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** A word, a string (with the end of its line where it has none of its own), a mark, a comment. */
const TOKEN = /"(?:\\.|[^"\\\n])*["\n]?|'(?:\\.|[^'\\\n])*['\n]?|#[^\n]*|[^\s:,;{}<>[\]"'#]+|\S/g;
/** Begins no token, ends a comment, and may not stand in a string. */
const NO_TOKEN = "\n\0";

/** Start of the token at which `parse` (error text, or undefined when sound) gives up. */
export function findError(
  text: string,
  parse: (prefix: string) => string | undefined,
): TextPosition {
  const failure = parse(text);
  const starts: number[] = [];
  const ends: number[] = [];
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token.startsWith("#")) continue;
    starts.push(index);
    ends.push(index + token.length);
  }
  const last = Math.max(0, starts.length - 1);
  const failsAlike = (count: number) => parse(text.slice(0, ends[count - 1] ?? 0)) === failure;
  // What goes on is another failure: so this one is that the text ends.
  if (parse(text + NO_TOKEN) !== failure) return positionOf(text, starts[last] ?? 0);
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (failsAlike(middle)) high = middle;
    else low = middle + 1;
  }
  return positionOf(text, starts[low - 1] ?? 0);
}

/** Where the last field called `name` begins, leaving strings and comments aside. */
export function findField(text: string, name: string): TextPosition | undefined {
  const matches = [...blankOut(text).matchAll(new RegExp(`\\b${name}\\b`, "g"))];
  const last = matches.at(-1);
  return last === undefined ? undefined : positionOf(text, last.index);
}

/** The value as written behind "name:" on a line, up to the end or a comment. */
export function fieldOnLine(
  text: string,
  line: number,
): { name: string; value: string } | undefined {
  const match = /^\s*(\w+)\s*:\s*([^#]*)/.exec(text.split("\n")[line - 1] ?? "");
  return match === null ? undefined : { name: match[1], value: match[2].trim() };
}

/** The text with the same length, strings as quotation marks and comments as blanks. */
function blankOut(text: string): string {
  return text.replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*/g, (match) =>
    (match.startsWith("#") ? " " : '"').repeat(match.length),
  );
}

function positionOf(text: string, index: number): TextPosition {
  const before = text.slice(0, index);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: index - lineStart + 1 };
}
