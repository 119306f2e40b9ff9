/** Reads `data:` fields from a stream of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */

/** A longer line means that the stream is not what we think it is. */
const lineCharsMax = 64 * 1024 * 1024;

export async function* readServerSentEvents(
  stream: ReadableStream<Uint8Array>,
  onBytes: () => void = () => undefined,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let pending = '';
  let lines: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onBytes();
      pending += decoder.decode(value, { stream: true });
      if (pending.length > lineCharsMax)
        throw new Error(`a line of more than ${lineCharsMax} characters in an event stream`);
      const parts = pending.split(/\r\n|\n/);
      pending = parts.pop() ?? '';
      for (const line of parts) {
        if (line.startsWith('data:')) lines.push(line.slice(line.startsWith('data: ') ? 6 : 5));
        if (line !== '' || lines.length === 0) continue;
        yield lines.join('\n');
        lines = [];
      }
    }
  } finally {
    await reader.cancel();
  }
}
