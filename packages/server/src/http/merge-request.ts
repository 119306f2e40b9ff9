/** One flat object from path, query and body, free of what neither schemas nor PostgreSQL would take. */

import type { MultipartFile, MultipartValue } from '@fastify/multipart';
import { ApiError } from '@headrace/api';
import type { FastifyRequest } from 'fastify';

/** No document of the API nests a third as deep; recursion over deeper ones would exhaust the stack. */
const nestingMax = 64;

export async function mergeRequest(
  request: FastifyRequest,
  { multipart, hasFields }: { multipart: boolean; hasFields: boolean },
): Promise<Record<string, unknown>> {
  const { '*': rest, ...params } = request.params as Record<string, string>;
  const restName = request.routeOptions.config.headrace.restParameter;
  const body = hasFields ? await readBody(request, multipart) : {};
  const query = request.query as Record<string, unknown>;
  const merged = {
    ...query,
    ...body,
    ...params,
    ...(restName && rest !== undefined ? { [restName]: rest } : {}),
  };
  checkContent(merged);
  return merged;
}

async function readBody(request: FastifyRequest, multipart: boolean): Promise<Record<string, unknown>> {
  return request.isMultipart() ? await readMultipart(request, multipart) : readObject(request.body);
}

function readObject(body: unknown): Record<string, unknown> {
  if (body === undefined || body === null) return {};
  if (typeof body !== 'object' || Array.isArray(body)) {
    throw new ApiError('MALFORMED_REQUEST', 'the body must be a JSON object');
  }
  return body as Record<string, unknown>;
}

/** Fields by name; files become base64 texts, the form that the JSON spelling of the same request has. */
async function readMultipart(request: FastifyRequest, allowed: boolean): Promise<Record<string, unknown>> {
  if (!allowed) throw new ApiError('MALFORMED_REQUEST', 'this route takes JSON, not a form');
  const fields: Record<string, unknown> = {};
  const parts = request.parts() as AsyncIterable<MultipartFile | MultipartValue>;
  try {
    for await (const part of parts) {
      if (part.type === 'file') fields[part.fieldname] = (await part.toBuffer()).toString('base64');
      else fields[part.fieldname] = part.value;
    }
  } catch (error) {
    // What the parser says of a broken form is the only error here without a code; limits and cut connections have one.
    if (!(error instanceof Error) || 'code' in error) throw error;
    throw new ApiError('MALFORMED_REQUEST', `the form cannot be read: ${error.message}`);
  }
  return fields;
}

/** Iterative, so that the check itself survives what it refuses. */
function checkContent(merged: Record<string, unknown>): void {
  const pending: { value: unknown; name: string; depth: number }[] = [{ value: merged, name: '', depth: 0 }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { value, name, depth } = next;
    if (typeof value === 'string') checkText(value, name);
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= nestingMax)
      throw new ApiError('INVALID_PARAMETER_VALUE', `${name}: nested deeper than ${nestingMax} levels`);
    for (const [key, child] of Object.entries(value)) {
      checkText(key, name === '' ? 'the request' : name);
      pending.push({ value: child, name: name === '' ? key : name, depth: depth + 1 });
    }
  }
}

/** PostgreSQL stores neither the character U+0000 nor half of a surrogate pair. */
function checkText(text: string, name: string): void {
  if (text.includes('\0') || !text.isWellFormed()) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `${name}: contains a character that is not allowed in texts`,
    );
  }
}
