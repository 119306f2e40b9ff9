/** Waits for changes below folders; where the system tells of none, only time passes. */
import { type FSWatcher, watch } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../../cli-context.ts';

/** Editors write a file in several steps, and branches change many files. */
const settleMs = 200;
/** What changes there is never sent. */
const quietFolders = ['.git', '.headrace', '.databricks', 'node_modules', '.venv', '__pycache__'];

export interface FolderWatch {
  /** Until something changes, the time is over or the signal says so. */
  wait(options: { readonly intervalMs: number; readonly signal: AbortSignal }): Promise<void>;
  close(): void;
}

export function watchFolders(
  folders: readonly string[],
  { clock, onTrouble }: { readonly clock: Clock; readonly onTrouble: (reason: string) => void },
): FolderWatch {
  let change = Promise.withResolvers<void>();
  const watchers = folders.flatMap((folder) => {
    try {
      const watcher = watch(folder, { recursive: true }, (_event, name) => {
        const isQuiet = name?.split(path.sep).some((part) => quietFolders.includes(part)) ?? false;
        if (!isQuiet) change.resolve();
      });
      return [watcher.on('error', (error) => endWatcher(watcher, error, onTrouble))];
    } catch (error) {
      onTrouble(String(error));
      return [];
    }
  });
  return {
    async wait({ intervalMs, signal }) {
      const isOver = new AbortController();
      const either = AbortSignal.any([signal, isOver.signal]);
      const isChanged = await Promise.race([
        change.promise.then(() => true),
        clock.sleep(intervalMs, either).then(() => false),
      ]);
      isOver.abort();
      if (!isChanged || signal.aborted) return;
      await clock.sleep(settleMs, signal);
      change = Promise.withResolvers();
    },
    close: () => {
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** One that has failed would only repeat itself. */
function endWatcher(watcher: FSWatcher, error: Error, onTrouble: (reason: string) => void): void {
  watcher.close();
  onTrouble(error.message);
}
