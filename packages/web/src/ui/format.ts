/** Times and durations as people read them. */

export function formatDuration(ms: number): string {
  if (ms < 0) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const dateTime = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export function formatTime(epochMs: number): string {
  return dateTime.format(epochMs);
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

export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1_024 * 1_024) return `${(bytes / 1_024).toFixed(1)} KiB`;
  return `${(bytes / 1_024 / 1_024).toFixed(1)} MiB`;
}
