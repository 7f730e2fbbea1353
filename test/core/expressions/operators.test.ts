import { describe, it } from "vitest";
import { fails, holds, type Row, sandboxForFile } from "./support.ts";

const expressions = sandboxForFile();
const env = {
  five: 5,
  half: 0.5,
  word: "pear",
  nothing: null,
  list: [7, 8, 9],
  tree: { left: { leaf: "l" }, "odd name": 1, empty: null },
};

function table(title: string, rows: readonly Row[]): void {
  describe(title, () => {
    it.each(rows)("%s gives %o", async (...row) => holds(expressions(), row as unknown as Row, env));
  });
}

table("literals", [
  ["0x2F + 0b101 + 0o17", "67"],
  ["12_345", "12345"],
  [".25 + 5.", "5.25"],
  ["2e3", "2000"],
  ["9223372036854775808", fails("out of range")],
  ["0b102", fails("bad number syntax")],
  ["1__0", "10"],
  [`"tab\\tquote\\"bell\\a"`, `"tab\\tquote\\"bell\\u0007"`],
  [`'it\\'s \\x41\\u00e9\\u{1F340}\\U0001F340\\101'`, `"it's Aé🍀🍀A"`],
  ["`raw \\n ``tick```", '"raw \\\\n `tick`"'],
  [`"open`, fails("literal not terminated")],
  [`"\\q"`, fails("invalid char escape")],
  [`b"a\\x00\\377"`, '"YQD/"'],
  [`b"\\u0041"`, fails("unable to unescape")],
  ["[1, [2.5, nil,], 'x',]", '[1,[2.5,null],"x"]'],
  ["{b: 1, 'a b': 2, (1 > 0 ? 'c' : 'd'): 3, 4: 5,}", '{"4":5,"a b":2,"b":1,"c":3}'],
  ["{twice: 1, twice: 2}", '{"twice":1}'],
  ["true /* not false */ // nor nil", "true"],
  ["1 /* open", fails("unclosed comment")],
]);

table("arithmetic keeps ints and floats apart", [
  ["7 + 2 * 3 - 4", "9"],
  ["12 / 8", "1.5"],
  ["12 / 4 == 3", "true"],
  ["-7 % 3", "-1"],
  ["7.0 % 2", fails("mismatched types float64 and int")],
  ["five % half", fails("invalid operation: int % float64")],
  ["1 % 0", fails("integer divide by zero")],
  ["five % 0", fails("integer divide by zero")],
  ["1 / 0", fails("unsupported value: +Inf")],
  ["2 ** 3 ** 2", "512"],
  ["2 ^ -1", "0.5"],
  ["-2 ** 2", "-4"],
  ["9223372036854775807 + 1", "-9223372036854775808"],
  ["4611686018427387904 * 3", "-4611686018427387904"],
  ["- -five", "5"],
  ["+half", "0.5"],
  ["'a' + 'b'", '"ab"'],
  ["'a' + 1", fails("mismatched types string and int")],
  ["word + five", fails("invalid operation: string + int")],
  ["1 + nil", fails("mismatched types")],
]);

table("comparison", [
  ["1 == 1.0", "true"],
  ["[1, 2] == [1.0, 2]", "true"],
  ["{a: 1} == {a: 1.0}", "false"],
  ["{a: [1, {b: nil}]} == {a: [1, {b: nil}]}", "true"],
  ["1 == '1'", fails("mismatched types int and string")],
  ["five == word", "false"],
  ["nothing == nil and missing == nil", "true"],
  ["1 < 2 < 3", "true"],
  ["3 > 2 > 2", "false"],
  ["'Z' < 'a' and 'é' > 'z' and '🍀' > '\uffff'", "true"],
  ["nothing < 1", fails("invalid operation: <nil> < int")],
]);

table("logic", [
  ["not true or true && !false", "true"],
  ["false and missing.field", "false"],
  ["true or missing.field", "true"],
  ["five and word", fails("interface conversion")],
  ["true ? 'yes' : 'no'", '"yes"'],
  ["nothing ?: 1", fails("interface conversion")],
  ["if five > 9 { 'a' } else if five > 4 { 'b' } else { 'c' }", '"b"'],
  ["five ? 1 : 2", fails("interface conversion")],
  ["nothing ?? missing ?? 3", "3"],
  ["1 ?? 2 + 3", fails("cannot be mixed")],
  ["(nothing ?? 2) + 3", "5"],
]);

table("members, indexes and slices", [
  ["tree.left.leaf", '"l"'],
  ["tree['odd name']", "1"],
  ["tree.absent", "null"],
  ["tree.absent.leaf", fails("cannot fetch leaf from <nil>")],
  ["tree?.absent?.leaf.deeper", "null"],
  ["tree.absent?.leaf ?? 'default'", '"default"'],
  ["missing?.[0]", "null"],
  ["$env.five + $env['five']", "10"],
  ["list[0] + list[-1]", "16"],
  ["list[3]", fails("index out of range")],
  ["list[1:]", "[8,9]"],
  ["list[:-1]", "[7,8]"],
  ["list[-2:9]", "[8,9]"],
  ["list[2:1]", "[]"],
  ["'pears'[1:3]", '"ea"'],
  ["'grün'[2:4]", '"ü"'],
  ["word[0]", "112"],
  ["five.leaf", fails("cannot fetch leaf from int")],
  ["{a: 1}.b ?? 2", "2"],
]);

table("membership and text", [
  ["8 in list and 10 not in list", "true"],
  ["'left' in tree", "true"],
  ["'x' in nothing", "false"],
  ["five in ['a', 'b']", fails("not assignable to type string")],
  ["3 in 1..4", "true"],
  ["2..5", "[2,3,4,5]"],
  ["5..2", "[]"],
  ["1..5000000", fails("memory budget exceeded")],
  ["word contains 'ea' and word startsWith 'p' and word endsWith 'r'", "true"],
  ["word not contains 'x'", "true"],
  ["nothing contains 'x'", "false"],
  ["word matches '^p.*r$'", "true"],
  ["word matches '('", fails("missing closing )")],
  ["word matches '(?=p)'", fails("invalid or unsupported Perl syntax")],
]);

table("variables, sequences and pipes", [
  ["let a = five; let b = a * 2; a + b", "15"],
  ["let five = 1; five", "1"],
  ["let a = 1; let a = 2; a", fails("cannot redeclare variable a")],
  ["let len = 1; len", fails("cannot redeclare builtin len")],
  ["1; 2; 3", "3"],
  ["'a-b' | split('-') | map(upper(#)) | join('+')", '"A+B"'],
  ["::len(list)", "3"],
  ["five five", fails("unexpected token Identifier")],
  ["", fails("unexpected token EOF")],
]);
