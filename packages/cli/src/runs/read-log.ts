/** The log of one task run, range by range. */
import type { Client } from '@headrace/api';

/** What one request asks for; the server gives no more than 1 MiB. */
const chunkBytes = 256 * 1024;

export interface LogReader {
  readonly runId: number;
  readonly taskRunId: number;
  offset: number;
  ended: boolean;
}

export function openLog(runId: number, taskRunId: number): LogReader {
  return { runId, taskRunId, offset: 0, ended: false };
}

/** Everything that is there now. A task run that still writes grows on: call again until `ended`. */
export async function readLog(
  client: Client,
  reader: LogReader,
  write: (text: string) => void,
): Promise<void> {
  for (;;) {
    const range = await client.taskLog({
      run_id: reader.runId,
      task_run_id: reader.taskRunId,
      offset: reader.offset,
      limit: chunkBytes,
    });
    if (range.log !== '') write(range.log);
    const stands = range.next_offset <= reader.offset;
    reader.offset = Math.max(reader.offset, range.next_offset);
    reader.ended = range.ended && reader.offset >= range.size;
    if (stands || reader.offset >= range.size) return;
  }
}
