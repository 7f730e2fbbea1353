import type { html } from "hono/html";

/** A piece of a page. What is put into it is text and never markup, unless it was made by `html` itself. */
export type Markup = ReturnType<typeof html>;
