import { describe, expect, it } from "vitest";
import { fieldOnLine, findError, findField } from "./text-position.ts";

/** A parser that knows one fault: the word "bad" outside of strings, or a string without end. */
function parse(text: string): string | undefined {
  const outside = text.replace(/"[^"\n]*"/g, "");
  if (/"/.test(outside)) return "unterminated";
  return /\bbad\b/.test(outside) ? "bad word" : undefined;
}

describe("findError", () => {
  it("finds the beginning of the offending word, also after blank lines", () => {
    expect(findError("bad", parse)).toEqual({ line: 1, column: 1 });
    expect(findError("\nbad", parse)).toEqual({ line: 2, column: 1 });
    expect(findError('good "bad"\n\n  good bad good\ngood\n', parse)).toEqual({
      line: 3,
      column: 8,
    });
  });

  it("is not misled by a sound string that fails alike when it is cut off", () => {
    expect(findError('"a" good\n"b" good "c', parse)).toEqual({ line: 2, column: 10 });
  });

  it("asks a few times, however long the text before or behind the fault", () => {
    for (const text of [`${"good ".repeat(5_000)}bad`, `bad${"\ngood # good".repeat(5_000)}`]) {
      let asked = 0;
      const counting = (prefix: string) => {
        asked++;
        return parse(prefix);
      };
      expect(findError(text, counting)).toEqual({ line: 1, column: 1 + text.indexOf("bad") });
      expect(asked).toBeLessThan(20);
    }
  });

  it("points to the last token when something is missing at the end", () => {
    const closed = (text: string) => (text.includes("}") ? undefined : "no }");
    const parser = (text: string) => (text.includes("\0") ? "unexpected" : closed(text));
    expect(findError("a { b\n  c: 1 # c\n", parser)).toEqual({ line: 2, column: 6 });
  });

  it("ends when even the empty text fails", () => {
    expect(findError("\n\nx", () => "always")).toEqual({ line: 1, column: 1 });
    expect(findError("", () => "always")).toEqual({ line: 1, column: 1 });
  });
});

describe("findField", () => {
  it("finds the last field of that name outside of strings and comments", () => {
    const text = 'loss: 1\r\na: "loss" # loss\n  loss: 2 lossy: 3\n# loss\nb: "loss"';
    expect(findField(text, "loss")).toEqual({ line: 3, column: 3 });
    expect(findField(text, "los")).toBeUndefined();
  });
});

describe("fieldOnLine", () => {
  it("gives name and value as written, without the comment", () => {
    expect(fieldOnLine("x: 1\r\n  a : 10.0.0.1 # b\r\n", 2)).toEqual({
      name: "a",
      value: "10.0.0.1",
    });
    expect(fieldOnLine("x {", 1)).toBeUndefined();
    expect(fieldOnLine("", 5)).toBeUndefined();
  });
});
