/** Equal whatever the order of an object's members: the store keeps none. */
import type { JsonValue } from './state.ts';

export function isSameJson(one: JsonValue, other: JsonValue): boolean {
  if (typeof one !== 'object' || one === null || typeof other !== 'object' || other === null) {
    return one === other;
  }
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const members = Object.entries(one);
  const others = new Map(Object.entries(other));
  return (
    members.length === others.size &&
    members.every(([name, value]) => {
      const found = others.get(name);
      return found !== undefined && isSameJson(value, found);
    })
  );
}
