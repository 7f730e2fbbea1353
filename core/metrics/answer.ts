const longestQuote = 500;

/** What a server said, for an error's text: the status, and the beginning of what came with it. */
export async function quoted(response: Response): Promise<string> {
  const text = (await response.text().catch(() => "")).trim();
  const quote = text.length > longestQuote ? `${text.slice(0, longestQuote)}…` : text;
  return `${response.status}${quote ? ` ${quote}` : ""}`;
}

/** The answer's body as JSON. Throws an error that names who answered. */
export async function jsonOf(response: Response, who: string): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${who} answered ${response.status} with what is no JSON: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
