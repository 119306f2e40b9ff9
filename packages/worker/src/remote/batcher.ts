/** What many ask for at the same moment goes into one request; one request is under way at a time. */
export type Batcher<Ask, Answer> = (ask: Ask) => Promise<Answer>;

export function createBatcher<Ask, Answer>(options: {
  readonly send: (asks: readonly Ask[]) => Promise<readonly Answer[]>;
  readonly batchMax: number;
  readonly bytesMax: number;
  readonly bytesOf: (ask: Ask) => number;
}): Batcher<Ask, Answer> {
  const waiting: { ask: Ask; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = [];
  let isSending = false;

  function takeBatch() {
    let count = 0;
    for (let bytes = 0; count < Math.min(waiting.length, options.batchMax); count += 1) {
      bytes += options.bytesOf(waiting[count]?.ask as Ask); // Below the length.
      if (count > 0 && bytes > options.bytesMax) break;
    }
    return waiting.splice(0, count);
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = takeBatch();
      try {
        const answers = await options.send(batch.map(({ ask }) => ask));
        batch.forEach(({ resolve }, index) => {
          resolve(answers[index] as Answer); // `send` answers each.
        });
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isSending = false;
  }

  return (ask) =>
    new Promise((resolve, reject) => {
      waiting.push({ ask, resolve, reject });
      if (isSending) return;
      isSending = true;
      // What comes in this turn of the event loop goes along.
      setImmediate(() => void sendAll());
    });
}
