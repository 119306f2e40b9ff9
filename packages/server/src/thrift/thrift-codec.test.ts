import { expect, test } from 'vitest';
import { splitArrowStream } from './arrow-stream.ts';
import { readCall, ThriftReadError } from './read-thrift.ts';
import { arrowStream } from './testing/calls.ts';

// As databricks-sql-connector 4.9.0 with thrift 0.25.0 sends them.
const openSession =
  '800100010000000b4f70656e53657373696f6e000000000c00010d00040b0b00000001000000016100000001620a0502000000000000a5070c05040b0001000000046d61696e0b0002000000017300020505010000';
const executeStatement =
  '80010001000000104578656375746553746174656d656e74000000000c00010c00010c00010b000100000010787878787878787878787878787878780b0002000000107979797979797979797979797979797900080d010000a508000b00020000000973656c656374203a6e0d00030b0b000000010000000a71756572795f746167730000000b7465616d3a615c3a622c78020004010a000500000000000000000c05010a0001000000000000000a0a0002000000000000006400020502010c050602000101020002010200030002000400000f05080c00000001080001000000000b0002000000016e0b000300000003494e540c00040b000100000001350000020d19000000';

const head = '80010001000000024f7000000000';
const call = (hex: string) => readCall(Buffer.from(head + hex, 'hex')).readArgument('TCloseSessionReq');

test('calls of the connector are read', () => {
  const open = readCall(Buffer.from(openSession, 'hex'));
  const execute = readCall(Buffer.from(executeStatement, 'hex'));

  expect(open.name).toBe('OpenSession');
  expect(open.readArgument('TOpenSessionReq')).toEqual({
    configuration: new Map([['a', 'b']]),
    client_protocol_i64: 0xa507,
    initialNamespace: { catalogName: 'main', schemaName: 's' },
    canUseMultipleCatalogs: true,
  });
  expect(execute.readArgument('TExecuteStatementReq')).toMatchObject({
    statement: 'select :n',
    getDirectResults: { maxRows: 10, maxBytes: 100 },
    useArrowNativeTypes: { complexTypesAsArrow: false },
    parameters: [{ ordinal: 0, name: 'n', type: 'INT', value: { stringValue: '5' } }],
  });
});

test('fields that we do not know are passed over, whatever they hold', () => {
  const unknown = '0d00630b0f00000001000000016b0c00000001' + '0b0001000000027878' + '00' + '0e00640800000000';

  expect(call(`0c0001${unknown}0000`)).toEqual({});
});

test.each([
  ['a list longer than the message', /container of/, '0c00010f00630c0000ffff0000'],
  ['a negative length', /-1 bytes/, '0c00010b0063ffffffff0000'],
  ['a negative size', /container of -1/, '0c00010f00630cffffffff0000'],
  ['a map longer than the message', /container of/, '0c00010d00630b0b0000ffff0000'],
  ['a type that there is not', /no type has the number 17/, '0c0001110063000000'],
  ['no argument', /no argument/, '00'],
  ['levels without end', /more than 32 levels/, `0c0001${'0c0063'.repeat(200)}`],
  ['lists in lists without end', /more than 32 levels/, `0c00010f0063${'0f00000001'.repeat(200)}`],
])('%s is refused', (_what, message, hex) => {
  const read = () => call(`${hex}${'00'.repeat(400)}`);

  expect(read).toThrow(ThriftReadError);
  expect(read).toThrow(message);
});

test('elements that cost the sender a byte each are limited in number', () => {
  const bytes = Buffer.concat([Buffer.from(`${head}0c00010f006302000f4240`, 'hex'), Buffer.alloc(1_000_002)]);

  expect(() => readCall(bytes).readArgument('TCloseSessionReq')).toThrow(/more than 200000 elements/);
});

test('a text that is no UTF-8, another protocol and a reply are refused', () => {
  const statement = '0c00010b000200000002ff' + 'fe0000';

  expect(() => readCall(Buffer.from(head + statement, 'hex')).readArgument('TExecuteStatementReq')).toThrow(
    /UTF-8/,
  );
  expect(() => readCall(Buffer.from('82210b4f70656e', 'hex'))).toThrow(/no strict binary/);
  expect(() => readCall(Buffer.from('8001000200000000', 'hex'))).toThrow(/no call/);
});

test('an Arrow stream is cut into its schema and its batches, byte for byte', () => {
  const { schema, batches } = splitArrowStream(arrowStream);

  expect(schema.length).toBe(176);
  expect(batches.map(({ rowCount }) => rowCount)).toEqual([3, 1]);
  const end = Buffer.from('ffffffff00000000', 'hex');
  expect(Buffer.concat([schema, ...batches.map(({ bytes }) => bytes), end])).toEqual(arrowStream);
});
