import type fs from 'node:fs/promises';

/** One write may take less than it is given, without an error: near the end of a disk, or of what a file may have. */
export async function writeWhole(
  file: Pick<fs.FileHandle, 'write'>,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    // Nothing taken and no error: asked again it would be the same for ever.
    if (bytesWritten === 0) throw Object.assign(new Error('nothing more was written'), { code: 'ENOSPC' });
    written += bytesWritten;
  }
}
