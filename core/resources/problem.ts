/** Something wrong with what a user wrote, and where it stands. */
export interface Problem {
  /** Errors keep a resource from being used; warnings do not. */
  severity: "error" | "warning";
  file: string;
  /** Counts from 1; 0 when the problem is of the file as a whole. */
  line: number;
  /** Counts from 1, in characters; 0 when the problem is of the file as a whole. */
  column: number;
  /** Field of the resource, as `spec.steps[0].uses`; "" when it is of the resource or the file as a whole. */
  path: string;
  message: string;
}

/** In the order of the files as given, then of their lines. */
export function sortProblems(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = new Map(files.map((file, index) => [file, index]));
  const place = ({ file }: Problem) => rank.get(file) ?? files.length;
  return [...problems].sort((a, b) => place(a) - place(b) || a.line - b.line || a.column - b.column);
}
