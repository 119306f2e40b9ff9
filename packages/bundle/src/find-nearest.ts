// The name somebody may have meant.

/** The known name that needs the fewest changes, if those are few; else one that says more, or has the same letters. */
export function findNearest(name: string, known: readonly string[]): string | null {
  return findFewestChanges(name, known) ?? findLonger(name, known);
}

function findLonger(name: string, known: readonly string[]): string | null {
  const letters = [...name].sort().join('');
  const found = known.filter(
    (candidate) => candidate.startsWith(`${name}_`) || [...candidate].sort().join('') === letters,
  );
  return found.length === 1 ? (found[0] ?? null) : null;
}

function findFewestChanges(name: string, known: readonly string[]): string | null {
  let best: { name: string; changes: number } | null = null;
  for (const candidate of known) {
    // A difference in length alone is that many changes.
    const changesMax = best?.changes ?? allowed(name) + 1;
    if (Math.abs(candidate.length - name.length) >= changesMax) continue;
    const changes = countChanges(name.toLowerCase(), candidate.toLowerCase());
    if (best === null || changes < best.changes) best = { name: candidate, changes };
  }
  return best !== null && best.changes <= allowed(name) ? best.name : null;
}

/** `did you mean 'x'?`, or what else there is to say. */
export function suggest(name: string, known: readonly string[], otherwise: string): string {
  const nearest = findNearest(name, known);
  return nearest === null ? otherwise : `did you mean '${nearest}'?`;
}

function allowed(name: string): number {
  return Math.max(1, Math.floor(name.length / 3));
}

/** Levenshtein's distance, with two neighbours that changed places as one change. */
function countChanges(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
