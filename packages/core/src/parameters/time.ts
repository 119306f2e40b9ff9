/** The `<arg>` of `{{job.start_time.<arg>}}`, `{{job.trigger.time.<arg>}}` and `{{backfill.<arg>}}`; all in UTC. */
import { Temporal } from 'temporal-polyfill';

const timeArguments = {
  iso_datetime: (time) => time.toInstant().toString({ fractionalSecondDigits: 3 }),
  iso_date: (time) => time.toPlainDate().toString(),
  iso_weekday: (time) => String(time.dayOfWeek),
  is_weekday: (time) => String(time.dayOfWeek <= 5),
  year: (time) => String(time.year),
  month: (time) => String(time.month),
  day: (time) => String(time.day),
  hour: (time) => String(time.hour),
  minute: (time) => String(time.minute),
  second: (time) => String(time.second),
  timestamp_ms: (time) => String(time.epochMilliseconds),
} satisfies Record<string, (time: Temporal.ZonedDateTime) => string>;

export const timeArgumentNames: readonly string[] = Object.keys(timeArguments);

function isTimeArgument(argument: string): argument is keyof typeof timeArguments {
  return Object.hasOwn(timeArguments, argument);
}

/** `undefined` for an argument that does not exist: the reference then stays as it is written. */
export function formatTime(epochMs: number, argument: string): string | undefined {
  if (!isTimeArgument(argument)) return undefined;
  return timeArguments[argument](Temporal.Instant.fromEpochMilliseconds(epochMs).toZonedDateTimeISO('UTC'));
}
