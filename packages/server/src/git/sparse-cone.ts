/**
 * The cone mode of git sparse-checkout: a pattern is a folder, with all below it; files beside the folders on the way
 * to it, and those at the root, are there too. Pure.
 */
import crypto from 'node:crypto';

/** Folders without slashes around them, each once, in order: what is written otherwise and means the same is the same. */
export type Cone = readonly string[];

export function readCone(patterns: readonly string[]): Cone | { readonly problem: string } {
  const wrong = patterns.find((pattern) => /[*?[\]!\\]|(^|\/)\.\.?(\/|$)/.test(pattern));
  if (wrong !== undefined)
    return {
      problem: `"${wrong.slice(0, 200)}" is no folder of the repository: patterns are folders (cone mode)`,
    };
  const folders = patterns.map((pattern) => pattern.replaceAll(/\/{2,}/g, '/').replace(/^\/|\/$/g, ''));
  return [...new Set(folders.filter((folder) => folder !== ''))].sort();
}

export function isInCone(name: string, cone: Cone): boolean {
  const folder = name.split('/').slice(0, -1).join('/');
  if (folder === '') return true;
  return cone.some(
    (wanted) => `${folder}/`.startsWith(`${wanted}/`) || `${wanted}/`.startsWith(`${folder}/`),
  );
}

/** Tells checkouts of one commit apart; nothing for the whole of it. */
export function suffixOf(cone: Cone | null): string {
  if (cone === null) return '';
  return `-${crypto.createHash('sha256').update(cone.join('\n')).digest('hex').slice(0, 12)}`;
}
