import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { BundleError } from '../deploy/bundle-error.ts';
import { errorAt } from '../problem.ts';
import type { GeneratedFile } from './generate-job.ts';

/** Writes all files or, when one is there and `overwrites` is false, none. */
export async function writeGenerated(
  files: readonly GeneratedFile[],
  { folder, overwrites }: { readonly folder: string; readonly overwrites: boolean },
): Promise<void> {
  const there: string[] = [];
  for (const file of files) {
    const found = await stat(path.join(folder, file.path)).catch(() => null);
    if (found !== null) there.push(file.path);
  }
  if (there.length > 0 && !overwrites) {
    throw new BundleError(
      there.map((file) =>
        errorAt(
          { file, line: 1, column: 1 },
          'exists already; nothing was written',
          'repeat with --force to overwrite it',
        ),
      ),
    );
  }
  for (const file of files) {
    const target = path.join(folder, file.path);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, file.content);
  }
}
