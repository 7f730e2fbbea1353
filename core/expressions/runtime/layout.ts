/** A piece of a Go layout: text as it stands, or one of the parts of its reference time. */
export type LayoutPiece = { readonly text: string } | { readonly part: string };

const parts =
  /January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|[345]|PM|pm|[-Z]07(?:0000|:00:00|00|:00)?|[.,](?:0+|9+)(?!\d)/g;

const cache = new Map<string, readonly LayoutPiece[]>();

/** Cuts a layout ("2006-01-02") into its pieces. */
export function piecesOf(layout: string): readonly LayoutPiece[] {
  let pieces = cache.get(layout);
  if (!pieces) {
    pieces = cut(layout);
    if (cache.size < 100) cache.set(layout, pieces);
  }
  return pieces;
}

function cut(layout: string): LayoutPiece[] {
  const pieces: LayoutPiece[] = [];
  let end = 0;
  for (const match of layout.matchAll(parts)) {
    if (match.index > end) pieces.push({ text: layout.slice(end, match.index) });
    pieces.push({ part: match[0] });
    end = match.index + match[0].length;
  }
  if (end < layout.length) pieces.push({ text: layout.slice(end) });
  return pieces;
}
