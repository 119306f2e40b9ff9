/** That the server is away, as this page knows it, in words. Pure. */
import { ApiError, UnreachableError } from '@headrace/api';

export interface Outage {
  /** `silent`: nothing answers. `unready`: something does, and says why it cannot work. */
  readonly kind: 'silent' | 'unready';
  /** What the page shows is how things stood then. */
  readonly heardAtMs: number;
  readonly reason: string;
}

/** How the question whether the server is ready went, as its query keeps it. */
export interface Readiness {
  readonly error: unknown;
  /** 0 before the first good answer. */
  readonly dataUpdatedAt: number;
}

export function findOutage({ error, dataUpdatedAt }: Readiness, openedAtMs: number): Outage | null {
  if (error === null || !isPassing(error)) return null;
  const heardAtMs = dataUpdatedAt === 0 ? openedAtMs : dataUpdatedAt;
  if (error instanceof ApiError) return { kind: 'unready', heardAtMs, reason: error.message };
  return { kind: 'silent', heardAtMs, reason: '' };
}

/** It says nothing of what was asked: the server is away, or its database is. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof UnreachableError ||
    (error instanceof ApiError && error.code === 'TEMPORARILY_UNAVAILABLE')
  );
}

/** What is the matter, what of the page is true, what goes on, and what happens next. */
export function outageText({ kind, reason }: Outage, heardAt: string): { what: string; next: string } {
  const next =
    "Tasks on the servers' own machines go on while these run; workers elsewhere end theirs before their lease runs out. This page asks again every few seconds, and catches up by itself.";
  const what =
    kind === 'silent'
      ? `The server does not answer. It was last heard at ${heardAt}, and what you see is how things stood then.`
      : `The server answers, but cannot work: ${withoutStop(reason)}. What you see is how things stood at ${heardAt}.`;
  return { what, next };
}

function withoutStop(text: string): string {
  return text.replace(/\.$/, '');
}
