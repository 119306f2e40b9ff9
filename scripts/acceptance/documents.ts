import fs from 'node:fs';
import path from 'node:path';

/** A document of the examples, which the caller knows the shape of. */
export function readDocument<T>(folder: string, name: string): T {
  return JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), 'utf8')) as T;
}
