/**
 * New ids for everything in the workspace, from one sequence of the store, in blocks: the sequence moves by
 * `idBlockSize`, and whoever drew a value owns the block that ends before the next. A block that dies with its
 * process leaves a gap, never a double.
 */
import { assert } from './assert.ts';
import type { Querier } from './db/connect.ts';

/** The step of the sequence `id_blocks` in migration 0001: both must say the same. */
export const idBlockSize = 1000;
/** Below this a refill starts: as many tasks as the largest run has, twice. */
const lowWater = 2 * idBlockSize;

export interface IdSource {
  /** Never hands out an id twice, in any process of this store. */
  newId(): number;
  /** Resolves when `count` calls of `newId` can follow at once: for callers that need more than `idBlockSize`. */
  reserve(count: number): Promise<void>;
}

interface Block {
  next: number;
  readonly end: number;
}

export async function createIdSource(db: Querier): Promise<IdSource> {
  const blocks: Block[] = [];
  let refill: Promise<void> | null = null;
  const remaining = () => blocks.reduce((sum, block) => sum + block.end - block.next, 0);

  async function drawBlocks(count: number): Promise<void> {
    const rows = await db.query<{ first: number }>({
      name: 'draw-id-blocks',
      text: `select nextval('id_blocks') as first from generate_series(1, $1)`,
      values: [count],
    });
    for (const { first } of rows) blocks.push({ next: first, end: first + idBlockSize });
  }

  async function reserve(count: number): Promise<void> {
    while (remaining() < count) {
      refill ??= drawBlocks(Math.ceil((count - remaining()) / idBlockSize)).finally(() => {
        refill = null;
      });
      await refill;
    }
  }

  await reserve(lowWater);
  return {
    reserve,
    newId() {
      // A failed refill is tried again by the next call; only an empty stock is an error.
      if (refill === null && remaining() <= lowWater) void reserve(lowWater + idBlockSize).catch(() => {});
      while (blocks[0] && blocks[0].next >= blocks[0].end) blocks.shift();
      const block = blocks[0];
      assert(block, 'no id is left: call reserve() before taking many');
      block.next += 1;
      return block.next - 1;
    },
  };
}
