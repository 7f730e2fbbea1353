import { dayNames, monthNames } from "./civil.ts";
import { piecesOf } from "./layout.ts";
import type { Reading } from "./time-reading.ts";

/** Writes a time in Go's way: the layout shows how the reference time would look. */
export function formatTime(reading: Reading, layout: string): string {
  return piecesOf(layout)
    .map((piece) => ("text" in piece ? piece.text : formatPart(piece.part, reading)))
    .join("");
}

function formatPart(part: string, now: Reading): string {
  const [month, day] = [monthNames[now.month - 1] ?? "", dayNames[now.weekday] ?? ""];
  const hour12 = now.hour % 12 || 12;
  switch (part) {
    case "2006":
      return padded(now.year, 4);
    case "06":
      return padded(((now.year % 100) + 100) % 100, 2);
    case "January":
      return month;
    case "Jan":
      return month.slice(0, 3);
    case "1":
      return String(now.month);
    case "01":
      return padded(now.month, 2);
    case "Monday":
      return day;
    case "Mon":
      return day.slice(0, 3);
    case "2":
      return String(now.day);
    case "_2":
      return padded(now.day, 2, " ");
    case "02":
      return padded(now.day, 2);
    case "__2":
      return padded(now.dayOfYear, 3, " ");
    case "002":
      return padded(now.dayOfYear, 3);
    case "15":
      return padded(now.hour, 2);
    case "3":
      return String(hour12);
    case "03":
      return padded(hour12, 2);
    case "4":
      return String(now.minute);
    case "04":
      return padded(now.minute, 2);
    case "5":
      return String(now.second);
    case "05":
      return padded(now.second, 2);
    case "PM":
      return now.hour >= 12 ? "PM" : "AM";
    case "pm":
      return now.hour >= 12 ? "pm" : "am";
    case "MST":
      return now.abbreviation === "" ? formatOffset("-0700", now.offset, true) : now.abbreviation;
  }
  if (part.startsWith("Z") && now.offset === 0) return "Z";
  if (part.startsWith("Z") || part.startsWith("-")) return formatOffset(part, now.offset, false);
  return formatFraction(part, now.nanosecond);
}

function padded(value: number, width: number, fill = "0"): string {
  const digits = String(Math.abs(value)).padStart(width, fill);
  return value < 0 ? `-${digits}` : digits;
}

/** An offset in the shape of a layout's part; as an abbreviation it is no longer than needed. */
function formatOffset(part: string, offset: number, short: boolean): string {
  const total = Math.trunc(Math.abs(offset) / 60);
  const [hours, minutes] = [padded(Math.floor(total / 60), 2), padded(total % 60, 2)];
  const sign = offset < 0 ? "-" : "+";
  if (short) return sign + hours + minutes;
  const shape = part.slice(1);
  const colon = shape.includes(":") ? ":" : "";
  if (shape === "07") return sign + hours;
  const withSeconds = shape.replaceAll(":", "").length === 6;
  const seconds = withSeconds ? colon + padded(Math.abs(offset) % 60, 2) : "";
  return sign + hours + colon + minutes + seconds;
}

/** ".000" keeps its digits, ".999" drops zeros at the end and itself when none is left. */
function formatFraction(part: string, nanosecond: number): string {
  const digits = padded(nanosecond, 9).slice(0, part.length - 1);
  if (part.charAt(1) === "0") return part.charAt(0) + digits;
  const trimmed = digits.replace(/0+$/, "");
  return trimmed === "" ? "" : part.charAt(0) + trimmed;
}
