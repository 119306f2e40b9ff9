// `${{job.parameters.x}}`: only the braces are a reference of a run, and the dollar stays in the text.

import { type MappingNode, mapScalars } from '../nodes.ts';
import { type Problem, warningAt } from '../problem.ts';

const WITH_DOLLAR = /\$(\{\{[^{}]*\}\})/;

export function findDollarReferences(root: MappingNode): Problem[] {
  const problems: Problem[] = [];
  mapScalars(root, (scalar, path) => {
    const isProse = path.at(-1) === 'description';
    const found = typeof scalar.value === 'string' && !isProse ? WITH_DOLLAR.exec(scalar.value) : null;
    if (found !== null) {
      const message = `only the braces of ${found[0]} are a reference: the dollar sign stays in the text`;
      problems.push(warningAt(scalar.at, message, `write ${found[1]}`));
    }
    return scalar;
  });
  return problems;
}
