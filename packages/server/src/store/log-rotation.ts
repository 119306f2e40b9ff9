/**
 * Keeps a log small while it is being written: what is there moves to `<file>.1`, and the file starts anew in place,
 * because its writers hold it open. They must append; then the next line goes to the new beginning.
 */
import fs from 'node:fs';

export interface LogRotation {
  stop(): void;
}

export interface LogRotationOptions {
  readonly file: string;
  readonly bytesMax: number;
  /** Only when this descriptor is that very file: a log may also go to a terminal or to a journal. */
  readonly descriptor?: number;
  readonly everyMs?: number;
  /** It cannot be told in the log that is full; people find it at the standard error of whoever asked. */
  readonly onError: (error: unknown) => void;
}

const everyMsDefault = 5_000;

export function rotateLog(options: LogRotationOptions): LogRotation {
  const timer = setInterval(() => {
    try {
      rotateIfLarge(options);
    } catch (error) {
      options.onError(error);
    }
  }, options.everyMs ?? everyMsDefault);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/** Nothing waits in between: of a log that this process writes, no line is lost. */
function rotateIfLarge({ file, bytesMax, descriptor }: LogRotationOptions): void {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat || stat.size <= bytesMax) return;
  if (descriptor !== undefined) {
    const written = fs.fstatSync(descriptor);
    if (written.ino !== stat.ino || written.dev !== stat.dev) return;
  }
  const draft = `${file}.1.new`;
  fs.copyFileSync(file, draft);
  fs.chmodSync(draft, 0o600);
  fs.renameSync(draft, `${file}.1`);
  fs.truncateSync(file, 0);
}
