/**
 * Waits for changes in folders; where the system tells of none, only time passes. Each folder is watched by itself: those
 * that are never sent, as a virtual environment, may hold more files than the system watches for one user.
 */
import { type Dirent, type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../../cli-context.ts';

/** Editors write a file in several steps, and branches change many files. */
const settleMs = 200;
/** What changes there is never sent. */
const quietFolders = ['.git', '.headrace', '.databricks', 'node_modules', '.venv', '__pycache__'];

/** As many as a bundle may have files; beyond them time has to do. */
const foldersMax = 5_000;

interface Surroundings {
  readonly clock: Clock;
  readonly onTrouble: (reason: string) => void;
}

export class FolderWatch {
  private readonly watchers = new Map<string, FSWatcher>();
  private readonly surroundings: Surroundings;
  private change = Promise.withResolvers<void>();
  private isTroubled = false;

  constructor(surroundings: Surroundings) {
    this.surroundings = surroundings;
  }

  /** Beside those that are watched already. */
  add(folders: readonly string[]): void {
    for (const folder of folders) if (!this.watchers.has(folder) && !this.isTroubled) this.open(folder);
  }

  /** Until something changes, the time is over or the signal says so. */
  async wait({ intervalMs, signal }: { intervalMs: number; signal: AbortSignal }): Promise<void> {
    const { clock } = this.surroundings;
    const isOver = new AbortController();
    const isChanged = await Promise.race([
      this.change.promise.then(() => true),
      clock.sleep(intervalMs, AbortSignal.any([signal, isOver.signal])).then(() => false),
    ]);
    isOver.abort();
    if (!isChanged || signal.aborted) return;
    await clock.sleep(settleMs, signal);
    this.change = Promise.withResolvers();
  }

  close(): void {
    for (const watcher of this.watchers.values()) watcher.close();
    this.watchers.clear();
  }

  private open(folder: string): void {
    try {
      const watcher = watch(folder, (event, name) => this.notice(folder, event, name));
      this.watchers.set(folder, watcher);
      watcher.on('error', (error) => this.giveUp(error));
    } catch (error) {
      // One that is gone by now is no trouble.
      if (statSync(folder, { throwIfNoEntry: false }) !== undefined) this.giveUp(error);
    }
  }

  private notice(folder: string, event: string, name: string | null): void {
    if (name !== null && quietFolders.includes(name)) return;
    this.change.resolve();
    if (event !== 'rename' || name === null) return;
    // It may be a folder that is new, or another one of the same name.
    const inner = path.join(folder, name);
    for (const [watched, watcher] of this.watchers) {
      if (watched !== inner && !watched.startsWith(`${inner}${path.sep}`)) continue;
      watcher.close();
      this.watchers.delete(watched);
    }
    if (statSync(inner, { throwIfNoEntry: false })?.isDirectory()) this.addTree(inner);
  }

  /** What stands in a new folder came before it was watched. */
  private addTree(top: string): void {
    const pending = [top];
    for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
      if (this.watchers.size >= foldersMax) return;
      this.add([folder]);
      for (const entry of readFolder(folder))
        if (entry.isDirectory() && !quietFolders.includes(entry.name))
          pending.push(path.join(folder, entry.name));
    }
  }

  /** As when the system watches no more folders: half of them would be worse than none. */
  private giveUp(error: unknown): void {
    if (this.isTroubled) return;
    this.isTroubled = true;
    this.close();
    this.surroundings.onTrouble(error instanceof Error ? error.message : String(error));
  }
}

function readFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    // It is gone again.
    return [];
  }
}
