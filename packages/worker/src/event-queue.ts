/** Events for one reader, in order. It holds few: an attempt hears of a handful of things in its life. */
export interface EventQueue<Event> {
  push(event: Event): void;
  next(): Promise<Event>;
}

export function createEventQueue<Event>(): EventQueue<Event> {
  const waiting: Event[] = [];
  let reader: ((event: Event) => void) | null = null;
  return {
    push(event) {
      if (reader === null) {
        waiting.push(event);
        return;
      }
      const deliver = reader;
      reader = null;
      deliver(event);
    },
    next() {
      const event = waiting.shift();
      if (event !== undefined) return Promise.resolve(event);
      return new Promise((resolve) => {
        reader = resolve;
      });
    },
  };
}
