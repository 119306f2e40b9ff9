/**
 * Reads what a Pod has left in the folder that it mounts. Code of tasks may write there as well, and so may have put a link to a
 * file of ours in the place of a file, or a pipe that nobody ever writes to.
 */
import fs from 'node:fs';

const flags = fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
/** What `open` says of a link, and of a socket. */
const notFiles = ['ELOOP', 'ENXIO'];

/** Null where there is no such file, or something that no host writes; what cannot be read for now is thrown. */
export function readGuestFile(file: string, sizeBytesMax: number): string | null {
  const descriptor = open(file);
  if (descriptor === null) return null;
  try {
    const stat = fs.fstatSync(descriptor);
    if (!stat.isFile()) return refuse(file, 'it is no file');
    if (stat.size > sizeBytesMax) return refuse(file, `it has more than ${sizeBytesMax} bytes`);
    const buffer = Buffer.alloc(stat.size);
    let length = 0;
    // At most what was there when it was measured.
    for (;;) {
      const read = fs.readSync(descriptor, buffer, length, buffer.length - length, length);
      length += read;
      if (read === 0) return buffer.toString('utf8', 0, length);
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

function open(file: string): number | null {
  try {
    return fs.openSync(file, flags);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (notFiles.includes(code)) return refuse(file, 'it is no file');
    throw error;
  }
}

function refuse(file: string, why: string): null {
  process.emitWarning(`${file} is not read, for no host of ours wrote it: ${why}`);
  return null;
}
