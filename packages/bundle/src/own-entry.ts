/** Of a table looked up by what a user wrote: `constructor` and `__proto__` are in none. */
export function ownEntry<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
