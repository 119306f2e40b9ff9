// Evaluates a parsed template over the values of its user. Its steps, calls and output are bounded, so that a wrong one
// ends. Of its regular expressions only the lengths are: a hostile one can take longer than anybody waits.

import type { Position } from '../problem.ts';
import {
  callTemplateFunction,
  isFields,
  isTrue,
  type TemplateContext,
  type TemplateValue,
} from './template-functions.ts';
import { isTooLongToMatch, tooLongToMatch } from './template-pattern.ts';
import {
  type Command,
  failAt,
  type Operand,
  type ParsedTemplate,
  type Pipeline,
  type TemplateNode,
} from './template-syntax.ts';

const callDepthMax = 50;
const stepsMax = 1_000_000;
const outputCharsMax = 20_000_000;

/** Throws BundleError, which names the place in the template. */
export function evaluateTemplate(
  template: ParsedTemplate,
  dot: TemplateValue,
  context: TemplateContext,
): string {
  const evaluation = new Evaluation(template.definitions, context);
  evaluation.run(template.nodes, { dot, variables: new Map([['$', dot]]), outer: null });
  return evaluation.output.join('');
}

interface Scope {
  readonly dot: TemplateValue;
  readonly variables: Map<string, TemplateValue>;
  readonly outer: Scope | null;
}

class Evaluation {
  readonly output: string[] = [];
  private chars = 0;
  private steps = 0;
  private depth = 0;
  private readonly definitions: ParsedTemplate['definitions'];
  private readonly context: TemplateContext;

  constructor(definitions: ParsedTemplate['definitions'], context: TemplateContext) {
    this.definitions = definitions;
    this.context = context;
  }

  run(nodes: readonly TemplateNode[], scope: Scope): void {
    for (const node of nodes) this.runNode(node, scope);
  }

  private runNode(node: TemplateNode, scope: Scope): void {
    if (node.kind === 'text') {
      this.write(node.text);
      return;
    }
    this.steps += 1;
    if (this.steps > stepsMax) throw failAt(node.at, `the template takes more than ${stepsMax} steps`);
    if (node.kind === 'call') this.runCall(node, scope);
    else if (node.kind === 'range') this.runRange(node, scope);
    else {
      const value = this.evaluate(node.pipeline, scope, node.at);
      if (node.kind === 'output') this.write(toText(value, node.at), node.at);
      else if (node.kind === 'set') this.set(node, value, scope);
      else if (isTrue(value)) this.run(node.body, inner(scope, node.kind === 'with' ? value : scope.dot));
      else this.run(node.otherwise, inner(scope, scope.dot));
    }
  }

  private runCall(node: TemplateNode & { kind: 'call' }, scope: Scope): void {
    const body = this.definitions.get(node.name);
    if (body === undefined) throw failAt(node.at, `no template is defined as "${node.name}"`);
    this.depth += 1;
    if (this.depth > callDepthMax) throw failAt(node.at, 'templates call each other without end');
    const dot = node.pipeline === null ? null : this.evaluate(node.pipeline, scope, node.at);
    this.run(body, { dot, variables: new Map([['$', dot]]), outer: null });
    this.depth -= 1;
  }

  private runRange(node: TemplateNode & { kind: 'range' }, scope: Scope): void {
    const value = this.evaluate(node.pipeline, scope, node.at);
    const entries = toEntries(value);
    if (entries === null) throw failAt(node.at, 'range needs a list or a map');
    for (const [key, element] of entries) {
      const round = inner(scope, element);
      const [first, second] = node.names;
      if (first !== undefined) round.variables.set(first, second === undefined ? element : key);
      if (second !== undefined) round.variables.set(second, element);
      this.run(node.body, round);
    }
    if (entries.length === 0) this.run(node.otherwise, inner(scope, scope.dot));
  }

  private set(node: TemplateNode & { kind: 'set' }, value: TemplateValue, scope: Scope): void {
    const owner = node.declares ? scope : findOwner(scope, node.name);
    if (owner === null)
      throw failAt(node.at, `variable ${node.name} is not declared; write := the first time`);
    owner.variables.set(node.name, value);
  }

  private write(text: string, at?: Position): void {
    this.chars += text.length;
    if (at !== undefined && this.chars > outputCharsMax)
      throw failAt(at, 'the template gives more than 20 MB');
    this.output.push(text);
  }

  private evaluate(pipeline: Pipeline, scope: Scope, at: Position): TemplateValue {
    let value: TemplateValue | undefined;
    for (const command of pipeline) value = this.evaluateCommand(command, value, { scope, at });
    return value ?? null;
  }

  private evaluateCommand(
    { operands }: Command,
    piped: TemplateValue | undefined,
    { scope, at }: { readonly scope: Scope; readonly at: Position },
  ): TemplateValue {
    const [head, ...rest] = operands;
    if (head === undefined) return null;
    const values = () => [
      ...rest.map((operand) => this.evaluateOperand(operand, scope, at)),
      ...(piped === undefined ? [] : [piped]),
    ];
    if (head.kind === 'function') return callTemplateFunction(head.name, values(), { ...this.context, at });
    const value = this.evaluateOperand(head, scope, at);
    if (value instanceof RegExp) {
      const [text] = values();
      if (isTooLongToMatch(String(text ?? ''))) throw failAt(at, tooLongToMatch);
      return value.test(String(text ?? ''));
    }
    if (rest.length > 0 || piped !== undefined)
      throw failAt(at, 'a value that is no function was given arguments');
    return value;
  }

  private evaluateOperand(operand: Operand, scope: Scope, at: Position): TemplateValue {
    switch (operand.kind) {
      case 'literal':
        return operand.value;
      case 'function':
        return callTemplateFunction(operand.name, [], { ...this.context, at });
      case 'group': {
        const value = this.evaluate(operand.pipeline, scope, at);
        if (value instanceof RegExp && operand.fields.join() === 'MatchString') return value;
        return readFields(value, operand.fields, at);
      }
      case 'path': {
        if (operand.start === '') return readFields(scope.dot, operand.fields, at);
        const owner = findOwner(scope, operand.start);
        if (owner === null) throw failAt(at, `variable ${operand.start} is not declared`);
        return readFields(owner.variables.get(operand.start) ?? null, operand.fields, at);
      }
    }
  }
}

function inner(outer: Scope, dot: TemplateValue): Scope {
  return { dot, variables: new Map(), outer };
}

function findOwner(scope: Scope, name: string): Scope | null {
  for (let current: Scope | null = scope; current !== null; current = current.outer) {
    if (current.variables.has(name)) return current;
  }
  return null;
}

function readFields(value: TemplateValue, fields: readonly string[], at: Position): TemplateValue {
  let current = value;
  for (const field of fields) {
    const found = isFields(current) ? current : null;
    if (found === null || !Object.hasOwn(found, field))
      throw failAt(at, `there is no value .${fields.join('.')}`);
    current = found[field] ?? null;
  }
  return current;
}

function toEntries(value: TemplateValue): (readonly [TemplateValue, TemplateValue])[] | null {
  if (value === null) return [];
  if (Array.isArray(value)) return value.map((element, index) => [index, element]);
  if (typeof value !== 'object' || value instanceof RegExp) return null;
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}

function toText(value: TemplateValue, at: Position): string {
  if (value === null) return '';
  if (typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map((element) => toText(element, at)).join(' ')}]`;
  throw failAt(at, 'this value is no text');
}
