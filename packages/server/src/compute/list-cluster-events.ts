import type { RequestOf, ResponseOf, routes } from '@headrace/api';
import { z } from 'zod';
import type { Querier } from '../db/connect.ts';
import { decodePageToken, encodePageToken } from '../http/page-token.ts';
import { countClusterEvents, listClusterEvents } from './event-store.ts';
import { unknownCluster } from './list-clusters.ts';
import { findCluster } from './store.ts';
import { toClusterEvent } from './wire.ts';

type Request = RequestOf<typeof routes.clustersEvents>;

const Offset = z.object({ offset: z.int().min(0) });
/** Of a page, where a request says zero. */
const limitDefault = 50;

export async function listEventPage(
  db: Querier,
  request: Request,
): Promise<ResponseOf<typeof routes.clustersEvents>> {
  const { cluster_id: clusterId, order } = request;
  if (!(await findCluster(db, clusterId))) throw unknownCluster(clusterId);
  const filter = {
    clusterId,
    fromMs: request.start_time ?? null,
    untilMs: request.end_time ?? null,
    kinds: request.event_types,
  };
  const limit = request.page_size || request.limit || limitDefault;
  const offset = decodePageToken(request.page_token, Offset)?.offset ?? request.offset;
  const [events, total] = await Promise.all([
    listClusterEvents(db, filter, { order, offset, limit }),
    countClusterEvents(db, filter),
  ]);
  const answer = { events: events.map(toClusterEvent), total_count: total };
  const next = offset + events.length;
  if (events.length === 0 || next >= total) return answer;
  const { page_token: _, ...rest } = request;
  return {
    ...answer,
    next_page: { ...rest, offset: next, limit },
    next_page_token: encodePageToken({ offset: next }),
  };
}
