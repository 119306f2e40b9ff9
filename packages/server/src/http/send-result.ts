/** How a handler's result travels, by the kind of its route. */
import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { RawBytes, Route, StreamedReply } from '@headrace/api';
import type { FastifyReply } from 'fastify';

/** Proxies close connections that are silent for a minute, and whoever follows takes a silent server for one that is away. */
const keepAliveMs = 5_000;

export async function sendResult(
  reply: FastifyReply,
  route: Route,
  result: unknown,
  signal: AbortSignal,
): Promise<void> {
  switch (route.kind) {
    case 'json':
      return sendJson(reply, result);
    case 'bytes':
      return isRawBytes(result) ? sendBytes(reply, result) : sendJson(reply, result);
    case 'events':
      return sendEvents(reply, result as AsyncIterable<unknown>, signal); // `ResultOf` says so for this kind.
    case 'stream':
      return sendStream(reply, result as StreamedReply); // `ResultOf` says so for this kind.
    case 'redirect':
      return sendRedirect(reply, result as { location: string; set_cookie: string });
    default:
      route.kind satisfies never;
  }
}

function sendJson(reply: FastifyReply, result: unknown): void {
  reply
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(result));
}

function isRawBytes(result: unknown): result is RawBytes {
  return (
    typeof result === 'object' && result !== null && 'bytes' in result && result.bytes instanceof Uint8Array
  );
}

/** What users stored must not become a page of ours in someone's browser: no script, no frame, saved and not shown. */
function forbidShowing(reply: FastifyReply): FastifyReply {
  return reply
    .header('cache-control', 'no-store')
    .header('content-disposition', 'attachment')
    .header('content-security-policy', "sandbox; default-src 'none'");
}

function sendStream(reply: FastifyReply, { status, headers, body }: StreamedReply): void {
  forbidShowing(reply)
    .code(status)
    .headers(headers)
    .send(body === null ? undefined : Readable.from(body, { objectMode: false }));
}

function sendBytes(reply: FastifyReply, { bytes, contentType }: RawBytes): void {
  forbidShowing(reply)
    .type(contentType)
    .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

function sendRedirect(
  reply: FastifyReply,
  { location, set_cookie }: { location: string; set_cookie: string },
): void {
  reply.header('cache-control', 'no-store').header('set-cookie', set_cookie).redirect(location, 303);
}

async function sendEvents(
  reply: FastifyReply,
  events: AsyncIterable<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const iterator = events[Symbol.asyncIterator]();
  // What is wrong with the request shows with the first event, while it can still be answered as an error.
  let next = await iterator.next();
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    // Kept open for the next request, it would hold up a server that stops.
    connection: 'close',
  });
  raw.flushHeaders();
  const keepAlive = setInterval(() => raw.write(': still here\n\n'), keepAliveMs);
  try {
    for (; !next.done && !signal.aborted; next = await iterator.next()) {
      // A slow reader slows its own stream down instead of filling our memory.
      if (!raw.write(`data: ${JSON.stringify(next.value)}\n\n`)) await once(raw, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) reply.log.error({ err: error }, 'an event stream broke off');
  } finally {
    clearInterval(keepAlive);
    raw.end();
    await iterator.return?.();
  }
}
