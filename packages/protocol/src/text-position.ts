/**
 * Where in a text-format file something stands.
 *
 * Problem: the parser says what is wrong and not where.
 *
 * Approach: it stops at the first error, so every prefix of the file that contains the offending
 * token fails with the same message. Take prefixes away line by line, then character by character,
 * until the outcome changes; what was taken last is the end of that token. Going backwards rather
 * than forwards matters: a short prefix may end inside a sound string and fail alike by chance.
 *
 * Cost: at most one parse per line plus one per character of a line.
 */

/** Where in a file: both count from 1; the column counts UTF-16 units. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** Start of the token at which `parse` (error text, or undefined when sound) gives up. */
export function findError(
  text: string,
  parse: (prefix: string) => string | undefined,
): TextPosition {
  const failure = parse(text);
  let end = text.length;
  for (;;) {
    const lineStart = end < 2 ? 0 : text.lastIndexOf("\n", end - 2) + 1;
    if (lineStart === 0 || parse(text.slice(0, lineStart)) !== failure) break;
    end = lineStart;
  }
  while (end > 0 && parse(text.slice(0, end - 1)) === failure) end--;
  const plain = blankOut(text);
  let start = Math.max(0, end - 1);
  if (isWordCharacter(plain[start])) while (isWordCharacter(plain[start - 1])) start--;
  return positionOf(text, start);
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

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && !/[\s:,;{}<>[\]]/.test(character);
}

function positionOf(text: string, index: number): TextPosition {
  const before = text.slice(0, index);
  const lineStart = before.lastIndexOf("\n") + 1;
  return { line: before.split("\n").length, column: index - lineStart + 1 };
}
