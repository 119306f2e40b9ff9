/** The stream to a host in a Pod: opened once, and again whenever it breaks. */
import { waitBackingOff } from '../../wait.ts';
import { type FrameStream, openFrameStream } from '../connection.ts';
import type { FromHost } from '../host-protocol.ts';
import { readKey } from './host-folder.ts';
import { hostPort } from './pod-manifest.ts';

/** An open stream whose frames and end nobody hears yet. */
export interface PodStream {
  readonly stream: FrameStream;
  listen(hooks: { readonly onFrame: (frame: FromHost) => void; readonly onClose: () => void }): void;
}

export async function openPodStream(options: {
  readonly address: string;
  readonly folder: string;
  readonly workerId: string;
  readonly helloWaitMs?: number | undefined;
}): Promise<PodStream> {
  const { address, folder, workerId, helloWaitMs } = options;
  const early: FromHost[] = [];
  let isOver = false;
  let hooks = {
    onFrame: (frame: FromHost): unknown => early.push(frame),
    onClose: (): void => {
      isOver = true;
    },
  };
  const stream = await openFrameStream({
    socketPath: `${address}:${hostPort}`,
    network: { address, port: hostPort, pem: readKey(folder) },
    ...{ workerId, helloWaitMs },
    onFrame: (frame) => hooks.onFrame(frame),
    onClose: () => hooks.onClose(),
  });
  return {
    stream,
    listen(given) {
      hooks = given;
      early.splice(0).forEach(given.onFrame);
      if (isOver) given.onClose();
    },
  };
}

export interface MendedStream {
  /** Null while it is broken. */
  readonly stream: FrameStream | null;
  close(): void;
}

export function keepStreamOpen(options: {
  readonly first: PodStream | null;
  /** Null while the host has no address. */
  readonly open: () => Promise<PodStream | null>;
  readonly onFrame: (frame: FromHost) => void;
  /** Greeted again; what it says then is in its `hello`. */
  readonly onMended: (hello: FromHost) => void;
  readonly onFailed: () => void;
}): MendedStream {
  const { first, open, onFrame } = options;
  let stream: FrameStream | null = null;
  let isClosed = false;
  const closing = new AbortController();

  const use = (opened: PodStream) => {
    stream = opened.stream;
    opened.listen({
      onFrame,
      onClose() {
        stream = null;
        if (!isClosed) void mend();
      },
    });
  };
  const mend = async () => {
    // A node that is silent may be so for days.
    for (let failures = 1; !isClosed; failures += 1) {
      const opened = await open().catch(() => {
        options.onFailed();
        return null;
      });
      if (opened !== null) {
        // Closed meanwhile: nobody would ever close this one.
        if (isClosed) return opened.stream.close();
        options.onMended(opened.stream.hello);
        return use(opened);
      }
      await waitBackingOff(failures, closing.signal);
    }
  };

  if (first === null) void mend();
  else use(first);
  return {
    get stream() {
      return stream;
    },
    close() {
      isClosed = true;
      closing.abort();
      stream?.close();
    },
  };
}
