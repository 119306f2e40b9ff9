/** Times, durations and sizes as people read them: cut, not rounded, so that nothing shows a minute too early. */

export function formatDuration(ms: number): string {
  if (ms < 0) return '–';
  if (ms < 1_000) return `${Math.floor(ms)} ms`;
  if (ms < 10_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The same in little room: `1m 40s`. */
export function formatShortDuration(ms: number): string {
  return formatDuration(ms)
    .replace(/ min\b/, 'm')
    .replace(/ (ms|s|h)\b/g, '$1');
}

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export function formatTime(epochMs: number): string {
  return dateTime.format(epochMs);
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** `14:03:12`, for what happened just now. */
export function formatClock(epochMs: number): string {
  return clock.format(epochMs);
}

/** `3 min ago`; exact times stand in the title of the element. */
export function formatAgo(epochMs: number, nowMs: number): string {
  const elapsed = nowMs - epochMs;
  if (elapsed < 10_000) return 'just now';
  const units = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1_000],
  ] as const;
  const [unit, size] = units.find((each) => elapsed >= each[1]) ?? ['second', 1_000];
  return new Intl.RelativeTimeFormat(undefined, { numeric: 'auto', style: 'short' }).format(
    -Math.floor(elapsed / size),
    unit,
  );
}

const byteUnits = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  // A value that would read as 1024.0 goes to the next unit.
  const power = Math.min(byteUnits.length, Math.floor(Math.log(bytes / 0.99995) / Math.log(1_024)));
  return `${(bytes / 1_024 ** power).toFixed(1)} ${byteUnits[power - 1]}`;
}
