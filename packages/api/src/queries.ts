/** Saved queries: names and limits as in databricks-sdk 0.162.0 (Apache-2.0). */
import { z } from 'zod';
import { route } from './route.ts';
import { Nothing, wireBool, wireInt, wireIntBetween } from './wire.ts';

export const queryNameCharsMax = 255;
export const queryTextCharsMax = 1_000_000;
export const queryParametersMax = 250;
const id = z.string().min(1).max(100);
const texts = z.array(z.string()).max(1_000);

const precision = z.enum(['DAY_PRECISION', 'MINUTE_PRECISION', 'SECOND_PRECISION']);
const multiValuesOptions = z.looseObject({
  prefix: z.string().optional(),
  separator: z.string().optional(),
  suffix: z.string().optional(),
});

/** A name, and one of the typed values; a text where there is none. */
export const QueryParameter = z.looseObject({
  name: z
    .string()
    .max(queryNameCharsMax)
    .regex(/^[A-Za-z_][\w-]*$/),
  title: z.string().max(queryNameCharsMax).optional(),
  text_value: z.looseObject({ value: z.string().optional() }).optional(),
  numeric_value: z.looseObject({ value: z.number() }).optional(),
  date_value: z
    .looseObject({
      date_value: z.string().optional(),
      dynamic_date_value: z.enum(['NOW', 'YESTERDAY']).optional(),
      precision: precision.optional(),
    })
    .optional(),
  date_range_value: z
    .looseObject({
      date_range_value: z.looseObject({ start: z.string(), end: z.string() }).optional(),
      dynamic_date_range_value: z.string().optional(),
      precision: precision.optional(),
      /** 0 is Sunday. */
      start_day_of_week: wireIntBetween({ min: 0, max: 6 }).optional(),
    })
    .optional(),
  enum_value: z
    .looseObject({
      enum_options: z.string().optional(),
      multi_values_options: multiValuesOptions.optional(),
      values: texts.optional(),
    })
    .optional(),
  query_backed_value: z
    .looseObject({
      query_id: z.string().optional(),
      multi_values_options: multiValuesOptions.optional(),
      values: texts.optional(),
    })
    .optional(),
});
export type QueryParameter = z.output<typeof QueryParameter>;

/** What people write of a query. */
export const QueryFields = z.looseObject({
  display_name: z.string().min(1).max(queryNameCharsMax).optional(),
  query_text: z.string().max(queryTextCharsMax).optional(),
  description: z.string().max(10_000).optional(),
  catalog: z.string().max(255).optional(),
  schema: z.string().max(255).optional(),
  warehouse_id: z.string().max(255).optional(),
  parameters: z.array(QueryParameter).max(queryParametersMax).optional(),
  tags: texts.optional(),
  run_as_mode: z.enum(['OWNER', 'VIEWER']).optional(),
  apply_auto_limit: wireBool.optional(),
});
export type QueryFields = z.output<typeof QueryFields>;

export const NewQuery = QueryFields.extend({ parent_path: z.string().max(4_096).optional() });
export type NewQuery = z.output<typeof NewQuery>;

export const QueryDocument = NewQuery.extend({
  id: z.string(),
  display_name: z.string(),
  owner_user_name: z.string(),
  last_modifier_user_name: z.string(),
  lifecycle_state: z.enum(['ACTIVE', 'TRASHED']),
  /** As 2026-03-01T12:30:00Z. */
  create_time: z.string(),
  update_time: z.string(),
});
export type QueryDocument = z.output<typeof QueryDocument>;

export const queriesCreate = route({
  method: 'POST',
  path: '/api/2.0/sql/queries',
  summary: 'Saves a query.',
  request: z.object({ query: NewQuery.optional(), auto_resolve_display_name: wireBool.optional() }),
  response: QueryDocument,
  permission: 'user',
  audit: 'queries.create',
});

export const queriesList = route({
  method: 'GET',
  path: '/api/2.0/sql/queries',
  summary: 'Lists saved queries, newest first; those in the trash are not among them.',
  request: z.object({
    page_size: wireInt.pipe(z.int().min(0).max(100)).default(20),
    page_token: z.string().default(''),
  }),
  response: z.looseObject({ results: z.array(QueryDocument), next_page_token: z.string().optional() }),
  permission: 'user',
  audit: 'queries.list',
});

export const queriesGet = route({
  method: 'GET',
  path: '/api/2.0/sql/queries/{id}',
  summary: 'Shows one saved query, also one in the trash.',
  request: z.object({ id }),
  response: QueryDocument,
  permission: 'user',
  audit: 'queries.get',
});

export const queriesUpdate = route({
  method: 'PATCH',
  path: '/api/2.0/sql/queries/{id}',
  summary:
    'Changes the fields of a query that update_mask names; those that it names and query lacks are cleared.',
  request: z.object({
    id,
    query: QueryFields.extend({ owner_user_name: z.string().max(255).optional() }).optional(),
    /** `query_text,parameters`, or `*` for all that query has. */
    update_mask: z.string().max(1_000),
    auto_resolve_display_name: wireBool.optional(),
  }),
  response: QueryDocument,
  permission: 'user',
  audit: 'queries.update',
});

export const queriesDelete = route({
  method: 'DELETE',
  path: '/api/2.0/sql/queries/{id}',
  summary: 'Moves a query to the trash: no list shows it and no job runs it any more.',
  request: z.object({ id }),
  response: Nothing,
  permission: 'user',
  audit: 'queries.delete',
});
