/** Frames over a stream, and the greeting that both sides begin with. */
import net from 'node:net';
import tls from 'node:tls';
import type { HostHello } from './host-backend.ts';
import {
  type FromHost,
  frameBytesMax,
  hostProtocolVersion,
  type Pong,
  type ToHost,
} from './host-protocol.ts';
import { createPingWatch, type PingWatch, type PingWatchOptions } from './ping-watch.ts';

const lengthBytes = 4;
/** A host that lives answers within milliseconds, even while its zygote imports; a machine may be overloaded. */
const helloWaitDefaultMs = 20_000;

export interface FrameStream {
  readonly hello: HostHello;
  send(frames: readonly ToHost[]): void;
  close(): void;
}

export interface NetworkAddress {
  readonly address: string;
  readonly port: number;
  /** A private key and its certificate in PEM, which both sides have and nobody else. */
  readonly pem: string;
}

export interface OpenStreamOptions {
  readonly socketPath: string;
  /** Instead of the socket, which then only names the place in messages. */
  readonly network?: NetworkAddress;
  readonly workerId: string;
  /** Of the protocol; the current one unless the host is older. */
  readonly version?: number;
  readonly helloWaitMs?: number | undefined;
  /** Hears of a host that does not answer; those that do not say that they answer are not asked. */
  readonly pings?: Omit<PingWatchOptions, 'ask'>;
  /** Every frame after the greeting. */
  readonly onFrame: (frame: FromHost) => void;
  /** Once, also after `close`. */
  readonly onClose: () => void;
}

/** Connects and greets; rejects with the reason when the host refuses or does not answer. */
export function openFrameStream(options: OpenStreamOptions): Promise<FrameStream> {
  const { promise, resolve, reject } = Promise.withResolvers<FrameStream>();
  const { helloWaitMs = helloWaitDefaultMs } = options;
  const { socket, opened } = openSocket(options);
  const timer = setTimeout(() => socket.destroy(new Error('the host does not answer')), helloWaitMs);
  const decode = createFrameDecoder();
  const version = options.version ?? hostProtocolVersion;
  let isOpen = false;
  let watch: PingWatch | null = null;
  const send = (frames: readonly ToHost[]) => {
    if (socket.writable) socket.write(Buffer.concat(frames.map(encodeFrame)));
  };

  const open = (hello: HostHello) => {
    clearTimeout(timer);
    isOpen = true;
    if (hello.answers_ping && options.pings)
      watch = createPingWatch({ ...options.pings, ask: () => send([{ op: 'ping' }]) });
    resolve({ hello, send, close: () => socket.destroy() });
  };
  const hear = (frame: FromHost | Pong) => {
    watch?.heard();
    if (frame.op === 'pong') return;
    isOpen ? options.onFrame(frame) : greet(frame);
  };
  const greet = (frame: FromHost) => {
    if (frame.op === 'hello' && frame.version === version) return open(frame);
    const reason = frame.op === 'error' ? frame.message : `unexpected ${frame.op} instead of a greeting`;
    socket.destroy(new Error(reason));
  };

  socket.on(opened, () => {
    socket.write(encodeFrame({ op: 'hello', version, worker_id: options.workerId }));
  });
  socket.on('data', (received) => {
    try {
      decode(received).forEach(hear);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  socket.on('error', (error) =>
    reject(new Error(`cannot talk to the host at ${options.socketPath}`, { cause: error })),
  );
  socket.on('close', () => {
    clearTimeout(timer);
    watch?.end();
    reject(new Error(`the host at ${options.socketPath} hung up`));
    if (isOpen) options.onClose();
  });
  return promise;
}

function openSocket({ socketPath, network }: OpenStreamOptions): { socket: net.Socket; opened: string } {
  if (network === undefined) return { socket: net.connect(socketPath), opened: 'connect' };
  const { address, port, pem } = network;
  const socket = tls.connect({
    ...{ host: address, port, key: pem, cert: pem, ca: pem, minVersion: 'TLSv1.3' },
    rejectUnauthorized: true,
    // Only this one certificate is trusted, whatever name stands in it: addresses of hosts come and go.
    checkServerIdentity: () => undefined,
  });
  return { socket, opened: 'secureConnect' };
}

export function encodeFrame(frame: ToHost): Buffer {
  const body = Buffer.from(JSON.stringify(frame));
  const whole = Buffer.allocUnsafe(lengthBytes + body.length);
  whole.writeUInt32BE(body.length);
  body.copy(whole, lengthBytes);
  return whole;
}

/** Cuts a stream into frames; throws when the peer does not speak the protocol. */
export function createFrameDecoder(): (received: Buffer) => (FromHost | Pong)[] {
  let buffer: Buffer = Buffer.alloc(0);
  return (received) => {
    buffer = buffer.length === 0 ? received : Buffer.concat([buffer, received]);
    const frames: (FromHost | Pong)[] = [];
    while (buffer.length >= lengthBytes) {
      const size = buffer.readUInt32BE();
      if (size > frameBytesMax)
        throw new Error(`a frame of ${size} bytes exceeds the limit of ${frameBytesMax}`);
      if (buffer.length < lengthBytes + size) break;
      // Our own host sent it, and the greeting has compared versions.
      frames.push(JSON.parse(buffer.toString('utf8', lengthBytes, lengthBytes + size)) as FromHost | Pong);
      buffer = buffer.subarray(lengthBytes + size);
    }
    return frames;
  };
}
