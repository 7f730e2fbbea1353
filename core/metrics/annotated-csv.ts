/**
 * The `_value` of every record in InfluxDB's annotated CSV, in the type that the column's annotation gives
 * it. Throws what the server says went wrong, which it says in a table of its own.
 */
export function annotatedValues(text: string): unknown[] {
  const values: unknown[] = [];
  let types: readonly string[] = [];
  let header: readonly string[] | undefined;
  for (const row of rowsOf(text)) {
    if (row.every((cell) => cell === "")) {
      header = undefined;
    } else if (row[0]?.startsWith("#")) {
      if (row[0] === "#datatype") types = row;
      header = undefined;
    } else if (header === undefined) {
      header = row;
    } else if (header[1] === "error") {
      throw new Error(row[1]);
    } else {
      const column = header.indexOf("_value");
      const cell = row[column];
      if (column >= 0 && cell !== undefined) values.push(typed(cell, types[column]));
    }
  }
  return values;
}

function typed(cell: string, type: string | undefined): unknown {
  switch (type) {
    case "double":
    case "long":
    case "unsignedLong":
      return cell === "" ? null : Number(cell.replace(/Inf$/, "Infinity"));
    case "boolean":
      return cell === "true";
    default:
      return cell;
  }
}

/** RFC 4180. */
function rowsOf(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    if (end === "" && row.length === 0 && quoted === undefined && plain === "") break;
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
    if (end === "") break;
  }
  return rows;
}
