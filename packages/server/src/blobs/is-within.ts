import path from 'node:path';

/** Whether a place is a folder or lies in it; both are real paths. */
export function isWithin(folder: string, place: string): boolean {
  return place === folder || place.startsWith(folder.endsWith(path.sep) ? folder : `${folder}${path.sep}`);
}
