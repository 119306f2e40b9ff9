/** One call: its name decides who answers, and what went wrong becomes a status that clients can tell apart. */
import { type ApiError, toErrorBody } from '@headrace/api';
import { diagnose } from '../http/errors.ts';
import type { Caller, ThriftServices } from './caller.ts';
import {
  answerList,
  listCatalogs,
  listColumns,
  listNothing,
  listSchemas,
  listTables,
  listTableTypes,
  listTypes,
} from './list-calls.ts';
import { type ThriftCall, ThriftReadError } from './read-thrift.ts';
import { closeSession, getInfo, openSession } from './session-calls.ts';
import {
  cancelOperation,
  closeOperation,
  executeStatement,
  fetchResults,
  getOperationStatus,
  getResultSetMetadata,
} from './statement-calls.ts';
import {
  type CallName,
  calls,
  type RequestOf,
  type ResponseOf,
  type Struct,
  type StructName,
} from './structs.ts';
import { writeReply } from './write-thrift.ts';

/** `error` is what its status says, for the audit row. */
export interface Answer {
  readonly parts: readonly Uint8Array[];
  readonly error: ApiError | null;
}

/** Throws what HTTP itself must say: that the client shall come again later, or that the bytes are no call. */
export async function answerCall(
  services: ThriftServices,
  call: ThriftCall & { readonly name: CallName },
  caller: Caller & { readonly requestId: string; readonly bodyBytesMax: number },
): Promise<Answer> {
  const [requestStruct, responseStruct] = calls[call.name];
  const request = call.readArgument(requestStruct);
  try {
    const response = await handlers[call.name](services, request as never, caller);
    return { parts: writeReply(call, responseStruct as StructName, response as Struct<never>), error: null };
  } catch (thrown) {
    if (thrown instanceof ThriftReadError) throw thrown;
    const { error, bug } = diagnose(thrown, caller);
    if (bug) services.log.error({ err: thrown, call: call.name }, 'a call failed');
    if (error.status === 503 || error.status === 429) throw error;
    // An HTTP status would have clients send the call again, for a quarter of an hour.
    return {
      parts: writeReply(call, responseStruct as StructName, { status: toStatus(error) } as Struct<never>),
      error,
    };
  }
}

type Handler<Name extends CallName> = (
  services: ThriftServices,
  request: RequestOf<Name>,
  caller: Caller,
) => Promise<ResponseOf<Name>>;

const handlers: { readonly [Name in CallName]: Handler<Name> } = {
  OpenSession: openSession,
  CloseSession: closeSession,
  GetInfo: (_services, request) => getInfo(request),
  ExecuteStatement: executeStatement,
  GetOperationStatus: getOperationStatus,
  GetResultSetMetadata: getResultSetMetadata,
  FetchResults: fetchResults,
  CloseOperation: closeOperation,
  CancelOperation: cancelOperation,
  GetCatalogs: async (services, request, { principal }) =>
    answerList(services, request, { list: await listCatalogs(services.names), principal }),
  GetSchemas: async (services, request, { principal }) =>
    answerList(services, request, { list: await listSchemas(services.names, request), principal }),
  GetTables: async (services, request, { principal }) =>
    answerList(services, request, { list: await listTables(services.names, request), principal }),
  GetColumns: async (services, request, { principal }) =>
    answerList(services, request, { list: await listColumns(services.names, request), principal }),
  GetTypeInfo: async (services, request, { principal }) =>
    answerList(services, request, { list: listTypes(), principal }),
  GetTableTypes: async (services, request, { principal }) =>
    answerList(services, request, { list: listTableTypes(), principal }),
  GetFunctions: async (services, request, { principal }) =>
    answerList(services, request, { list: listNothing('functions'), principal }),
  GetPrimaryKeys: async (services, request, { principal }) =>
    answerList(services, request, { list: listNothing('keys'), principal }),
  GetCrossReference: async (services, request, { principal }) =>
    answerList(services, request, { list: listNothing('keys'), principal }),
};

/** TStatusCode. */
const statusCodes = { error: 3, invalidHandle: 4 } as const;
const sqlStates: Readonly<Record<string, string>> = {
  PERMISSION_DENIED: '42501',
  INVALID_PARAMETER_VALUE: '22023',
  NOT_IMPLEMENTED: '0A000',
};

function toStatus(error: ApiError): Struct<'TStatus'> {
  const { message } = toErrorBody(error);
  return {
    statusCode: error.status === 404 ? statusCodes.invalidHandle : statusCodes.error,
    sqlState: sqlStates[error.code] ?? 'HY000',
    errorCode: 0,
    errorMessage: message,
    displayMessage: message,
  };
}
