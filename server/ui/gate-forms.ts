import { html } from "hono/html";
import { textOf } from "#core/promotion/gate-input.ts";
import type { Gate } from "#core/promotion/gates.ts";
import type { Markup } from "#server/ui/markup.ts";

type JsonSchema = Record<string, unknown>;

/** Before the name of each field of a form that a pipeline asks for. */
export const inputPrefix = "input.";

/** What was filled in, by the names of the fields. */
export type FormValues = ReadonlyMap<string, string>;

/** The form by which a gate is answered. `path` is the gate's page, `id` the start of the fields' ids. */
export function gateForm({ asks }: Gate, path: string, id: string, given?: FormValues): Markup {
  switch (asks?.kind) {
    case undefined:
      return buttons(path, id, [
        ["decision", "release", "Release"],
        ["decision", "deny", "Deny"],
      ]);
    case "approval":
      return buttons(`${path}/respond`, id, [
        ["action", "approve", "Approve"],
        ["action", "reject", "Reject"],
      ]);
    case "input":
      return inputForm(asks.schema, `${path}/respond`, id, given);
    default:
      return asks satisfies never;
  }
}

type Button = [name: string, value: string, text: string];

function buttons(action: string, id: string, [yes, no]: [Button, Button]): Markup {
  const button = ([name, value, text]: Button, kind: string) =>
    html`<button class="${kind}" name="${name}" value="${value}" id="${id}-${value}">${text}</button>`;
  return html`
    <form method="post" action="${action}" class="row">
      <label class="unseen" for="${id}-why">Why</label>
      <input id="${id}-why" name="message" placeholder="Why (optional)" maxlength="4096">
      ${button(yes, "primary")}
      ${button(no, "danger")}
    </form>`;
}

function inputForm(schema: JsonSchema, action: string, id: string, given?: FormValues): Markup {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  return html`
    <form method="post" action="${action}" class="fields">
      ${properties.map(([name, property]) => {
        const filledIn = given?.get(`${inputPrefix}${name}`);
        const shown = filledIn === undefined ? property : { ...property, default: filledIn };
        return field(name, shown, required.has(name), `${id}-${name}`);
      })}
      <button class="primary" id="${id}-submit">Submit</button>
    </form>`;
}

function field(name: string, property: JsonSchema, required: boolean, id: string): Markup {
  const { title, description } = property;
  return html`
    <p>
      <label for="${id}">${typeof title === "string" ? title : name}${required ? "" : " (optional)"}</label>
      ${control(property, { id, name: `${inputPrefix}${name}`, more: attributes(property, required, id) })}
      ${typeof description === "string" ? html`<span class="hint" id="${hintOf(id)}">${description}</span>` : ""}
    </p>`;
}

function attributes({ description }: JsonSchema, required: boolean, id: string): Markup {
  const described = typeof description === "string" ? html`aria-describedby="${hintOf(id)}"` : "";
  return html`${described} ${required ? html`required` : ""}`;
}

function hintOf(id: string): string {
  return `${id}-hint`;
}

interface Control {
  id: string;
  name: string;
  /** Further attributes. */
  more: Markup;
}

/** The control that suits the property; what has none of its own is written as JSON. */
function control(property: JsonSchema, { id, name, more }: Control): Markup {
  const { enum: choices, default: given } = property;
  const value = given === undefined ? "" : textOf(given);
  if (Array.isArray(choices)) return select(choices.map(textOf), value, { id, name, more });
  const types = [property.type].flat();
  if (types.includes("boolean")) return select(["true", "false"], value, { id, name, more });
  if (types.includes("integer") || types.includes("number")) {
    const step = types.includes("number") ? "any" : "1";
    return html`<input type="number" step="${step}" id="${id}" name="${name}" value="${value}" ${more}>`;
  }
  if (types.includes("string")) {
    const { maxLength = 65_536, minLength = 0 } = property;
    const kind = { date: "date", email: "email", uri: "url" }[String(property.format)] ?? "text";
    return html`<input type="${kind}" id="${id}" name="${name}" value="${value}" minlength="${minLength}" maxlength="${maxLength}" ${more}>`;
  }
  return html`<textarea id="${id}" name="${name}" placeholder="JSON" ${more}>${value}</textarea>`;
}

function select(choices: readonly string[], chosen: string, { id, name, more }: Control): Markup {
  const option = (choice: string) =>
    html`<option value="${choice}" ${choice === chosen ? html`selected` : ""}>${choice}</option>`;
  return html`
    <select id="${id}" name="${name}" ${more}>
      <option value=""></option>
      ${choices.map(option)}
    </select>`;
}
