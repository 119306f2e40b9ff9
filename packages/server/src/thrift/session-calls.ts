/** Sessions, and what the server says about itself. */
import { type Caller, success, type ThriftServices } from './caller.ts';
import { readSessionId, toSessionHandle } from './handles.ts';
import type { RequestOf, ResponseOf } from './structs.ts';

/** SPARK_CLI_SERVICE_PROTOCOL_V8: from it on clients bind parameters by name and by position. */
const protocolVersion = 0xa508;

/** What clients tell themselves in the session's configuration, and no setting of Spark's. */
const clientSettings = /^(spark\.thriftserver\.|infaspark|use:)/i;
const defaultCatalogSetting = /^(use:catalog|databricks\.catalog)$/i;
const defaultSchemaSetting = /^(use:(database|schema)|databricks\.schema)$/i;

export async function openSession(
  { engine }: ThriftServices,
  request: RequestOf<'OpenSession'>,
  { principal, warehouseId, attemptId: taskRunId }: Caller,
): Promise<ResponseOf<'OpenSession'>> {
  const settings = [...(request.configuration ?? [])];
  const find = (name: RegExp) => settings.find(([key]) => name.test(key))?.[1];
  const { catalogName, schemaName } = request.initialNamespace ?? {};
  const catalog = catalogName || find(defaultCatalogSetting) || null;
  const schema = schemaName || find(defaultSchemaSetting) || null;
  const id = await engine.openSession({
    ...{ principal, warehouseId, catalog, schema, taskRunId },
    conf: Object.fromEntries(settings.filter(([key]) => !clientSettings.test(key))),
  });
  return {
    status: success,
    serverProtocolVersion: protocolVersion,
    sessionHandle: toSessionHandle(id, protocolVersion),
    configuration: new Map(),
    initialNamespace: { catalogName: catalog, schemaName: schema },
    canUseMultipleCatalogs: true,
  };
}

export async function closeSession(
  { engine, operations }: ThriftServices,
  request: RequestOf<'CloseSession'>,
  { principal }: Caller,
): Promise<ResponseOf<'CloseSession'>> {
  const id = readSessionId(request.sessionHandle);
  operations.forgetSession(id, principal.id);
  await engine.closeSession(id, principal);
  return { status: success };
}

/** TGetInfoType: those that drivers ask for. Anything else is answered with an empty text, as Spark does. */
const facts: Readonly<Record<number, string>> = {
  13: 'Headrace',
  14: '\\',
  // A name that tools choose their dialect by.
  17: 'Spark SQL',
  18: '4.2.0',
  29: '`',
};
const nameCharsMax = 255;
const lengths: ReadonlySet<number> = new Set([30, 32, 34, 35, 10_005]);

export async function getInfo(request: RequestOf<'GetInfo'>): Promise<ResponseOf<'GetInfo'>> {
  const type = request.infoType ?? -1;
  const infoValue = lengths.has(type) ? { lenValue: nameCharsMax } : { stringValue: facts[type] ?? '' };
  return { status: success, infoValue };
}
