/** The contract as an OpenAPI 3.1 document, for people and generators of other languages. Ours come from zod. */
import { z } from 'zod';
import { CatalogInfo, SchemaInfo } from './catalogs.ts';
import { ClusterDocument, LibrarySpec, NewCluster } from './clusters.ts';
import { User } from './current-user.ts';
import { ErrorBody } from './errors.ts';
import { JobCluster, JobDocument, JobSettings } from './jobs.ts';
import { RepairPreviewTask } from './repairs.ts';
import { type Route, type Routes, readPathParameters } from './route.ts';
import {
  NotebookDocument,
  RepairHistoryItem,
  RunDocument,
  RunEvent,
  RunOutput,
  RunState,
  RunStatus,
  RunTaskDocument,
} from './run-documents.ts';
import { ServerStatus } from './server.ts';
import { ColumnInfo, TableInfo } from './tables.ts';
import {
  ConditionTask,
  ForEachTask,
  NestedTask,
  NotebookTask,
  PythonWheelTask,
  RunJobTask,
  SparkJarTask,
  SparkPythonTask,
  SparkSubmitTask,
  Task,
} from './tasks.ts';
import { TokenInfo } from './tokens.ts';
import { JsonValue } from './wire.ts';
import { WorkspaceObject } from './workspace.ts';

/** Schemas that stand under their own name; all others stand where they are used. */
const namedSchemas = {
  CatalogInfo,
  ClusterDocument,
  ColumnInfo,
  ConditionTask,
  ErrorBody,
  ForEachTask,
  JobCluster,
  JobDocument,
  JobSettings,
  JsonValue,
  LibrarySpec,
  NestedTask,
  NewCluster,
  NotebookDocument,
  NotebookTask,
  PythonWheelTask,
  RepairHistoryItem,
  RepairPreviewTask,
  RunDocument,
  RunEvent,
  RunJobTask,
  RunOutput,
  RunState,
  RunStatus,
  RunTaskDocument,
  SchemaInfo,
  ServerStatus,
  SparkJarTask,
  SparkPythonTask,
  SparkSubmitTask,
  TableInfo,
  Task,
  TokenInfo,
  User,
  WorkspaceObject,
};

type Json = Record<string, unknown>;

export function buildOpenApi(routes: Routes, version: string): Json {
  const components = new Components();
  const paths: Record<string, Json> = {};
  for (const [name, route] of Object.entries(routes)) {
    const path = route.path.replaceAll('+}', '}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: buildOperation(name, route, components) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Headrace API',
      version,
      description:
        'Compatible with the public Databricks Jobs API, plus routes of its own below /api/headrace.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    security: [{ bearer: [] }, { session: [] }],
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'headrace_session' },
      },
      responses: {
        Error: {
          description: 'The request failed.',
          content: { 'application/json': { schema: components.take(ErrorBody) } },
        },
      },
      schemas: components.sorted(),
    },
  };
}

function buildOperation(name: string, route: Route, components: Components): Json {
  const request = components.take(route.request);
  const inPath = new Set(readPathParameters(route.path).map((parameter) => parameter.name));
  const properties = (request.properties ?? {}) as Record<string, Json>;
  const required = new Set((request.required ?? []) as string[]);
  const hasBody = route.method !== 'GET' && route.method !== 'DELETE' && route.kind !== 'stream';
  const parameters = Object.entries(properties)
    .filter(([field]) => inPath.has(field) || !hasBody)
    .map(([field, schema]) => ({
      name: field,
      in: inPath.has(field) ? 'path' : 'query',
      required: inPath.has(field) || required.has(field),
      schema,
    }));
  return {
    operationId: name,
    summary: route.summary,
    'x-permission': route.permission,
    ...(route.aliases.length === 0 ? {} : { 'x-aliases': route.aliases }),
    ...(route.audit === null ? {} : { 'x-audit': route.audit }),
    ...(route.permission === 'open' ? { security: [] } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(hasBody ? { requestBody: buildBody(request, inPath, route) } : {}),
    ...(route.kind === 'stream' && route.method === 'PUT' ? { requestBody: { content: anyBytes } } : {}),
    responses: { ...buildReply(route, components), default: { $ref: '#/components/responses/Error' } },
  };
}

const anyBytes = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } };

function buildBody(request: Json, inPath: ReadonlySet<string>, route: Route): Json {
  const properties = Object.entries((request.properties ?? {}) as Record<string, Json>).filter(
    ([field]) => !inPath.has(field),
  );
  const required = ((request.required ?? []) as string[]).filter((field) => !inPath.has(field));
  const schema = {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
    ...(request.additionalProperties === undefined
      ? {}
      : { additionalProperties: request.additionalProperties }),
  };
  const content: Json = { 'application/json': { schema } };
  if (route.multipart) content['multipart/form-data'] = { schema };
  return { required: required.length > 0, content };
}

function buildReply(route: Route, components: Components): Json {
  if (route.kind === 'redirect') return { 303: { description: 'Signed in; go to the start page.' } };
  if (route.kind === 'stream') {
    const hasContent = route.method === 'GET';
    return hasContent
      ? { 200: { description: 'Done.', content: anyBytes } }
      : { [route.method === 'HEAD' ? 200 : 204]: { description: 'Done.' } };
  }
  const schema = components.take(route.response);
  const type = route.kind === 'events' ? 'text/event-stream' : 'application/json';
  const content: Json = { [type]: { schema } };
  if (route.kind === 'bytes') Object.assign(content, anyBytes);
  return { 200: { description: 'Done.', content } };
}

/**
 * Collects the named schemas. All are written as input: our documents have no defaults and no transforms but the
 * lenient scalars of wire.ts, so that they read the same both ways.
 */
class Components {
  readonly #registry = z.registry<{ id: string }>();
  readonly #schemas = new Map<string, Json>();

  constructor() {
    for (const [id, schema] of Object.entries(namedSchemas)) this.#registry.add(schema, { id });
  }

  take(schema: z.ZodType): Json {
    const { $defs, $schema, id, ...body } = z.toJSONSchema(schema, {
      io: 'input',
      metadata: this.#registry,
    }) as Json;
    for (const [name, { id, ...definition }] of Object.entries(($defs ?? {}) as Record<string, Json>)) {
      this.#schemas.set(name, rewriteRefs(definition));
    }
    if (typeof id !== 'string') return rewriteRefs(body);
    this.#schemas.set(id, rewriteRefs(body));
    return { $ref: `#/components/schemas/${id}` };
  }

  sorted(): Json {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function rewriteRefs(schema: Json): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'));
}
