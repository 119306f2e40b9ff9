/** Instants and durations for people. */

/** `2026-11-21 11:24:05`, in the time zone of this machine; `-` for what has not happened. */
export function formatInstant(atMs: number | undefined | null): string {
  if (atMs === undefined || atMs === null || atMs <= 0) return '-';
  const date = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${formatClock(atMs)}`;
}

/** `11:24:05`. */
export function formatClock(atMs: number): string {
  const date = new Date(atMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** `340 ms`, `4.2 s`, `3 min 05 s`, `2 h 03 min`. */
export function formatDuration(elapsedMs: number): string {
  if (elapsedMs < 1_000) return `${Math.max(0, Math.round(elapsedMs))} ms`;
  if (elapsedMs < 60_000) return `${(elapsedMs / 1_000).toFixed(1)} s`;
  const seconds = Math.round(elapsedMs / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
