/**
 * Stands between a server and PostgreSQL, and reads what the server asks: each query names its prepared statement, so a
 * test can tell of each use of each statement, right before it reaches PostgreSQL or when its answer is there and
 * has not been passed on.
 */
import { once } from 'node:events';
import net from 'node:net';

export type Side = 'before' | 'after';

/** One use of a statement. */
export interface StatementUse {
  readonly name: string;
  /** The values as they travel. */
  readonly values: Buffer;
}

export interface Tripwire {
  readonly side: Side;
  matches(use: StatementUse): boolean;
  /** From then on nothing of this connection is passed on in either direction. */
  onTrip(): void;
}

export interface PostgresProxy {
  /** Of the same database, through the proxy. */
  readonly url: string;
  /** Trips once; replaces an earlier one. Null: everything passes. */
  arm(tripwire: Tripwire | null): void;
  close(): Promise<void>;
}

export async function startPostgresProxy(databaseUrl: string): Promise<PostgresProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<net.Socket>();
  let tripwire: Tripwire | null = null;
  const take = (use: StatementUse) => {
    const tripped = tripwire?.matches(use) ? tripwire : null;
    if (tripped) tripwire = null;
    return tripped;
  };
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
    relay(client, upstream, take);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as net.AddressInfo).port);
  return {
    url: url.href,
    arm(next) {
      tripwire = next;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function relay(client: net.Socket, upstream: net.Socket, take: (use: StatementUse) => Tripwire | null): void {
  let isCut = false;
  let awaited: Tripwire | null = null;
  const cut = (tripped: Tripwire) => {
    isCut = true;
    tripped.onTrip();
  };
  // The first message has no type; nothing that a test server does asks for TLS or for a cancel.
  const asked = splitMessages({ hasTypelessStart: true }, (type, message) => {
    if (isCut) return;
    const tripped = type === 'B' ? take(readBind(message)) : null;
    if (tripped?.side === 'before') return cut(tripped);
    awaited = tripped ?? awaited;
    upstream.write(message);
  });
  const answered = splitMessages({ hasTypelessStart: false }, (type, message) => {
    if (isCut) return;
    if (awaited === null) client.write(message);
    else if (type === 'Z') cut(awaited);
  });
  client.on('data', asked);
  upstream.on('data', answered);
}

const lengthBytes = 4;

/** Calls back with each whole message, as it is to be passed on. */
function splitMessages(
  { hasTypelessStart }: { readonly hasTypelessStart: boolean },
  onMessage: (type: string, message: Buffer) => void,
): (chunk: Buffer) => void {
  let typeBytes = hasTypelessStart ? 0 : 1;
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= typeBytes + lengthBytes) {
      const length = typeBytes + rest.readInt32BE(typeBytes);
      if (rest.length < length) return;
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      const type = typeBytes === 0 ? '' : message.toString('latin1', 0, 1);
      typeBytes = 1;
      onMessage(type, message);
    }
  };
}

/** Its name stands after that of the portal, each ended by a zero. */
function readBind(message: Buffer): StatementUse {
  const portalEnd = message.indexOf(0, 1 + lengthBytes);
  const nameEnd = message.indexOf(0, portalEnd + 1);
  return { name: message.toString('utf8', portalEnd + 1, nameEnd), values: message.subarray(nameEnd + 1) };
}
