/** Reads the definition of a policy; every problem names its path. */
import { ApiError, formatIssues, NewCluster } from '@headrace/api';
import { hasWildcard, namesGroup, type Path, parsePath, toText, withValue } from './attribute-path.ts';
import { compilePattern, judgeValue, resolveAuto } from './judge-value.ts';
import { type PolicyRule, policyRuleTypes, RuleDocument } from './policy-rule.ts';

export const definitionCharsMax = 100_000;
const rulesMax = 500;
/** Rules for them say whether, not what. */
const wholeTypes: readonly string[] = ['forbidden', 'unlimited'];
const virtualOnly: readonly string[] = ['cluster_type', 'dbus_per_hour'];
export const clusterTypes = ['all-purpose', 'job', 'dlt'] as const;

/** Throws with all problems. `field` is where it was given. */
export function parseDefinition(text: string, field = 'definition'): readonly PolicyRule[] {
  if (text.trim() === '') return [];
  const fail = (problems: readonly string[]): never => {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      problems.map((problem) => `${field}: ${problem}`).join('; '),
    );
  };
  if (text.length > definitionCharsMax)
    return fail([`at most ${definitionCharsMax} characters, got ${text.length}`]);
  const document = readJson(text);
  if ('problem' in document) return fail([document.problem]);
  const entries = Object.entries(document.fields);
  if (entries.length > rulesMax) return fail([`at most ${rulesMax} rules, got ${entries.length}`]);
  const read = entries.map(([path, rule]) => readRule(path, rule));
  const problems = read.flatMap((each) => ('problems' in each ? each.problems : []));
  return problems.length > 0 ? fail(problems) : read.filter((each) => 'rule' in each);
}

function readJson(text: string): { readonly fields: Record<string, unknown> } | { readonly problem: string } {
  try {
    const document: unknown = JSON.parse(text);
    if (typeof document === 'object' && document !== null && !Array.isArray(document))
      return { fields: { ...document } };
    return { problem: 'expected a JSON object of rules by path' };
  } catch (error) {
    return { problem: `it is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function readRule(text: string, written: unknown): PolicyRule | { readonly problems: readonly string[] } {
  const path = parsePath(text);
  if ('problem' in path) return { problems: [`${text}: ${path.problem}`] };
  const type =
    typeof written === 'object' && written !== null && 'type' in written ? written.type : undefined;
  if (!policyRuleTypes.some((known) => known === type)) {
    const got = type === undefined ? 'it has none' : `got ${JSON.stringify(type)}`;
    return { problems: [`${text}: type must be one of ${policyRuleTypes.join(', ')}; ${got}`] };
  }
  const parsed = RuleDocument.safeParse(written, { reportInput: true });
  if (!parsed.success) return { problems: [`${text}: ${String(type)}: ${formatIssues(parsed.error)}`] };
  const problems = findProblems({ path, rule: parsed.data });
  if (problems.length === 0) return { path, rule: parsed.data };
  return { problems: problems.map((problem) => `${text}: ${parsed.data.type}: ${problem}`) };
}

function findProblems({ path, rule }: PolicyRule): string[] {
  const given = givenValue(rule);
  if (namesGroup(path) && !wholeTypes.includes(rule.type))
    return [`it names a group of values: go on to one of them, or to all with ${toText([...path, '*'])}`];
  if (rule.type === 'regex') {
    try {
      compilePattern(rule.pattern);
    } catch (error) {
      return [`pattern: ${error instanceof Error ? error.message : String(error)}`];
    }
  }
  if (path[0] === 'cluster_type') return clusterTypeProblems(rule);
  if (given === undefined) return [];
  if (namesGroup(path) || (hasWildcard(path) && rule.type !== 'fixed'))
    return ['defaultValue: there is no single value that it could be for'];
  const refused = rule.type === 'fixed' ? null : judgeValue(given, rule);
  if (refused !== null) return [`defaultValue: ${refused}`];
  return hasWildcard(path) ? [] : valueProblems(path, given);
}

/** Whether a cluster may have such a value at all. */
function valueProblems(path: Path, value: string | number | boolean): string[] {
  if (virtualOnly.includes(path[0] ?? '')) return [];
  const index = path[0] === 'init_scripts' || path[0] === 'ssh_public_keys' ? ['0'] : path.slice(1, 2);
  const spec = withValue({}, [path[0] ?? '', ...index, ...path.slice(2)], resolveAuto(value));
  const parsed = NewCluster.safeParse(spec, { reportInput: true });
  return parsed.success ? [] : [formatIssues(parsed.error)];
}

function clusterTypeProblems(rule: RuleDocument): string[] {
  const named = rule.type === 'fixed' ? [rule.value] : 'values' in rule ? rule.values : [];
  const unknown = named.filter((value) => !clusterTypes.some((known) => known === value));
  return unknown.map((value) => `${JSON.stringify(value)} is none of ${clusterTypes.join(', ')}`);
}

/** What it puts in where a cluster leaves the attribute out. */
export function givenValue(rule: RuleDocument): string | number | boolean | undefined {
  if (rule.type === 'fixed') return rule.value;
  return 'defaultValue' in rule ? rule.defaultValue : undefined;
}
