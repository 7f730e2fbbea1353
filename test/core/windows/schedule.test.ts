import { describe, expect, it } from "vitest";
import { isOpen, nextOpen, scheduleAt, type Window } from "#core/windows/schedule.ts";
import { windowTimeErrors } from "#core/windows/window-rules.ts";

const newYork = (clock: string) => `TZID=America/New_York:${clock}`;
const allow = (times: Omit<Window, "name" | "kind">, name = "office-hours"): Window => ({
  name,
  kind: "Allow",
  ...times,
});
const deny = (times: Omit<Window, "name" | "kind">, name = "freeze"): Window => ({
  name,
  kind: "Deny",
  ...times,
});

const officeHours = allow({
  rrule: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
  dtstart: newYork("20260105T090000"),
  dtend: newYork("20260105T170000"),
});
const holidays = deny({ dtstart: "20261224T000000Z", dtend: "20270102T000000Z" });

/** Times as `2026-03-06T12:00Z`. */
const at = (time: string) => new Date(time);
const told = (date: Date | undefined) => date?.toISOString().replace(":00.000Z", "Z");

describe("a schedule of windows", () => {
  it.each([
    { name: "nothing at all", windows: [], now: "2026-03-06T12:00Z", opens: "now" },
    { name: "an allowed hour", windows: [officeHours], now: "2026-03-06T15:00Z", opens: "now" },
    { name: "the first allowed moment", windows: [officeHours], now: "2026-03-06T14:00Z", opens: "now" },
    { name: "the end of it", windows: [officeHours], now: "2026-03-06T22:00Z", opens: "2026-03-09T13:00Z" },
    {
      name: "before the first",
      windows: [officeHours],
      now: "2025-12-01T00:00Z",
      opens: "2026-01-05T14:00Z",
    },
    {
      name: "a denied hour",
      windows: [officeHours, holidays],
      now: "2026-12-28T15:00Z",
      opens: "2027-01-04T14:00Z",
    },
    {
      name: "a denied hour alone",
      windows: [holidays],
      now: "2026-12-28T15:00Z",
      opens: "2027-01-02T00:00Z",
    },
    { name: "another hour", windows: [holidays], now: "2026-12-23T15:00Z", opens: "now" },
    { name: "denied for ever", windows: [deny({})], now: "2026-12-23T15:00Z", opens: undefined },
    {
      name: "allowed once, long ago",
      windows: [allow({ dtend: "20260101" })],
      now: "2026-12-23T15:00Z",
      opens: undefined,
    },
    {
      name: "days that leave no gap",
      windows: [deny({ rrule: "FREQ=DAILY", dtstart: "20260101", dtend: "20260102" })],
      now: "2026-12-23T15:00Z",
      opens: undefined,
    },
    {
      name: "one of two allowed windows",
      windows: [officeHours, allow({ dtstart: "20260307T000000Z", dtend: "20260308T000000Z" }, "saturday")],
      now: "2026-03-07T12:00Z",
      opens: "now",
    },
  ])("in $name opens $opens", ({ windows, now, opens }) => {
    expect(isOpen(windows, at(now))).toBe(opens === "now");
    expect(told(nextOpen(windows, at(now)))).toBe(opens === "now" ? now : opens);
  });

  it("tells why it is closed, and when and why it closes", () => {
    expect(scheduleAt([officeHours, holidays], at("2026-12-23T15:00Z"))).toEqual({
      closed: false,
      nextClose: at("2026-12-23T22:00Z"),
      nextCloseReason: 'it is allowed in window "office-hours" only',
    });
    expect(scheduleAt([holidays], at("2026-12-25T00:00Z"))).toMatchObject({
      closed: true,
      reason: 'window "freeze" denies it',
    });
    expect(scheduleAt([deny({ dtend: "20260101T000000Z" })], at("2026-12-25T00:00Z"))).toEqual({
      closed: false,
    });
  });
});

describe("a window on days when clocks are set", () => {
  const nightly = (from: string, to: string) =>
    deny({ rrule: "FREQ=DAILY", dtstart: newYork(`20260301T${from}`), dtend: newYork(`20260301T${to}`) });
  it.each([
    {
      name: "before",
      window: nightly("090000", "100000"),
      from: "2026-03-07T14:00Z",
      to: "2026-03-07T15:00Z",
    },
    {
      name: "after, on the same clock",
      window: nightly("090000", "100000"),
      from: "2026-03-08T13:00Z",
      to: "2026-03-08T14:00Z",
    },
    {
      name: "skipped, an hour later",
      window: nightly("023000", "031500"),
      from: "2026-03-08T07:30Z",
      to: "2026-03-08T08:15Z",
    },
    {
      name: "across the skipped hour",
      window: nightly("010000", "040000"),
      from: "2026-03-08T06:00Z",
      to: "2026-03-08T09:00Z",
    },
    {
      name: "that comes twice, once",
      window: nightly("013000", "020000"),
      from: "2026-11-01T05:30Z",
      to: "2026-11-01T06:00Z",
    },
    {
      name: "after the hour that came twice",
      window: nightly("090000", "100000"),
      from: "2026-11-01T14:00Z",
      to: "2026-11-01T15:00Z",
    },
  ])("is there $name", ({ window, from, to }) => {
    expect(told(scheduleAt([window], new Date(at(from).getTime() - 1000)).nextClose)).toBe(from);
    expect(isOpen([window], at(from))).toBe(false);
    expect(told(nextOpen([window], at(from)))).toBe(to);
  });

  it("is not followed for ever where it changes all the time", () => {
    const windows = Array.from({ length: 20 }, (_, second) =>
      deny(
        {
          rrule: "FREQ=SECONDLY;INTERVAL=61",
          dtstart: `20260105T0000${String(second).padStart(2, "0")}Z`,
          dtend: "20260105T000100Z",
        },
        `window-${second}`,
      ),
    );
    expect(scheduleAt(windows, at("2026-11-21T05:00Z"))).toHaveProperty("closed");
    // It took minutes.
  }, 10_000);

  it("ends at the moment that UNTIL names, in the window's zone", () => {
    const window = deny({
      rrule: "FREQ=DAILY;UNTIL=20260402T220000Z",
      dtstart: newYork("20260401T180000"),
      dtend: newYork("20260401T190000"),
    });
    expect(told(nextOpen([window], at("2026-04-02T22:10Z")))).toBe("2026-04-02T23:00Z");
    expect(scheduleAt([window], at("2026-04-02T23:10Z"))).toEqual({ closed: false });
  });
});

describe("the times of a window", () => {
  const start = { dtstart: "20260101T090000Z", dtend: "20260101T100000Z" };
  it.each([
    [{ dtstart: "TZID=Europe/Berlin:20260101T090000" }, undefined],
    [{ dtstart: "DTSTART;TZID=Europe/Berlin:20260101T090000" }, undefined],
    [{ ...start, rrule: "RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3" }, undefined],
    [{ dtstart: "2026-01-01" }, 'dtstart: "2026-01-01" is no date and time; expected something like'],
    [{ dtstart: "TZID=Europe/Berlin:20260101T090000Z" }, "dtstart: "],
    [
      { dtstart: "TZID=Europe/Berln:20260101T090000" },
      'dtstart: "TZID=Europe/Berln:20260101T090000" is no date',
    ],
    [{ dtend: "20261331T000000Z" }, 'dtend: "20261331T000000Z" is no date and time: '],
    [{ dtstart: start.dtend, dtend: start.dtstart }, "dtend: a window must end after it starts"],
    [{ rrule: "FREQ=DAILY" }, "dtstart: a window with an rrule needs its first start"],
    [{ rrule: "FREQ=DAILY", dtstart: start.dtstart }, "dtend: a window with an rrule needs its first end"],
    [{ ...start, rrule: "FREQ=DALY" }, 'rrule: "FREQ=DALY" is no recurrence rule: '],
    [{ ...start, rrule: "often" }, 'rrule: "often" is no recurrence rule: '],
    [
      { ...start, rrule: "FREQ=DAILY;BYHOURS=9" },
      'rrule: a recurrence rule has no part "BYHOURS", did you mean "BYHOUR"?',
    ],
    [
      { ...start, rrule: "FREQ=DAILY;BYHOUR=9,99" },
      'rrule: "BYHOUR=9,99" has a value that means nothing there',
    ],
    [{ ...start, rrule: "FREQ=DAILY;COUNT=0" }, 'rrule: "COUNT=0" has a value that means nothing there'],
    [{ ...start, rrule: "FREQ=DAILY;BYDAY=MX" }, "rrule: "],
  ])("%j give %s", (times, problem) => {
    const errors = windowTimeErrors(times, []).map(({ path, message }) => `${path.join(".")}: ${message}`);
    expect(errors.length).toBe(problem === undefined ? 0 : 1);
    if (problem !== undefined) expect(errors[0]).toContain(problem);
  });
});
