/**
 * The key of a host says which generation of its cluster it belongs to: `<hash>` for the first, else `<hash>-<n>`. A
 * restart or an edit begins a generation, and hosts of earlier ones go.
 */

export function toHostKey(hash: string, generation: number): string {
  return generation === 0 ? hash : `${hash}-${generation}`;
}

export function generationOf(hostKey: string): number {
  const [, digits] = /-(\d{1,9})$/.exec(hostKey) ?? [];
  return digits === undefined ? 0 : Number(digits);
}
