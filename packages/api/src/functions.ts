/** Functions of the catalog: there are none, and clients that look for them are told so. */
import { z } from 'zod';
import { FullName, ObjectName, pageFields } from './catalogs.ts';
import { route } from './route.ts';

const FunctionInfo = z.looseObject({ name: z.string(), full_name: z.string() });
const functionsPath = '/api/2.1/unity-catalog/functions';

export const functionsList = route({
  method: 'GET',
  path: functionsPath,
  summary: 'Lists the functions of a schema: none is kept yet.',
  request: z.object({ catalog_name: ObjectName, schema_name: ObjectName, ...pageFields }),
  response: z.looseObject({ functions: z.array(FunctionInfo).optional() }),
  permission: 'user',
  audit: 'functions.list',
});

export const functionsGet = route({
  method: 'GET',
  path: `${functionsPath}/{name}`,
  summary: 'Shows a function: none is kept yet.',
  request: z.object({ name: FullName }),
  response: FunctionInfo,
  permission: 'user',
  audit: 'functions.get',
});
