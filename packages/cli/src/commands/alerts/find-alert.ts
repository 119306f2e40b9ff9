/** An alert of either form, by its id: people need not know which of the two interfaces it belongs to. */
import { type AlertDocument, ApiError, type Client, type TextAlertDocument } from '@headrace/api';

export type FoundAlert =
  | { readonly form: 'text'; readonly document: TextAlertDocument }
  | { readonly form: 'query'; readonly document: AlertDocument };

export async function findAlert(client: Client, id: string): Promise<FoundAlert> {
  try {
    return { form: 'text', document: await client.textAlertsGet({ id }) };
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'RESOURCE_DOES_NOT_EXIST') throw error;
  }
  return { form: 'query', document: await client.alertsGet({ id }) };
}

export function stateOf({ form, document }: FoundAlert): string {
  return form === 'text' ? document.evaluation.state : document.state;
}

/** `SUM(amount) GREATER_THAN 5`. */
export function conditionOf({ form, document }: FoundAlert): string {
  if (form === 'text') {
    const { source, comparison_operator: operator, threshold } = document.evaluation;
    const other = threshold?.column ? columnText(threshold.column) : valueText(threshold?.value);
    return [columnText(source), operator, other].filter((part) => part !== '').join(' ');
  }
  const { condition } = document;
  if (!condition) return '';
  const { op, operand, threshold } = condition;
  return [operand.column.name, op, valueText(threshold?.value)].filter((part) => part !== '').join(' ');
}

function columnText({
  name,
  aggregation,
}: {
  readonly name: string;
  readonly aggregation?: string | undefined;
}) {
  return aggregation === undefined ? name : `${aggregation}(${name})`;
}

function valueText(value: Readonly<Record<string, unknown>> | undefined): string {
  const found = value?.double_value ?? value?.string_value ?? value?.bool_value;
  return found === undefined ? '' : String(found);
}
