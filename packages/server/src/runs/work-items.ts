/** What a batch of the advancer is made of: things to do, each with its promise. */
import {
  assertNever,
  type Failure,
  type RepairRefusal,
  type RepairRequest,
  type Run,
  type RunDefinition,
  type TaskRun,
} from '@headrace/core';
import type { ClaimedAttempt } from '@headrace/worker';
import type { ClaimNote, IgnoredEvent, RunNews } from './run-draft.ts';
import type { Document, RunFacts, RunParameters } from './run-facts.ts';

export interface NewRunOrder {
  readonly facts: RunFacts;
  readonly definition: RunDefinition;
  /** null: there is always a place (a run without a job). */
  readonly places: { readonly jobId: number; readonly queueEnabled: boolean } | null;
}

export interface RepairOrder {
  readonly repairId: number;
  readonly request: RepairRequest;
  /** What the repair runs with. */
  readonly settings: Document;
  readonly parameters: RunParameters;
  readonly places: NewRunOrder['places'];
}

export interface RepairOutcome {
  /** False: there is no such run. */
  readonly isKnown: boolean;
  /** null: the repair has begun, or waits for a place. */
  readonly refusal: RepairRefusal | null;
}

export type Created = { readonly kind: 'created' } | { readonly kind: 'token_taken'; readonly runId: number };

/** One thing to do in a batch; its promise settles when it is durable. */
export type WorkItem = { tries: number; reject: (error: unknown) => void } & (
  | { readonly kind: 'create'; readonly order: NewRunOrder; readonly resolve: (created: Created) => void }
  | {
      readonly kind: 'news';
      readonly runId: number;
      readonly news: readonly RunNews[];
      readonly resolve: (outcome: NewsOutcome) => void;
    }
  | {
      readonly kind: 'repair';
      readonly runId: number;
      readonly order: RepairOrder;
      readonly resolve: (outcome: RepairOutcome) => void;
    }
  /** The queue may have a place for this run: asked where all admissions are decided, so that none is given twice. */
  | { readonly kind: 'admit'; readonly runId: number; readonly jobId: number; readonly resolve: () => void }
  /** Nothing happened but time. */
  | { readonly kind: 'look'; readonly runId: number; readonly resolve: () => void }
);

export interface NewsOutcome {
  /** False: there is no such run. */
  readonly isKnown: boolean;
  readonly ignored: readonly IgnoredEvent[];
}

/** Makes what a worker gets: document with references resolved, token, cluster; or says why there can be none. */
export type ClaimBuilder = (
  claim: { readonly facts: RunFacts; readonly run: Run; readonly taskRun: TaskRun; readonly epoch: number },
  context: { readonly nowMs: number },
) => Promise<{ readonly attempt: ClaimedAttempt; readonly note: ClaimNote } | Failure>;

/** Attempts that a batch makes of it: of the tasks that begin anew, or in the place of one that ends. */
export function countNewAttempts(item: WorkItem): number {
  switch (item.kind) {
    case 'create':
      return item.order.definition.tasks.length;
    case 'repair':
      return item.order.request.definition.tasks.length;
    case 'news':
      return item.news.length;
    case 'admit':
    case 'look':
      return 0;
    default:
      return assertNever(item);
  }
}
