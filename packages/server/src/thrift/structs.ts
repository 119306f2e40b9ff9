/**
 * The messages of TCLIService in the dialect that `databricks-sql-connector` speaks: each field with its number and
 * type. Source: the thrift_spec tables of the connector's generated module (databricks-sql-connector 4.9.0, Apache-2.0).
 * Only what this server reads or writes is here; the decoder skips other fields.
 */
type Field = readonly [id: number, type: string];
type StructTable = Readonly<Record<string, Readonly<Record<string, Field>>>>;

const metadataRequest = {
  sessionHandle: [1, 'TSessionHandle'],
  getDirectResults: [1281, 'TSparkGetDirectResults'],
} as const;
const operationResponse = {
  status: [1, 'TStatus'],
  operationHandle: [2, 'TOperationHandle'],
  directResults: [1281, 'TSparkDirectResults'],
} as const;
const onOperation = { operationHandle: [1, 'TOperationHandle'] } as const;
const onlyStatus = { status: [1, 'TStatus'] } as const;

export const structs = {
  TStatus: {
    statusCode: [1, 'i32'],
    infoMessages: [2, 'list<string>'],
    sqlState: [3, 'string'],
    errorCode: [4, 'i32'],
    errorMessage: [5, 'string'],
    displayMessage: [6, 'string'],
  },
  THandleIdentifier: { guid: [1, 'binary'], secret: [2, 'binary'] },
  TSessionHandle: { sessionId: [1, 'THandleIdentifier'], serverProtocolVersion: [3329, 'i32'] },
  TOperationHandle: {
    operationId: [1, 'THandleIdentifier'],
    operationType: [2, 'i32'],
    hasResultSet: [3, 'bool'],
    modifiedRowCount: [4, 'double'],
  },
  TNamespace: { catalogName: [1, 'string'], schemaName: [2, 'string'] },

  TOpenSessionReq: {
    client_protocol: [1, 'i32'],
    configuration: [4, 'map<string,string>'],
    client_protocol_i64: [1282, 'i64'],
    connectionProperties: [1283, 'map<string,string>'],
    initialNamespace: [1284, 'TNamespace'],
    canUseMultipleCatalogs: [1285, 'bool'],
  },
  TOpenSessionResp: {
    status: [1, 'TStatus'],
    serverProtocolVersion: [2, 'i32'],
    sessionHandle: [3, 'TSessionHandle'],
    configuration: [4, 'map<string,string>'],
    initialNamespace: [1284, 'TNamespace'],
    canUseMultipleCatalogs: [1285, 'bool'],
  },
  TCloseSessionReq: { sessionHandle: [1, 'TSessionHandle'] },
  TCloseSessionResp: onlyStatus,
  TGetInfoReq: { sessionHandle: [1, 'TSessionHandle'], infoType: [2, 'i32'] },
  TGetInfoValue: {
    stringValue: [1, 'string'],
    smallIntValue: [2, 'i16'],
    integerBitmask: [3, 'i32'],
    integerFlag: [4, 'i32'],
    binaryValue: [5, 'i32'],
    lenValue: [6, 'i64'],
  },
  TGetInfoResp: { status: [1, 'TStatus'], infoValue: [2, 'TGetInfoValue'] },

  TSparkGetDirectResults: { maxRows: [1, 'i64'], maxBytes: [2, 'i64'] },
  TSparkArrowTypes: {
    timestampAsArrow: [1, 'bool'],
    decimalAsArrow: [2, 'bool'],
    complexTypesAsArrow: [3, 'bool'],
    intervalTypesAsArrow: [4, 'bool'],
  },
  TSparkParameterValue: {
    stringValue: [1, 'string'],
    doubleValue: [2, 'double'],
    booleanValue: [3, 'bool'],
  },
  TSparkParameterValueArg: {
    type: [1, 'string'],
    value: [2, 'string'],
    arguments: [3, 'list<TSparkParameterValueArg>'],
  },
  TSparkParameter: {
    ordinal: [1, 'i32'],
    name: [2, 'string'],
    type: [3, 'string'],
    value: [4, 'TSparkParameterValue'],
    arguments: [5, 'list<TSparkParameterValueArg>'],
  },
  TExecuteStatementReq: {
    sessionHandle: [1, 'TSessionHandle'],
    statement: [2, 'string'],
    confOverlay: [3, 'map<string,string>'],
    runAsync: [4, 'bool'],
    queryTimeout: [5, 'i64'],
    getDirectResults: [1281, 'TSparkGetDirectResults'],
    canReadArrowResult: [1282, 'bool'],
    canDownloadResult: [1283, 'bool'],
    canDecompressLZ4Result: [1284, 'bool'],
    useArrowNativeTypes: [1286, 'TSparkArrowTypes'],
    resultRowLimit: [1287, 'i64'],
    parameters: [1288, 'list<TSparkParameter>'],
  },
  TExecuteStatementResp: operationResponse,
  TSparkDirectResults: {
    operationStatus: [1, 'TGetOperationStatusResp'],
    resultSetMetadata: [2, 'TGetResultSetMetadataResp'],
    resultSet: [3, 'TFetchResultsResp'],
    closeOperation: [4, 'TCloseOperationResp'],
  },

  TGetOperationStatusReq: onOperation,
  TGetOperationStatusResp: {
    status: [1, 'TStatus'],
    operationState: [2, 'i32'],
    sqlState: [3, 'string'],
    errorCode: [4, 'i32'],
    errorMessage: [5, 'string'],
    hasResultSet: [9, 'bool'],
    numModifiedRows: [11, 'i64'],
    displayMessage: [1281, 'string'],
    diagnosticInfo: [1282, 'string'],
  },
  TGetResultSetMetadataReq: onOperation,
  TGetResultSetMetadataResp: {
    status: [1, 'TStatus'],
    schema: [2, 'TTableSchema'],
    resultFormat: [1281, 'i32'],
    lz4Compressed: [1282, 'bool'],
    arrowSchema: [1283, 'binary'],
    uncompressedBytes: [1285, 'i64'],
    isStagingOperation: [1287, 'bool'],
  },
  TTableSchema: { columns: [1, 'list<TColumnDesc>'] },
  TColumnDesc: {
    columnName: [1, 'string'],
    typeDesc: [2, 'TTypeDesc'],
    position: [3, 'i32'],
    comment: [4, 'string'],
  },
  TTypeDesc: { types: [1, 'list<TTypeEntry>'] },
  TTypeEntry: { primitiveEntry: [1, 'TPrimitiveTypeEntry'] },
  TPrimitiveTypeEntry: { type: [1, 'i32'], typeQualifiers: [2, 'TTypeQualifiers'] },
  TTypeQualifiers: { qualifiers: [1, 'map<string,TTypeQualifierValue>'] },
  TTypeQualifierValue: { i32Value: [1, 'i32'], stringValue: [2, 'string'] },
  TFetchResultsReq: {
    operationHandle: [1, 'TOperationHandle'],
    orientation: [2, 'i32'],
    maxRows: [3, 'i64'],
    fetchType: [4, 'i16'],
    maxBytes: [1281, 'i64'],
    startRowOffset: [1282, 'i64'],
    includeResultSetMetadata: [1283, 'bool'],
  },
  TFetchResultsResp: {
    status: [1, 'TStatus'],
    hasMoreRows: [2, 'bool'],
    results: [3, 'TRowSet'],
    resultSetMetadata: [1281, 'TGetResultSetMetadataResp'],
  },
  TRowSet: {
    startRowOffset: [1, 'i64'],
    rows: [2, 'list<TRow>'],
    columns: [3, 'list<TColumn>'],
    arrowBatches: [1281, 'list<TSparkArrowBatch>'],
  },
  TRow: {},
  TColumn: {
    boolVal: [1, 'TBoolColumn'],
    byteVal: [2, 'TByteColumn'],
    i16Val: [3, 'TI16Column'],
    i32Val: [4, 'TI32Column'],
    i64Val: [5, 'TI64Column'],
    doubleVal: [6, 'TDoubleColumn'],
    stringVal: [7, 'TStringColumn'],
    binaryVal: [8, 'TBinaryColumn'],
  },
  TBoolColumn: { values: [1, 'list<bool>'], nulls: [2, 'binary'] },
  TByteColumn: { values: [1, 'list<i8>'], nulls: [2, 'binary'] },
  TI16Column: { values: [1, 'list<i16>'], nulls: [2, 'binary'] },
  TI32Column: { values: [1, 'list<i32>'], nulls: [2, 'binary'] },
  TI64Column: { values: [1, 'list<i64>'], nulls: [2, 'binary'] },
  TDoubleColumn: { values: [1, 'list<double>'], nulls: [2, 'binary'] },
  TStringColumn: { values: [1, 'list<string>'], nulls: [2, 'binary'] },
  TBinaryColumn: { values: [1, 'list<binary>'], nulls: [2, 'binary'] },
  TSparkArrowBatch: { batch: [1, 'binary'], rowCount: [2, 'i64'] },
  TCloseOperationReq: onOperation,
  TCloseOperationResp: onlyStatus,
  TCancelOperationReq: onOperation,
  TCancelOperationResp: onlyStatus,

  TGetCatalogsReq: metadataRequest,
  TGetTypeInfoReq: metadataRequest,
  TGetTableTypesReq: metadataRequest,
  TGetFunctionsReq: metadataRequest,
  TGetPrimaryKeysReq: metadataRequest,
  TGetCrossReferenceReq: metadataRequest,
  TGetSchemasReq: { ...metadataRequest, catalogName: [2, 'string'], schemaName: [3, 'string'] },
  TGetTablesReq: {
    ...metadataRequest,
    catalogName: [2, 'string'],
    schemaName: [3, 'string'],
    tableName: [4, 'string'],
    tableTypes: [5, 'list<string>'],
  },
  TGetColumnsReq: {
    ...metadataRequest,
    catalogName: [2, 'string'],
    schemaName: [3, 'string'],
    tableName: [4, 'string'],
    columnName: [5, 'string'],
  },
  /** Of every call about catalogs: they differ in name only. */
  TMetadataResp: operationResponse,
} as const satisfies StructTable;

export type Structs = typeof structs;
export type StructName = keyof Structs;

/** What a type's name stands for. Maps are `Map`s: a key may be `__proto__`. */
export type Value<Type> = Type extends 'bool'
  ? boolean
  : Type extends 'i8' | 'i16' | 'i32' | 'double'
    ? number
    : Type extends 'i64'
      ? number | bigint
      : Type extends 'string'
        ? string
        : Type extends 'binary'
          ? Uint8Array
          : Type extends `list<${infer Element}>`
            ? readonly Value<Element>[]
            : Type extends `map<string,${infer Element}>`
              ? ReadonlyMap<string, Value<Element>>
              : Type extends StructName
                ? Struct<Type>
                : never;

/** A field that is undefined, or null, does not travel. */
export type Struct<Name extends StructName> = {
  readonly [Key in keyof Structs[Name]]?:
    | Value<Structs[Name][Key] extends readonly [number, infer Type] ? Type : never>
    | null
    | undefined;
};

/** The service's methods: what each takes and answers. */
export const calls = {
  OpenSession: ['TOpenSessionReq', 'TOpenSessionResp'],
  CloseSession: ['TCloseSessionReq', 'TCloseSessionResp'],
  GetInfo: ['TGetInfoReq', 'TGetInfoResp'],
  ExecuteStatement: ['TExecuteStatementReq', 'TExecuteStatementResp'],
  GetOperationStatus: ['TGetOperationStatusReq', 'TGetOperationStatusResp'],
  GetResultSetMetadata: ['TGetResultSetMetadataReq', 'TGetResultSetMetadataResp'],
  FetchResults: ['TFetchResultsReq', 'TFetchResultsResp'],
  CloseOperation: ['TCloseOperationReq', 'TCloseOperationResp'],
  CancelOperation: ['TCancelOperationReq', 'TCancelOperationResp'],
  GetCatalogs: ['TGetCatalogsReq', 'TMetadataResp'],
  GetSchemas: ['TGetSchemasReq', 'TMetadataResp'],
  GetTables: ['TGetTablesReq', 'TMetadataResp'],
  GetColumns: ['TGetColumnsReq', 'TMetadataResp'],
  GetTypeInfo: ['TGetTypeInfoReq', 'TMetadataResp'],
  GetTableTypes: ['TGetTableTypesReq', 'TMetadataResp'],
  GetFunctions: ['TGetFunctionsReq', 'TMetadataResp'],
  GetPrimaryKeys: ['TGetPrimaryKeysReq', 'TMetadataResp'],
  GetCrossReference: ['TGetCrossReferenceReq', 'TMetadataResp'],
} as const satisfies Readonly<Record<string, readonly [StructName, StructName]>>;

export type CallName = keyof typeof calls;
export type RequestOf<Name extends CallName> = Struct<(typeof calls)[Name][0]>;
export type ResponseOf<Name extends CallName> = Struct<(typeof calls)[Name][1]>;

export function isCallName(name: string): name is CallName {
  return Object.hasOwn(calls, name);
}
